"""Held-out pages asked about in words that no generator uses.

Of test pages in talk.txt, of validation pages in talk-validation.txt.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import worlds
from style import STYLES
from turn import Turn

FOLDER = Path(__file__).resolve().parent
# Each file, without its ending, and the seeds of its pages.
SETS = {"talk": worlds.test_seed, "talk-validation": worlds.validation_seed}


class Asked(NamedTuple):
    """`image`: a file name, one per page; `turn`: the stranger's words and the exact answer;
    `meaning`: the same question in the words of its world."""

    image: str
    page: worlds.Page
    turn: Turn
    meaning: str


def questions(name: str = "talk") -> Iterator[Asked]:
    """In the order of a file of SETS; the questions about a page follow one another."""
    image, page = "", None
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if " | " not in line:
            world, number, style = line.split()
            # The page as it is drawn, with the questions in the words of its world.
            plain = replace(STYLES[style], free_words=False)
            page = worlds.sample(SETS[name](world, int(number)), world, plain)
            image = f"{world}-{name}-{number}.png"  # the app reads the world off the name
            continue
        words, meaning = line.split(" | ")
        yield Asked(image, page, Turn(words, dict(page.turns)[meaning]), meaning)
