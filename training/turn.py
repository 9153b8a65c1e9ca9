"""A question about a page and its exact answer."""

from typing import NamedTuple


class Turn(NamedTuple):
    question: str
    answer: str
