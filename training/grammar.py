"""A small notation for many ways to say one thing: `how much [was|is] {it} [in total|]`.

[a|b|] is one of its alternatives, which may be empty and may nest. A name in braces is a known text
or an entry of a list, drawn anew for each place where it stands; entries use the same signs.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

SIGNS = re.compile(r"[\[\]|]|\{\w+\}|[^\[\]|{}]+")
BEFORE_MARK = re.compile(r"\s+([,.:?!]|'s\b)")


class Name(NamedTuple):
    """What stands in braces."""

    name: str


class Choice(NamedTuple):
    """What stands in brackets: sequences of texts, names and choices."""

    ways: tuple[tuple, ...]


Sequence = tuple[str | Name | Choice, ...]
Lists = Mapping[str, tuple[Sequence, ...]]


def parse(text: str) -> Sequence:
    """Raises ValueError if brackets do not match."""
    signs = SIGNS.findall(text)
    ways, used = read_ways(signs, 0)
    if used != len(signs) or len(ways) != 1:
        raise ValueError(f"brackets do not match: {text}")
    return ways[0]


def read_ways(signs: list[str], at: int) -> tuple[tuple[Sequence, ...], int]:
    """The alternatives from `at` to the closing bracket, and where that is."""
    ways, parts = [], []
    while at < len(signs) and signs[at] != "]":
        sign = signs[at]
        if sign == "[":
            inner, at = read_ways(signs, at + 1)
            if at == len(signs):
                raise ValueError(f"a bracket stays open: {''.join(signs)}")
            parts.append(Choice(inner))
        elif sign == "|":
            ways.append(tuple(parts))
            parts = []
        else:
            parts.append(Name(sign[1:-1]) if sign[0] == "{" else sign)
        at += 1
    return (*ways, tuple(parts)), at


def say(sequence: Sequence, known: Mapping[str, str], lists: Lists, draw) -> str:
    """One of the texts that the sequence stands for."""
    return tidy("".join(said(part, known, lists, draw) for part in sequence))


def said(part, known: Mapping[str, str], lists: Lists, draw) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Choice):
        sequence = draw.choice(part.ways)
    elif part.name in known:
        return known[part.name]
    else:
        sequence = draw.choice(lists[part.name])
    return "".join(said(inner, known, lists, draw) for inner in sequence)


def tidy(text: str) -> str:
    """Without the spaces that empty alternatives leave."""
    return BEFORE_MARK.sub(r"\1", " ".join(text.split()))


def pattern(sequence: Sequence, known: Mapping[str, str], lists: Lists) -> str:
    """A regular expression for all texts of a sequence, with any marks between their words."""
    return "".join(pattern_of(part, known, lists) for part in sequence)


def pattern_of(part, known: Mapping[str, str], lists: Lists) -> str:
    if isinstance(part, str):
        return re.sub(r"[^a-z0-9]+", "[^a-z0-9]*", part.lower().replace("'", ""))
    if isinstance(part, Name) and part.name in known:
        return pattern_of(known[part.name], known, lists)
    ways = part.ways if isinstance(part, Choice) else lists[part.name]
    return f"(?:{'|'.join(pattern(way, known, lists) for way in ways)})"
