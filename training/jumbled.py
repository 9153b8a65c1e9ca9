"""Questions with words changed at random: what a teacher is asked where no answer is known.

Their wording lies around that of the grammars, in directions that no grammar has. Nobody can say
what the right answer is, but hints (hints.py) need none.
"""

import functools
import re

import held_out
from careless import mistyped
from supervision import READ_ALL
from turn import Turn
from wording import FOLDER
from worlds import Page

REPLACED, DROPPED, FOLLOWED, MISTYPED = 0.25, 0.10, 0.15, 0.10


@functools.cache
def lexicon() -> tuple[str, ...]:
    """Every word in small letters of the tables and grammars."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.toml")))
    return tuple(sorted({word for text in texts for word in re.findall(r"\b[a-z]{2,}\b", text)}))


def jumble(question: str, draw) -> str:
    """Names, numbers and marks stay; other words are replaced, dropped, or followed by another."""
    words: list[str] = []
    for word in question.split(" "):
        if not (word.isalpha() and word.islower()):
            words.append(word)
            continue
        if draw.random() >= DROPPED:
            words.append(draw.choice(lexicon()) if draw.random() < REPLACED else word)
        if draw.random() < FOLLOWED:
            words.append(draw.choice(lexicon()))
    changed = " ".join(words) or question
    return mistyped(changed, draw) if draw.random() < MISTYPED else changed


def jumble_page(page: Page, draw) -> Page:
    """The page without "Read all the text." and without questions that became held-out ones."""
    turns, meanings = [], {}
    for turn in page.turns:
        meaning = page.meaning(turn.question)
        asked = jumble(turn.question, draw)
        if meaning != READ_ALL and not held_out.is_held_out(asked):
            turns.append(Turn(asked, turn.answer))
            meanings[asked] = meaning
    return page._replace(turns=turns, meanings=meanings)
