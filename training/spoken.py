"""Questions in people's own words, from the grammars in wording/spoken.toml and varied.toml.

A way of asking is drawn, then what stands around it, then what a hurried writer leaves out or
mistypes. Answers never depend on it: a question keeps its meaning.
"""

import functools
import re
import tomllib
from dataclasses import dataclass

import grammar
import held_out
from careless import hurried, mistyped
from wording import FOLDER, groups_of

# In the order in which their entries are tried; what stands around a question is in the last.
FILES = (FOLDER / "varied.toml", FOLDER / "spoken.toml")
GREETED, OPENED, CLOSED, EXPLAINED = 0.10, 0.12, 0.16, 0.05
TELEGRAPHIC, SHORTENED, FILLED, REPLACED, MISTYPED, HURRIED = 0.04, 0.10, 0.10, 0.12, 0.08, 0.09
# Redraws before a question is left in the words of its world.
TRIES = 5
# How a question is typed: (upper end of the share, capital first, mark at the end, small letters).
TYPED = (
    (0.52, True, True, False),
    (0.62, True, False, False),
    (0.72, False, True, False),
    (0.82, False, False, False),
    (0.91, False, True, True),
    (1.00, False, False, True),
)


@dataclass(frozen=True)
class Way:
    """Ways to ask the questions that `asked` fits as a whole, on pages of `world` if it has one."""

    asked: re.Pattern[str]
    ways: tuple[grammar.Sequence, ...]
    world: str | None


@dataclass(frozen=True)
class Grammar:
    entries: tuple[Way, ...]
    lists: grammar.Lists
    around: dict[str, tuple[grammar.Sequence, ...]]
    words: dict[str, frozenset[str]]
    synonyms: dict[str, list[str]]


@functools.cache
def load() -> Grammar:
    contents = [tomllib.loads(file.read_text(encoding="utf-8")) for file in FILES]

    def parsed(lists: dict[str, list[str]]) -> dict[str, tuple[grammar.Sequence, ...]]:
        return {name: tuple(map(grammar.parse, texts)) for name, texts in lists.items()}

    entries = tuple(
        Way(
            re.compile(entry["asked"]),
            tuple(map(grammar.parse, entry["ways"].strip().splitlines())),
            entry.get("world"),
        )
        for content in contents
        for entry in content["question"]
    )
    lists = parsed({k: v for content in contents for k, v in content["lists"].items()})
    around = contents[-1]["around"]
    words = {name: frozenset(around.pop(name)) for name in ("drop", "imperative")}
    return Grammar(entries, lists, parsed(around), words, contents[-1]["synonyms"])


def ask(question: str, world: str, draw) -> str | None:
    """The question as somebody types it, never one that is held out; None if there is no way."""
    entry = entry_for(question, world)
    known = known_of(entry.asked.fullmatch(question)) if entry else {}
    names = tuple(known.get(name, "") for name in ("1", "2", "many"))
    for _ in range(TRIES if entry else 0):
        said = grammar.say(draw.choice(entry.ways), known, load().lists, draw)
        changed = varied(said, world, draw)
        asked = typed(surrounded(changed, draw), draw)
        if not any(held_out.is_held_out(text, names) for text in (said, changed, asked)):
            return asked
    return None


def entry_for(question: str, world: str) -> Way | None:
    fitting = (e for e in load().entries if e.world in (None, world))
    return next((e for e in fitting if e.asked.fullmatch(question)), None)


def known_of(match: re.Match[str]) -> dict[str, str]:
    known = groups_of(match)
    return known | {"many": plural(known.get("1", ""))}


def plural(name: str) -> str:
    return name if name.endswith("s") else f"{name}es" if name.endswith(("o", "h")) else f"{name}s"


def varied(question: str, world: str, draw) -> str:
    """A word more, a word less, or another word."""
    parts = question.split(" ")
    small = [index for index, word in enumerate(parts) if word.isalpha() and word.islower()]
    if draw.random() < TELEGRAPHIC:
        kept = [word for word in parts if word not in load().words["drop"]]
        return " ".join(kept or parts)
    if draw.random() < SHORTENED:
        dropped = [index for index in small if parts[index] in load().words["drop"]]
        if dropped and len(parts) > 2:
            del parts[draw.choice(dropped)]
            small = []
    if draw.random() < FILLED:
        gaps = [index for index in small if index - 1 in small]
        if gaps:
            parts.insert(draw.choice(gaps), around("filler", draw))
    if world == "shapes":
        synonyms = load().synonyms
        replaced = [w in synonyms and draw.random() < REPLACED for w in parts]
        parts = [draw.choice(synonyms[w]) if r else w for w, r in zip(parts, replaced)]
    return " ".join(parts)


def around(kind: str, draw) -> str:
    return grammar.say(draw.choice(load().around[kind]), {}, load().lists, draw)


def surrounded(question: str, draw) -> str:
    """With an opening, a greeting, a closing and a sentence before, or without."""
    if draw.random() < OPENED:
        question = f"{around('opening', draw)} {question}"
    if draw.random() < GREETED:
        question = f"{around('greeting', draw)} {question}"
    if draw.random() < CLOSED:
        comma = "," if draw.random() < 0.5 else ""
        question = f"{question}{comma} {around('closing', draw)}"
    return question


def typed(question: str, draw) -> str:
    """Capitals and marks as people set them, and slips."""
    share = draw.random()
    _, capital, mark, small = next(row for row in TYPED if share < row[0])
    imperative = re.split(r"\W", question, maxsplit=1)[0] in load().words["imperative"]
    if small:
        question = question.lower()
    elif capital:
        question = question[:1].upper() + question[1:]
        question = re.sub(r"\bi\b", "I", question)
    if mark and question[-1] not in ".?!":
        question += "." if imperative else "?"
    if draw.random() < MISTYPED:
        question = mistyped(question, draw)
    if draw.random() < HURRIED:
        question = hurried(question, draw)
    if draw.random() < EXPLAINED:
        sentence = around("context", draw)
        question = f"{sentence[0].upper()}{sentence[1:]} {question}"
    return question
