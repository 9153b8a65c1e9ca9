"""Questions that no generator may ask: those of talk.txt, talk-validation.txt and the gallery.

    python3 held_out.py     # writes wording/held-out.txt anew

The file holds digests, not words: of each question, and of each with what it may name left open, so
that the same words about something else are not asked either.
"""

import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import vocabulary

FILE = Path(__file__).resolve().parent / "wording" / "held-out.txt"
GALLERY = Path(__file__).resolve().parents[1] / "e2e" / "gallery" / "questions.jsonl"
OPEN = " anyname "
# What a question may name with a small letter.
SMALL_NAMES = frozenset(
    {
        *(name.lower() for name in (*vocabulary.ITEMS, *vocabulary.CATEGORIES)),
        *vocabulary.COLORS,
        *vocabulary.ORDINALS,
        *itertools.chain(*((shape, f"{shape}s", f"{shape}es") for shape in vocabulary.SHAPES)),
    }
)


def bare(question: str) -> str:
    """Small letters, digits and single spaces."""
    return re.sub(r"[^a-z0-9]+", " ", question.lower().replace("'", "")).strip()


def digest(question: str) -> str:
    return hashlib.sha256(bare(question).encode()).hexdigest()[:12]


@functools.cache
def digests() -> frozenset[str]:
    return frozenset(FILE.read_text(encoding="utf-8").split())


def is_held_out(question: str, names: tuple[str, ...] = ()) -> bool:
    """Whether the question is held out, as it stands or with all `names` left open."""
    opened = question
    for name in sorted(filter(None, names), key=len, reverse=True):
        opened = opened.replace(name, OPEN)
    return not digests().isdisjoint((digest(question), digest(opened)))


def forms(question: str) -> Iterator[str]:
    """The question, and the question with one or two of the things it may name left open."""
    yield question
    words = question.split(" ")
    runs = [range(i, i + n) for n in (1, 2) for i in range(len(words) - n + 1)]
    runs = [run for run in runs if may_be_name(words[run.start])]
    for chosen in (*((run,) for run in runs), *itertools.combinations(runs, 2)):
        left_open = set(itertools.chain(*chosen))
        starts = {run.start for run in chosen}
        kept = (OPEN if i in starts else "" if i in left_open else w for i, w in enumerate(words))
        yield " ".join(kept)


def may_be_name(word: str) -> bool:
    start = word.lstrip("$#'\"(")
    return start[:1].isdigit() or start[:1].isupper() or bare(word) in SMALL_NAMES


def questions() -> Iterator[str]:
    import talk  # it draws pages, which no drawing process needs

    for name in talk.SETS:
        yield from (asked.turn.question for asked in talk.questions(name))
    for line in GALLERY.read_text(encoding="utf-8").splitlines():
        yield from (turn["question"] for turn in json.loads(line)["turns"])


def every_digest() -> list[str]:
    return sorted({digest(form) for question in questions() for form in forms(question)})


if __name__ == "__main__":
    FILE.write_text("\n".join(every_digest()) + "\n", encoding="utf-8")
