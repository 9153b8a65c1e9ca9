"""Batches: packed sequences without the visual tokens that were dropped from them."""

from typing import NamedTuple

import numpy as np
import torch

import worlds
from canvas import inked_patches
from packing import IGNORED, Packer, Sequence
from supervision import NOWHERE
from tokens import IMAGE, VISUAL_TOKENS


class Example(NamedTuple):
    """`kept`: the patches, ascending, whose visual tokens stay in the prompt."""

    pixels: torch.Tensor
    sequence: Sequence
    kept: np.ndarray


def make_example(packer: Packer, page: worlds.Page, seed: int, blank_drop: float) -> Example:
    """`blank_drop`: the chance that a patch without ink is left out (1: all of them are)."""
    pixels = page.canvas.pixels()
    lucky = np.random.default_rng(seed).random(VISUAL_TOKENS) >= blank_drop
    kept = np.nonzero(inked_patches(page.canvas.ink_pixels()) | lucky)[0]
    return Example(torch.from_numpy(pixels).permute(2, 0, 1), packer.pack(page, seed), kept)


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
