"""Questions in other words, from the tables in wording/.

`plain` is what the style `free` uses; `casual` and `composed` are added by the style `rich`. What a
seed gives depends on every draw, so a table's order is part of the pages' definition.
"""

import functools
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from careless import careless
from vocabulary import ORDINALS

FOLDER = Path(__file__).resolve().parent / "wording"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
SHORT_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")
ORDINAL_WORDS = {
    ordinal: {"number": number, "digit": str(index + 1), "short": short}
    for index, (ordinal, number, short) in enumerate(zip(ORDINALS, NUMBERS, SHORT_ORDINALS))
}
COMPOSED_SHARE = 0.7
# Enough ways to choose from; later patterns that fit, too, are more general.
ENOUGH_WAYS = 6
NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Entry:
    """Ways to ask the questions that `asked` fits as a whole (see wording/composed.toml)."""

    asked: re.Pattern[str]
    ways: list[str]
    once: list[str] = field(default_factory=list)
    ways_for: dict[str, list[str]] = field(default_factory=dict)
    world: str | None = None
    share: float = 1.0

    def applies(self, world: str, draw) -> bool:
        return self.world is None or (self.world == world and draw.random() < self.share)

    def compose(self, match: re.Match[str], lists: dict[str, list[str]], draw) -> str:
        """One of the ways, all of them filled in."""
        known = groups_of(match)
        known |= {name: draw.choice(lists[name]) for name in self.once}

        def fill(name: re.Match[str]) -> str:
            return known[name[1]] if name[1] in known else draw.choice(lists[name[1]])

        first = known.get("1", "")
        ways = [*self.ways, *self.ways_for.get(first, ())]
        return draw.choice([NAME.sub(fill, way) for way in ways])


@functools.cache
def table(name: str) -> tuple[list[Entry], dict[str, list[str]]]:
    """The entries of a table in their order, and its lists of words."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    entries = [Entry(**{**e, "asked": re.compile(e["asked"])}) for e in content["question"]]
    return entries, content.get("lists", {})


def groups_of(match: re.Match[str]) -> dict[str, str]:
    """What a way may name besides drawn words: groups, the article of the first, its ordinal."""
    known = {str(index + 1): text for index, text in enumerate(match.groups())}
    first = known.get("1", "")
    return known | {"an": "an" if first[:1] in "aeiou" else "a"} | ORDINAL_WORDS.get(first, {})


def plain(question: str, draw) -> str:
    """A careful paraphrase; the question itself if no pattern fits."""
    for entry in table("plain")[0]:
        if match := entry.asked.fullmatch(question):
            return filled(draw.choice(entry.ways), match)
    return question


def casual(question: str, world: str, draw) -> str:
    """One of all the ways, carelessly typed."""
    if draw.random() < COMPOSED_SHARE and (made := composed(question, world, draw)):
        return careless(made, draw)
    ways = [question]
    for entry in (*table("plain")[0], *table("casual")[0]):
        if match := entry.asked.fullmatch(question):
            ways += [filled(way, match) for way in entry.ways]
            if len(ways) > ENOUGH_WAYS:
                break
    return careless(draw.choice(ways), draw)


def composed(question: str, world: str, draw) -> str | None:
    """A question made of parts; None if no pattern fits."""
    entries, lists = table("composed")
    for entry in entries:
        match = entry.asked.fullmatch(question)
        if match and entry.applies(world, draw):
            return entry.compose(match, lists, draw)
    return None


def filled(way: str, match: re.Match[str]) -> str:
    known = groups_of(match)
    return NAME.sub(lambda name: known[name[1]], way)
