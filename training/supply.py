"""Batches for a GPU that trains faster than the CPU draws: new ones as they come, else older ones.

Every batch that the drawing processes finish is brought to the device and kept there for a while.
A step that finds no new one ready sees an older one again.
"""

import os
import queue
import random
import threading
from multiprocessing import Value

import torch
from torch.utils.data import DataLoader

import seeds
from stages import DensePages, QuestionPages, Stage, worker_seeds
from style import (
    NARROW,
    RICH,
    RICH_PHOTOGRAPHED,
    SPOKEN,
    SPOKEN_PHOTOGRAPHED,
    VARIED,
    VARIED_PHOTOGRAPHED,
    WIDE,
    Style,
)

# (upper end of the share, style) of the pages that are asked about.
Mixture = tuple[tuple[float, Style], ...]
BROAD: Mixture = ((0.20, NARROW), (0.45, WIDE), (0.92, RICH), (1.0, RICH_PHOTOGRAPHED))
TALK: Mixture = ((0.10, NARROW), (0.20, WIDE), (0.98, RICH), (1.0, RICH_PHOTOGRAPHED))
SPEAK: Mixture = (
    (0.10, NARROW),
    (0.24, WIDE),
    (0.38, RICH),
    (0.90, SPOKEN),
    (1.0, SPOKEN_PHOTOGRAPHED),
)
# Three pages in ten rehearse what the weights can do; four are of the worlds added last.
VARY: Mixture = (
    (0.04, NARROW),
    (0.09, WIDE),
    (0.14, RICH),
    (0.26, SPOKEN),
    (0.30, SPOKEN_PHOTOGRAPHED),
    (0.94, VARIED),
    (1.0, VARIED_PHOTOGRAPHED),
)
# Three pages in ten are of the worlds added last; the rest rehearses.
SETTLE: Mixture = (
    (0.05, NARROW),
    (0.12, WIDE),
    (0.24, RICH),
    (0.27, RICH_PHOTOGRAPHED),
    (0.62, SPOKEN),
    (0.70, SPOKEN_PHOTOGRAPHED),
    (0.96, VARIED),
    (1.0, VARIED_PHOTOGRAPHED),
)
# A quarter is of the worlds added last; two thirds of the rest are in people's own words.
RECALL: Mixture = (
    (0.05, NARROW),
    (0.11, WIDE),
    (0.20, RICH),
    (0.25, RICH_PHOTOGRAPHED),
    (0.65, SPOKEN),
    (0.74, SPOKEN_PHOTOGRAPHED),
    (0.96, VARIED),
    (1.0, VARIED_PHOTOGRAPHED),
)
# One dense page in so many is narrow.
NARROW_EVERY = 3
# Drawing yields to the thread that feeds the GPU.
DRAWING_NICENESS = 15
POLL_SECONDS = 0.5


class MixedPages(QuestionPages):
    """Pages in a mixture of styles; `drop` is shared with the drawing processes."""

    def __init__(self, stage: Stage, start: int, mixture: Mixture, drop):
        super().__init__(stage, start)
        self.mixture, self.drop = mixture, drop

    def style_of(self, seed: int) -> Style:
        share = random.Random(seed ^ 0x5EED).random()
        return next(style for end, style in self.mixture if share < end)

    def blank_drop(self) -> float:
        return self.drop.value

    def __iter__(self):
        """A page that cannot be drawn is reported and left out; it does not end the run."""
        for seed in worker_seeds(seeds.TRAINING, self.start):
            try:
                yield self.example(seed)
            except Exception as error:
                print(f"page {seed} left out: {error!r}", flush=True)


class MixedDensePages(DensePages):
    def style_of(self, seed: int) -> Style:
        return WIDE if seed % NARROW_EVERY else NARROW


def shared_drop(share: float):
    """The chance that a blank patch is left out, as drawing processes see it."""
    return Value("d", share)


def loader(pages, batch: int, workers: int, device: str, collate=None) -> DataLoader:
    options = {"prefetch_factor": 2, "worker_init_fn": draw_politely} if workers else {}
    return DataLoader(
        pages,
        batch_size=batch,
        num_workers=workers,
        pin_memory=device == "cuda",
        collate_fn=collate,
        **options,
    )


def draw_politely(_worker: int) -> None:
    torch.set_num_threads(1)
    os.nice(DRAWING_NICENESS)


class Stream:
    """A loader's batches on the device. `memory`: how many older ones are kept; `uses`: how often
    each is seen at most; `least`: with fewer to choose from it waits for a new one."""

    def __init__(self, source, device: str, *, ready=6, memory=120, uses=3.0, least=8):
        self.device, self.memory, self.uses, self.least = device, memory, uses, least
        self.fresh = self.again = 0
        self.kept: list[list] = []  # [batch, uses so far]
        self.ready: queue.Queue = queue.Queue(maxsize=ready)
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self.fill, args=(source,), daemon=True)
        self.thread.start()

    def fill(self, source) -> None:
        try:
            for batch in source:
                if not self.offer(to_device(batch, self.device)):
                    return
        except Exception as error:  # raised by next(), in the thread that trains
            self.offer(error)

    def offer(self, batch) -> bool:
        while not self.closed.is_set():
            try:
                self.ready.put(batch, timeout=POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def next(self):
        self.kept = [entry for entry in self.kept if entry[1] < self.uses][-self.memory :]
        try:
            batch = self.ready.get(block=len(self.kept) < self.least)
        except queue.Empty:
            entry = random.choice(self.kept)
            entry[1] += 1
            self.again += 1
            return entry[0]
        if isinstance(batch, Exception):
            raise batch
        self.kept.append([batch, 1])
        self.fresh += 1
        return batch

    def close(self) -> None:
        """Ends the thread once the batch that it waits for is there."""
        self.closed.set()
        self.thread.join()


def to_device(item, device: str):
    """Tuples (named ones, too) of tensors, moved."""
    if isinstance(item, torch.Tensor):
        return item.to(device, non_blocking=True)
    parts = [to_device(part, device) for part in item]
    return type(item)(*parts) if hasattr(item, "_fields") else tuple(parts)
