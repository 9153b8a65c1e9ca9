"""Questions of talk.txt: held-out pages asked about in words that no generator uses."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import worlds
from style import STYLES
from turn import Turn

FILE = Path(__file__).resolve().parent / "talk.txt"


class Asked(NamedTuple):
    """`image`: a file name, one per page; `turn`: the stranger's words and the exact answer;
    `meaning`: the same question in the words of its world."""

    image: str
    page: worlds.Page
    turn: Turn
    meaning: str


def questions() -> Iterator[Asked]:
    """In the order of the file; the questions about a page follow one another."""
    image, page = "", None
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if " | " not in line:
            world, number, style = line.split()
            # The page as it is drawn, with the questions in the words of its world.
            plain = replace(STYLES[style], free_words=False)
            page = worlds.sample(worlds.test_seed(world, int(number)), world, plain)
            image = f"{world}-talk-{number}.png"  # the app reads the world off the name
            continue
        words, meaning = line.split(" | ")
        yield Asked(image, page, Turn(words, dict(page.turns)[meaning]), meaning)
