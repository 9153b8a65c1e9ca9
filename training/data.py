"""Pages as training sequences: about nine question-answer turns about one picture, packed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import seeds
import torch
import worlds
from canvas import inked_patches
from supervision import NOWHERE, READ_ALL, locate, question_words
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TOKENIZER_FILE = Path(__file__).resolve().parent / "tokenizer.json"
VOCABULARY_SIZE = 768
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
    "<pad>",
]
BEGIN, END, IMAGE, FRAME, GLOBAL = 1, 2, 3, 4, 5
VISUAL_TOKENS = 576
MAX_TURNS = 12
# Tokens of text after the image; turns that do not fit are left out.
MAX_TEXT = 460
IGNORED = -100
LATER_TURN = "User: "


def load_tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER_FILE))


def train_tokenizer(pages: int = 4000) -> Tokenizer:
    """Byte-level BPE of 768 entries, digits one by one, from the questions and answers of pages."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = list(worlds.WORLDS)

    def texts():
        for index in range(pages):
            page = worlds.sample(seeds.TOKENIZER[index], names[index % len(names)])
            yield from (turn.question for turn in page.turns)
            yield from (f" {turn.answer}" for turn in page.turns[:3])

    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=20,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


class AnswerSpan(NamedTuple):
    """Ids [start, end) of an answer, its end-of-turn token included."""

    question: str
    start: int
    end: int


@dataclass
class Sequence:
    """One packed conversation. All lists are of the length of `ids`.

    `labels`: the id where an answer stands, else IGNORED; `weights`: 1/√length of the answer, so that
    long ones do not drown the others; `copied`: the patch that shows an answer's token; `named`: the
    patch that shows a word of the question; `about`: at an answer's first token, the place in `ids`
    of the word that the question is about. NOWHERE where there is none.
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


class Packer:
    """Builds sequences. `read_share`: how many in a hundredth of pages keep "Read all the text."."""

    def __init__(self, tokenizer: Tokenizer, max_text: int = MAX_TEXT, read_share: float = 1.0):
        self.tokenizer = tokenizer
        self.max_text = max_text
        self.read_share = read_share
        user = tokenizer.encode("User:").ids
        self.header = [BEGIN, *user, FRAME, GLOBAL, *[IMAGE] * VISUAL_TOKENS, FRAME]
        self.assistant = tokenizer.encode("\nAssistant:").ids
        self.newline = tokenizer.encode("\n").ids

    def pack(self, page: worlds.Page, seed: int) -> Sequence:
        sequence = Sequence()
        sequence.extend(self.header)
        for index, turn in enumerate(self.choose_turns(page.turns, seed)):
            self.append_turn(sequence, page.canvas, turn, first=index == 0)
        return sequence

    def choose_turns(self, turns: list, seed: int) -> list:
        keeps_reading = seed % 97 < 97 * self.read_share
        if turns[-1].question == READ_ALL and not keeps_reading:
            turns = turns[:-1]
        return turns if len(turns) <= MAX_TURNS else [*turns[: MAX_TURNS - 1], turns[-1]]

    def append_turn(self, sequence: Sequence, canvas, turn, first: bool) -> None:
        prefix = "" if first else LATER_TURN
        question = self.tokenizer.encode(prefix + turn.question)
        asked = [*question.ids, END, *self.assistant]
        answer = self.tokenizer.encode(f" {turn.answer}")
        answered = [*answer.ids, END]
        used = len(sequence.ids) - len(self.header)
        if not first and used + len(asked) + len(answered) > self.max_text:
            return
        named, word = self.name_words(canvas, turn.question, question.offsets, len(prefix))
        about = NOWHERE if word is None else len(sequence.ids) + word
        named += [NOWHERE] * (len(asked) - len(named))
        sequence.extend(asked, named=named)
        start = len(sequence.ids)
        copied = self.copy_patches(locate(canvas, turn.question, turn.answer), answer.offsets)
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
    def name_words(canvas, question: str, offsets, shift: int) -> tuple[list[int], int | None]:
        """Per question token the patch that shows it, and the last token that has one."""
        named, word = [NOWHERE] * len(offsets), None
        for start, end, patches in question_words(canvas, question):
            for token, (left, right) in enumerate(offsets):
                inside = range(max(left - shift, start), min(right - shift, end))
                patch = next((p for c in inside if (p := patches[c - start]) >= 0), None)
                if patch is not None:
                    named[token], word = patch, token
        return named, word

    @staticmethod
    def copy_patches(patches: list[int] | None, offsets) -> list[int]:
        """Per answer token the first patch of its characters; answers are encoded behind a space."""
        copied = [NOWHERE] * len(offsets)
        for token, (left, right) in enumerate(offsets if patches else ()):
            inside = patches[max(left, 1) - 1 : right - 1]
            copied[token] = next((patch for patch in inside if patch >= 0), NOWHERE)
        return copied


class Example(NamedTuple):
    """`kept`: the patches, ascending, whose visual tokens stay in the prompt."""

    pixels: torch.Tensor
    sequence: Sequence
    kept: np.ndarray


def make_example(packer: Packer, page: worlds.Page, seed: int, blank_drop: float) -> Example:
    """`blank_drop`: the chance that a patch without ink is left out (1: all of them are)."""
    pixels = page.canvas.pixels()
    lucky = np.random.default_rng(seed).random(VISUAL_TOKENS) >= blank_drop
    kept = np.nonzero(inked_patches(pixels) | lucky)[0]
    return Example(
        torch.from_numpy(pixels).permute(2, 0, 1), packer.pack(page, seed), kept
    )


class Batch(NamedTuple):
    """Sequences without their dropped visual tokens, padded to a multiple of 32.

    `pixels` [B, 3, 384, 384] uint8; the rest is [B, T]. `positions` are the places that the tokens
    had before anything was dropped; `patches` tells which patch a visual token is (else NOWHERE);
    `copied`, `named` and `about` are places in the row itself.
    """

    pixels: torch.Tensor
    ids: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    positions: torch.Tensor
    patches: torch.Tensor
    copied: torch.Tensor
    named: torch.Tensor
    about: torch.Tensor


PADDING = {"ids": 0, "labels": IGNORED, "weights": 0.0, "positions": 0}


def collate(examples: list[Example]) -> Batch:
    rows = [drop_rows(example) for example in examples]
    length = max(len(row["ids"]) for row in rows)
    length += -length % 32
    columns = {}
    for name in Batch._fields[1:]:
        dtype = torch.float32 if name == "weights" else torch.long
        column = torch.full((len(rows), length), PADDING.get(name, NOWHERE), dtype=dtype)
        for index, row in enumerate(rows):
            column[index, : len(row[name])] = torch.as_tensor(row[name], dtype=dtype)
        columns[name] = column
    return Batch(torch.stack([example.pixels for example in examples]), **columns)


def drop_rows(example: Example) -> dict[str, np.ndarray]:
    """The sequence as arrays, with the visual tokens in `kept` only."""
    sequence, kept = example.sequence, example.kept
    first = sequence.ids.index(IMAGE)
    total = len(sequence.ids)
    places = np.concatenate(
        [np.arange(first), first + kept, np.arange(first + VISUAL_TOKENS, total)]
    )
    new_place = np.full(total + 1, NOWHERE)  # one more, so that NOWHERE stays NOWHERE
    new_place[places] = np.arange(len(places))
    patches = np.full(len(places), NOWHERE)
    patches[first : first + len(kept)] = kept

    def pick(values) -> np.ndarray:
        return np.asarray(values)[places]

    def patch_places(values) -> np.ndarray:
        wanted = pick(values)
        return np.where(wanted >= 0, new_place[first + wanted], NOWHERE)

    return {
        "ids": pick(sequence.ids),
        "labels": pick(sequence.labels),
        "weights": pick(sequence.weights),
        "positions": places,
        "patches": patches,
        "copied": patch_places(sequence.copied),
        "named": patch_places(sequence.named),
        "about": new_place[pick(sequence.about)],
    }


def embed(model, features: torch.Tensor, batch: Batch) -> torch.Tensor:
    """[B, T, width]: token embeddings, visual tokens replaced by projected patch features."""
    x = model.decoder.embedding(batch.ids)
    visual = batch.patches >= 0
    row = visual.nonzero()[:, 0]
    projected = model.decoder.projection(features)[row, batch.patches[visual]]
    return x.masked_scatter(visual[..., None], projected.to(x.dtype))


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.float() / 127.5 - 1
