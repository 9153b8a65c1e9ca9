"""The stages of training, and the endless streams of pages that each of them sees."""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

import data
import dense_pages
import jumbled
import seeds
import worlds
from packing import Packer
from style import FREE, NARROW, WIDE, Style
from tokens import load_tokenizer

# "Read all the text." is long; in every picture it would take most of the loss.
READ_SHARE = 0.3


@dataclass(frozen=True)
class Stage:
    """`style`: how varied the pages look. `blank_drop`: the chance that a patch without ink is left
    out of the prompt, its position kept: half the length, twice the pictures. The last stage must
    see all patches. `reads_first`: the share of pages that ask for all their text at once.
    `jumbled`: the share of pages, of the worlds that came first, whose questions have words changed
    at random and teach no answer."""

    style: Style
    blank_drop: float
    learning_rate: float
    vision_rate: float
    reads_first: float = 0.0
    jumbled: float = 0.0


HALF_PHOTOGRAPHED = Style(wide=True, photo_share=0.5)
STAGES = {
    "read": Stage(NARROW, blank_drop=0.9, learning_rate=1e-3, vision_rate=3e-4),
    "widen": Stage(WIDE, blank_drop=0.9, learning_rate=5e-4, vision_rate=3e-4),
    "photograph": Stage(HALF_PHOTOGRAPHED, blank_drop=0.9, learning_rate=5e-4, vision_rate=3e-4),
    "converse": Stage(FREE, blank_drop=0.9, learning_rate=5e-4, vision_rate=3e-4),
    "finish": Stage(WIDE, blank_drop=0.0, learning_rate=2e-4, vision_rate=1e-4),
    "finish-free": Stage(FREE, blank_drop=0.0, learning_rate=2e-4, vision_rate=1e-4),
    "finish-narrow": Stage(NARROW, blank_drop=0.0, learning_rate=2e-4, vision_rate=1e-4),
}


class QuestionPages(IterableDataset):
    """Endless (example, character labels, shape labels) from the training seeds."""

    def __init__(self, stage: Stage, start: int):
        self.stage, self.start = stage, start
        self.packer = Packer(load_tokenizer(), read_share=READ_SHARE, first_share=stage.reads_first)

    def style_of(self, seed: int) -> Style:
        return self.stage.style

    def blank_drop(self) -> float:
        return self.stage.blank_drop

    def __iter__(self):
        for seed in worker_seeds(seeds.TRAINING, self.start):
            yield self.example(seed)

    def example(self, seed: int) -> tuple:
        page = worlds.sample(seed, style=self.style_of(seed))
        draw = random.Random(seed ^ 0x70B1E)
        is_jumbled = draw.random() < self.stage.jumbled and page.world in worlds.WORLDS
        if is_jumbled:
            page = jumbled.jumble_page(page, draw)
        example = data.make_example(self.packer, page, seed, self.blank_drop())
        if is_jumbled:
            example = example._replace(sequence=example.sequence.unlabelled())
        return example, *labels_of(page.canvas)


class DensePages(IterableDataset):
    """Endless (pixels, character labels, shape labels) for the vision tower alone."""

    def __init__(self, stage: Stage, start: int):
        self.stage, self.start = stage, start

    def style_of(self, seed: int) -> Style:
        return self.stage.style

    def __iter__(self):
        for seed in worker_seeds(seeds.DENSE_PAGES, self.start):
            canvas = dense_pages.sample(seed, self.style_of(seed))
            yield torch.from_numpy(canvas.pixels()).permute(2, 0, 1), *labels_of(canvas)


def worker_seeds(split: range, start: int):
    worker = get_worker_info()
    return seeds.stream(split, start, *((worker.id, worker.num_workers) if worker else (0, 1)))


def labels_of(canvas) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.from_numpy(a.astype(np.int64)) for a in (canvas.characters, canvas.shapes))


def collate(rows):
    examples, characters, shapes = zip(*rows)
    return data.collate(list(examples)), torch.stack(characters), torch.stack(shapes)
