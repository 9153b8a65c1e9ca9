"""Questions that no generator may ask, by the digests that write_held_out.py wrote.

There is one digest of each question, and of each with what it may name left open, so that the same
words about something else are not asked either.
"""

import functools
import hashlib
import re
from pathlib import Path

FILE = Path(__file__).resolve().parent / "wording" / "held-out.txt"
OPEN = " anyname "


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
