"""Pages as training sequences: about nine question-answer turns about one picture, packed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tokenizers import Tokenizer

import worlds
from supervision import NOWHERE, READ_ALL, locate, question_words
from tokens import BEGIN, END, FRAME, GLOBAL, IMAGE, VISUAL_TOKENS
from turn import Turn

MAX_TURNS = 12
# Tokens of text after the image; turns that do not fit are left out.
MAX_TEXT = 460
# The label of an id that is no part of an answer.
IGNORED = -100
LATER_TURN = "User: "


class AnswerSpan(NamedTuple):
    """Ids [start, end) of an answer, its end-of-turn token included."""

    question: str
    start: int
    end: int


@dataclass
class Sequence:
    """One packed conversation. All lists are of the length of `ids`.

    `labels`: the id where an answer stands, else IGNORED; `weights`: 1/√length of the answer, so
    that long ones do not drown the others; `copied`: the patch that shows an answer's token;
    `named`: the patch that shows a word of the question; `about`: at an answer's first token, the
    place in `ids` of the word that the question is about. NOWHERE where there is none.
    """

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    copied: list[int] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    about: list[int] = field(default_factory=list)
    answers: list[AnswerSpan] = field(default_factory=list)

    def extend(self, ids, *, labels=None, weight=0.0, copied=None, named=None, about=NOWHERE):
        count = len(ids)
        self.ids += ids
        self.labels += labels or [IGNORED] * count
        self.weights += [weight] * count
        self.copied += copied or [NOWHERE] * count
        self.named += named or [NOWHERE] * count
        self.about += [about] + [NOWHERE] * (count - 1)

    def unlabelled(self) -> "Sequence":
        """The same ids and answers, of which nothing is taught."""
        count = len(self.ids)
        nowhere = [NOWHERE] * count
        return Sequence(
            self.ids, [IGNORED] * count, [0.0] * count, nowhere, nowhere, nowhere, self.answers
        )


class Packer:
    """Builds sequences. `read_share`: the share of pages that keep "Read all the text." as their
    last question; `first_share`: the share of pages that ask it first instead."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        max_text: int = MAX_TEXT,
        read_share: float = 1.0,
        first_share: float = 0.0,
    ):
        self.tokenizer = tokenizer
        self.max_text = max_text
        self.read_share, self.first_share = read_share, first_share
        user = tokenizer.encode("User:").ids
        self.header = [BEGIN, *user, FRAME, GLOBAL, *[IMAGE] * VISUAL_TOKENS, FRAME]
        self.assistant = tokenizer.encode("\nAssistant:").ids
        self.newline = tokenizer.encode("\n").ids

    def pack(self, page: worlds.Page, seed: int) -> Sequence:
        sequence = Sequence()
        sequence.extend(self.header)
        for index, turn in enumerate(self.choose_turns(page, seed)):
            self.append_turn(sequence, page, turn, first=index == 0)
        return sequence

    def choose_turns(self, page: worlds.Page, seed: int) -> list[Turn]:
        turns = page.turns
        if page.meaning(turns[-1].question) == READ_ALL:
            if seed % 101 < 101 * self.first_share:
                return [turns[-1], *turns[:-1]][:MAX_TURNS]
            if seed % 97 >= 97 * self.read_share:
                turns = turns[:-1]
        return turns if len(turns) <= MAX_TURNS else [*turns[: MAX_TURNS - 1], turns[-1]]

    def append_turn(self, sequence: Sequence, page: worlds.Page, turn: Turn, first: bool) -> None:
        prefix = "" if first else LATER_TURN
        question = self.tokenizer.encode(prefix + turn.question)
        asked = [*question.ids, END, *self.assistant]
        answer = self.tokenizer.encode(f" {turn.answer}")
        answered = [*answer.ids, END]
        used = len(sequence.ids) - len(self.header)
        if not first and used + len(asked) + len(answered) > self.max_text:
            return
        named, word = self.name_words(page, turn.question, question.offsets, len(prefix))
        about = NOWHERE if word is None else len(sequence.ids) + word
        named += [NOWHERE] * (len(asked) - len(named))
        sequence.extend(asked, named=named)
        start = len(sequence.ids)
        located = locate(page.canvas, page.meaning(turn.question), turn.answer)
        copied = self.copy_patches(located, answer.offsets)
        sequence.extend(
            answered,
            labels=answered,
            weight=len(answered) ** -0.5,
            copied=[*copied, NOWHERE],
            about=about,
        )
        sequence.answers.append(AnswerSpan(turn.question, start, len(sequence.ids)))
        sequence.extend(self.newline)

    @staticmethod
    def name_words(
        page: worlds.Page, question: str, offsets, shift: int
    ) -> tuple[list[int], int | None]:
        """Per question token the patch that shows it, and the last token that has one."""
        named, word = [NOWHERE] * len(offsets), None
        meaning = page.meaning(question)
        for start, end, patches in question_words(page.canvas, question, meaning):
            for token, (left, right) in enumerate(offsets):
                inside = range(max(left - shift, start), min(right - shift, end))
                patch = next((p for c in inside if (p := patches[c - start]) >= 0), None)
                if patch is not None:
                    named[token], word = patch, token
        return named, word

    @staticmethod
    def copy_patches(patches: list[int] | None, offsets) -> list[int]:
        """Per answer token the first patch of its characters; a space precedes the answer."""
        copied = [NOWHERE] * len(offsets)
        for token, (left, right) in enumerate(offsets if patches else ()):
            inside = patches[max(left, 1) - 1 : right - 1]
            copied[token] = next((patch for patch in inside if patch >= 0), NOWHERE)
        return copied
