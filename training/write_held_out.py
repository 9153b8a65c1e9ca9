"""Digests of the questions of talk.txt, talk-validation.txt and the gallery (held_out.py).

    python3 write_held_out.py
"""

import itertools
import json
from collections.abc import Iterator

import talk
import vocabulary
from alone import GALLERY
from held_out import FILE, OPEN, bare, digest

# What a question may name with a small letter.
SMALL_NAMES = frozenset(
    {
        *(name.lower() for name in (*vocabulary.ITEMS, *vocabulary.CATEGORIES)),
        *vocabulary.COLORS,
        *vocabulary.ORDINALS,
        *itertools.chain(*((shape, f"{shape}s", f"{shape}es") for shape in vocabulary.SHAPES)),
    }
)


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
    for name in talk.SETS:
        yield from (asked.turn.question for asked in talk.questions(name))
    for line in GALLERY.read_text(encoding="utf-8").splitlines():
        yield from (turn["question"] for turn in json.loads(line)["turns"])


def every_digest() -> list[str]:
    return sorted({digest(form) for question in questions() for form in forms(question)})


if __name__ == "__main__":
    FILE.write_text("\n".join(every_digest()) + "\n", encoding="utf-8")
