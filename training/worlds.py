"""Synthetic worlds: a seed gives a page and questions with exact answers.

A world is a function of a random generator and a style. The order in which it draws numbers is part
of its definition: changing it changes every page of every split.
"""

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import phrasing
import seeds
from board_worlds import screen, sign
from camera import develop
from canvas import Canvas
from graph_worlds import line, pie, press
from picture_worlds import chart, shapes
from print_worlds import READ_LINES, card, receipt, words
from sheet_worlds import document, form, table
from style import NARROW, Style
from supervision import READ_ALL, transcript
from turn import Turn


class Page(NamedTuple):
    """`meanings` maps questions that are asked in other words to the words of their world."""

    world: str
    canvas: Canvas
    turns: list[Turn]
    meanings: Mapping[str, str] = MappingProxyType({})

    def meaning(self, question: str) -> str:
        return self.meanings.get(question, question)


WORLDS = {"shapes": shapes, "chart": chart, "receipt": receipt, "card": card, "words": words}
# Drawn in the varied styles alone.
MORE_WORLDS = {
    "table": table,
    "form": form,
    "document": document,
    "sign": sign,
    "screen": screen,
    "line": line,
    "pie": pie,
    "press": press,
}
ALL_WORLDS = WORLDS | MORE_WORLDS

# Worlds that ask for no colour, and how many of their spoken pages are light on dark.
WITHOUT_COLORS = ("receipt", "words")
DARK_SHARE = 0.15


def names(style: Style) -> list[str]:
    """The worlds of a style."""
    return list(ALL_WORLDS if style.varied else WORLDS)


def sample(seed: int, world: str | None = None, style: Style = NARROW) -> Page:
    """The page of a seed. Its turns stand in random order; "Read all the text." comes last."""
    draw = random.Random(seed)
    world = world or draw.choice(names(style))
    canvas, turns = ALL_WORLDS[world](draw, style)
    draw.shuffle(turns)
    if style.spoken and world in WITHOUT_COLORS and draw.random() < DARK_SHARE:
        canvas.darken()
    canvas = develop(canvas, style, draw)
    if canvas.prints:
        turns = [turn for turn in turns if turn.question != READ_LINES]
        turns.append(Turn(READ_ALL, transcript(canvas)[0]))
    if not style.free_words:
        return Page(world, canvas, turns)
    if not style.spoken:
        return Page(world, canvas, *phrasing.vary(world, canvas, turns, draw, style.rich))
    said = phrasing.speak(world, canvas, turns, draw, style.rich, style.varied)
    return Page(world, canvas, *said)


def test_seed(world: str, page: int) -> int:
    """Seed of a held-out page: what evaluate.py scores and the gallery is chosen from."""
    return seeds.held_out(seeds.TEST, list(ALL_WORLDS).index(world), page)


def validation_seed(world: str, page: int) -> int:
    return seeds.held_out(seeds.VALIDATION, list(ALL_WORLDS).index(world), page)
