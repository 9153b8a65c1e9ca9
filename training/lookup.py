"""Teaches look-up alone: from a label to a value that stands far from it.

    python3 lookup.py --start ../public/models/keepsight-mini --run runs/lookup --hours 1.5

The vision tower is frozen, so a page's features are computed once and used for `--visits` steps
with other questions in another order; a step then costs the decoder alone. An answer's first token
is taught where to look in the layers that can know it, and two linear heads, which are dropped at
the end, name row and column from the residual stream: at a word of the question, where the page
shows it; at an answer's start, where the answer begins. The learning rate falls linearly to
nothing.

Interrupt it and give the same command again, as with train.py; the folder of a run holds the same.
"""

import argparse
import random
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import seeds
import worlds
from canvas import GRID
from losses import TAPS, answer_loss, attention_loss
from packing import IGNORED, Packer
from stages import Stage
from style import NARROW
from supervision import LISTINGS, NOWHERE, READ_ALL
from tokens import load_tokenizer
from train import GRADIENT_NORM, Trainer, add_common

STAGE = Stage(NARROW, blank_drop=0.9, learning_rate=1.5e-4, vision_rate=0.0)
HEAD_RATE = 1e-3
WARMUP_STEPS = 40
# Pages whose features are held at once, and one batch in so many that sees all patches.
BLOCK = 192
WHOLE_EVERY = 5
# How often each world is drawn: most where the value is far from its label, the rest as rehearsal.
SHARES = {"receipt": 0.35, "chart": 0.3, "card": 0.11, "shapes": 0.14, "words": 0.1}
# How often a visit keeps its questions with long answers.
LONG_SHARE = {READ_ALL: 0.08, **dict.fromkeys((*LISTINGS, "List the shapes."), 0.3)}
# At an answer's start, the first layer's copying head cannot know where to look.
START_LAYERS = TAPS["copy"][1][1:]
# Blocks after which the place heads read the residual stream.
WORD_BLOCK, START_BLOCK = 3, 4
HOOKED = (WORD_BLOCK, START_BLOCK)
WEIGHTS = {"answer": 1.0, "start": 0.5, "copy": 0.15, "about": 0.1, "named": 0.3, "places": 0.25}


class Visit(NamedTuple):
    """One page of one batch; `feature` is its place in the block's features."""

    example: data.Example
    feature: int


class PlaceHeads(nn.Module):
    """Linear heads naming row and column: after WORD_BLOCK for words, START_BLOCK for answers."""

    def __init__(self, width: int = 256):
        super().__init__()
        self.word, self.start = nn.Linear(width, 2 * GRID), nn.Linear(width, 2 * GRID)

    @staticmethod
    def loss(head: nn.Linear, residual, places, patches):
        """Cross-entropy of row plus column. places [B, T] bool; patches [B, T]: the answers."""
        if not places.any():
            return residual.sum() * 0
        at = residual[places]
        logits, wanted = head(F.rms_norm(at, at.shape[-1:])), patches[places]
        row = F.cross_entropy(logits[:, :GRID], wanted // GRID)
        return row + F.cross_entropy(logits[:, GRID:], wanted % GRID)


def starts_of(batch: data.Batch) -> torch.Tensor:
    """[B, T] bool: places from which an answer's first token is predicted."""
    answered = batch.labels != IGNORED
    starts = torch.zeros_like(answered)
    starts[:, :-1] = answered[:, 1:] & ~answered[:, :-1]
    return starts


def patches_at(batch: data.Batch, places: torch.Tensor) -> torch.Tensor:
    """[B, T] places in the row → the patches that stand there; NOWHERE stays."""
    return batch.patches.gather(1, places.clamp(min=0)).masked_fill(places < 0, NOWHERE)


def lookup_loss(model, heads: PlaceHeads, features, batch: data.Batch):
    """The whole loss of one step, and its parts for the log. `features` [B, 576, 192]"""
    residual = {}

    def keep(layer):
        return lambda _module, _inputs, output: residual.__setitem__(layer, output)

    hooks = [model.decoder.blocks[b].register_forward_hook(keep(b)) for b in HOOKED]
    hidden = model.decoder.hidden(data.embed(model, features, batch), batch.positions)
    for hook in hooks:
        hook.remove()
    answer, accuracy = answer_loss(model, hidden, batch)
    starts = starts_of(batch)
    next_copied = F.pad(batch.copied[:, 1:], (0, 1), value=NOWHERE)
    first = next_copied.masked_fill(~starts, NOWHERE)
    looks = {
        "start": (0, START_LAYERS, first),
        "copy": (0, TAPS["copy"][1], next_copied.masked_fill(starts, NOWHERE)),
        "about": (*TAPS["about"], batch.about[:, 1:]),
        "named": (*TAPS["named"], batch.named),
    }
    parts = {"answer": answer}
    for name, (head, layers, targets) in looks.items():
        taps = [model.decoder.blocks[layer].tap[head] for layer in layers]
        parts[name] = sum(attention_loss(tap, targets) for tap in taps) / len(layers)
    named, begun = patches_at(batch, batch.named), patches_at(batch, first)
    word = heads.loss(heads.word, residual[WORD_BLOCK], named >= 0, named)
    begin = heads.loss(heads.start, residual[START_BLOCK], begun >= 0, begun)
    parts["places"] = word + begin
    total = sum(WEIGHTS[name] * value for name, value in parts.items())
    parts |= {"wordPlace": word, "startPlace": begin, "tokenAccuracy": accuracy}
    return total, {name: value.detach() for name, value in parts.items()}


class Block:
    """Pages drawn once, and their features, for several visits."""

    def __init__(self, number: int, size: int = BLOCK):
        self.draw = random.Random(number)
        self.packer = Packer(load_tokenizer())
        indices = range(number * size, (number + 1) * size)
        self.seeds = [seeds.TRAINING[index % len(seeds.TRAINING)] for index in indices]
        names = self.draw.choices(list(SHARES), list(SHARES.values()), k=size)
        self.pages = [worlds.sample(s, name, STAGE.style) for s, name in zip(self.seeds, names)]

    @torch.no_grad()
    def see(self, tower, batch: int) -> torch.Tensor:
        """[pages, 576, 192]: the tower's features of every page."""
        pixels = [torch.from_numpy(p.canvas.pixels()).permute(2, 0, 1) for p in self.pages]
        batches = (torch.stack(pixels[i : i + batch]) for i in range(0, len(pixels), batch))
        return torch.cat([tower(data.normalise(each)) for each in batches])

    def batches(self, visits: int, batch: int):
        """Lists of visits that show each page `visits` times, similar lengths together."""
        for time in range(visits):
            order = self.draw.sample(range(len(self.pages)), len(self.pages))
            for at in range(0, len(order), 4 * batch):
                found = [self.visit(index, time) for index in order[at : at + 4 * batch]]
                found.sort(key=length)
                groups = [found[i : i + batch] for i in range(0, len(found), batch)]
                yield from self.draw.sample(groups, len(groups))

    def visit(self, index: int, time: int) -> Visit:
        page, seed = self.pages[index], self.seeds[index] + time
        turns = [t for t in page.turns if self.draw.random() < LONG_SHARE.get(t.question, 1.0)]
        self.draw.shuffle(turns)
        asked = page._replace(turns=turns or page.turns[:1])
        return Visit(data.make_example(self.packer, asked, seed, STAGE.blank_drop), index)


def length(visit: Visit) -> int:
    return len(visit.example.sequence.ids) + len(visit.example.kept)


class LookupTrainer(Trainer):
    def __init__(self, options):
        self.heads = PlaceHeads()
        super().__init__(options, STAGE)
        self.heads.to(self.device)
        self.model.vision.requires_grad_(False)
        self.model.dense_head.requires_grad_(False)

    def make_optimizer(self) -> torch.optim.Optimizer:
        matrices = [p for p in self.model.decoder.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.decoder.parameters() if p.dim() <= 1]
        rate = self.options.rate
        groups = [
            {"params": matrices, "peak": rate, "weight_decay": 0.01, "warms": True},
            {"params": vectors, "peak": rate, "weight_decay": 0.0, "warms": True},
            {
                "params": list(self.heads.parameters()),
                "peak": HEAD_RATE,
                "weight_decay": 0.0,
                "warms": False,
            },
        ]
        return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)

    def restore_weights(self) -> None:
        super().restore_weights()
        if self.saved:
            self.heads.load_state_dict(self.saved["heads"])

    def extras(self) -> dict:
        return {"heads": self.heads.state_dict()}

    def set_learning_rate(self, done: float) -> None:
        """Linear down to nothing; the decoder waits for the new heads during WARMUP_STEPS."""
        warm = min(1.0, (self.progress.step + 1) / WARMUP_STEPS)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(0.0, 1 - done) * (warm if group["warms"] else 1.0)

    def batches(self):
        """Endless (features, batch); an interrupted run goes on with a block not seen yet."""
        options, count = self.options, 0
        while True:
            number = self.progress.first_picture // options.block + self.progress.pages
            self.progress.pages += 1
            block = Block(number, options.block)
            features = block.see(lambda pixels: self.model.vision(pixels.to(self.device)), 8)
            for visits in block.batches(options.visits, options.batch):
                count += 1
                if count % WHOLE_EVERY == 0:
                    visits = [whole(visit) for visit in visits]
                batch = data.collate([visit.example for visit in visits])
                yield features[[visit.feature for visit in visits]], batch

    def step(self, features: torch.Tensor, batch: data.Batch) -> dict:
        batch = data.Batch(*(t.to(self.device) for t in batch))
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            loss, parts = lookup_loss(self.model, self.heads, features, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.decoder.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.progress.pictures += len(batch.ids)
        return parts


def whole(visit: Visit) -> Visit:
    """With every patch, as the app sees pages."""
    return visit._replace(example=visit.example._replace(kept=np.arange(GRID * GRID)))


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_common(parser.add_argument)
    add = parser.add_argument
    add("--rate", type=float, default=STAGE.learning_rate, help="peak learning rate")
    add("--visits", type=int, default=3, help="how often a page's features are used")
    add("--block", type=int, default=BLOCK, help="pages whose features are held at once")
    parser.set_defaults(stage="lookup", workers=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    LookupTrainer(parse()).run()
