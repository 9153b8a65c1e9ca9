"""One long stage in minutes on a GPU, or an hour on a CPU: many pages, each seen a few times.

    python3 sprint.py broad --start ../public/models/keepsight-mini --run runs/broad
    python3 sprint.py talk  --start runs/broad --run runs/talk
    python3 sprint.py speak --start ../public/models/keepsight-mini --run runs/speak
    python3 sprint.py vary  --start ../public/models/keepsight-mini --run runs/vary
    python3 sprint.py settle --start runs/vary --run runs/settle

`broad` trains everything on narrow, wide, rich and photographed pages: 540 seconds on one H200 with
13 + 2 drawing processes. `talk` trains the decoder alone over a frozen tower, for wording: 50
minutes on two CPU cores. `speak` trains everything for 420 seconds; six pages in ten are asked about
in people's own words (spoken.py). `vary` goes on with more worlds, pictures that are not square, and
"Read all the text." as a first question; three pages in ten rehearse the worlds before. `settle`
ends such a run: seven pages in ten rehearse. Without a GPU these two train in small steps, with the
values of ON_CPU: 85 and 36 minutes on one core with bf16 units (AMX). All leave blank patches out
at first and show all 576 at the end (`--full-from`). The learning rate warms up, stays level, and
falls linearly (`--level`).

Interrupt it and give the same command again, as with train.py; a run's folder holds the same.
"""

import argparse

import torch

from light import vary_light
from stages import Stage, collate
from style import RICH
from supply import (
    BROAD,
    SETTLE,
    SPEAK,
    TALK,
    VARY,
    MixedDensePages,
    MixedPages,
    Stream,
    loader,
    shared_drop,
)
from train import Trainer, add_common

BLANK_DROP = 0.9
LEAST_RATE = 0.005
MIXTURES = {"broad": BROAD, "talk": TALK, "speak": SPEAK, "vary": VARY, "settle": SETTLE}
# What each run was started with; every value is an option.
RECIPES = {
    "broad": {
        "hours": 540 / 3600, "rate": 2e-3, "vision_rate": 1e-3, "level": 0.45, "warmup": 100,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "log_every": 75,
        "validate_every": 150.0,
    },
    "talk": {
        "hours": 3000 / 3600, "rate": 4e-4, "vision_rate": 0.0, "level": 0.3, "warmup": 30,
        "full_from": 0.75, "batch": 8, "pages": 1, "workers": 1, "dense_workers": 1,
        "uses": 1, "memory": 8, "dense": 0.0, "frozen_vision": 1, "log_every": 15,
        "validate_every": 900.0,
    },
    "speak": {
        "hours": 420 / 3600, "rate": 1.5e-3, "vision_rate": 8e-4, "level": 0.35, "warmup": 80,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "log_every": 75,
        "validate_every": 0.0,
    },
    "vary": {
        "hours": 480 / 3600, "rate": 1.2e-3, "vision_rate": 8e-4, "level": 0.35, "warmup": 80,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "reads_first": 0.1,
        "log_every": 75, "validate_every": 0.0,
    },
    "settle": {
        "hours": 180 / 3600, "rate": 8e-4, "vision_rate": 5e-4, "level": 0.2, "warmup": 40,
        "full_from": 0.5, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "reads_first": 0.05,
        "log_every": 75, "validate_every": 0.0,
    },
}  # fmt: skip
# What differs without a GPU: small steps, no process but this one.
ON_CPU = {
    "vary": {
        "hours": 1.42, "rate": 3e-4, "vision_rate": 2e-4, "level": 0.3, "warmup": 30,
        "full_from": 0.82, "batch": 8, "pages": 3, "workers": 0, "dense_workers": 0, "uses": 1,
        "memory": 8, "threads": 1, "log_every": 25,
    },
    "settle": {
        "hours": 0.6, "rate": 2.5e-4, "vision_rate": 1e-4, "level": 0.2, "warmup": 30,
        "full_from": 0.75, "batch": 8, "pages": 2, "workers": 0, "dense_workers": 0, "uses": 1,
        "memory": 8, "threads": 1, "log_every": 25,
    },
}  # fmt: skip


class Sprint(Trainer):
    def __init__(self, options):
        rates = {"learning_rate": options.rate, "vision_rate": options.vision_rate}
        rates["reads_first"] = options.reads_first
        super().__init__(options, Stage(RICH, blank_drop=BLANK_DROP, **rates))
        self.drop = shared_drop(BLANK_DROP)
        self.generator = torch.Generator(self.device).manual_seed(1)
        if options.frozen_vision:
            self.model.vision.requires_grad_(False)
            self.model.dense_head.requires_grad_(False)

    def batches(self):
        """Endless (questions, dense pages) on the device, most of them seen more than once."""
        options, progress = self.options, self.progress
        first = progress.first_picture
        mixture = MIXTURES[options.stage]
        asked = MixedPages(self.stage, first + progress.pictures, mixture, self.drop)
        dense = MixedDensePages(self.stage, first + progress.pages)
        # Both start their drawing processes here, before there are other threads.
        asked_batches = iter(loader(asked, options.batch, options.workers, self.device, collate))
        dense_batches = iter(loader(dense, options.pages, options.dense_workers, self.device))
        self.asked = Stream(asked_batches, self.device, memory=options.memory, uses=options.uses)
        self.dense = Stream(
            dense_batches,
            self.device,
            ready=4,
            memory=400,
            uses=float("inf"),
            least=1,
        )
        return zip(iter(self.asked.next, None), iter(self.dense.next, None))

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.asked.close()
            self.dense.close()

    def set_learning_rate(self, done: float) -> None:
        """Warm-up, level, then linearly to nearly nothing. `done`: the share of the time."""
        self.drop.value = BLANK_DROP if done <= self.options.full_from else 0.0
        scale = min(1.0, (self.progress.step + 1) / self.options.warmup)
        if done > self.options.level:
            scale *= max(0.0, (1 - done) / (1 - self.options.level))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(scale, LEAST_RATE)

    def in_range(self, pixels: torch.Tensor) -> torch.Tensor:
        return vary_light(pixels, self.generator)

    def counts(self) -> dict:
        batch = self.options.batch
        return {"fresh": self.asked.fresh * batch, "again": self.asked.again * batch}


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    recipes = parser.add_subparsers(dest="stage", required=True)
    for name, recipe in RECIPES.items():
        command = recipes.add_parser(name)
        add = command.add_argument
        add_common(add)
        add("--pages", type=int, help="dense pages per step")
        add("--dense-workers", type=int, help="processes that draw dense pages")
        add("--rate", type=float, help="peak learning rate")
        add("--vision-rate", type=float, help="peak learning rate of the tower")
        add("--level", type=float, help="share of the time after which the rate falls")
        add("--warmup", type=int, help="steps")
        add("--full-from", type=float, help="share of the time after which all patches are shown")
        add("--uses", type=float, help="how often a page is seen at most")
        add("--memory", type=int, help="batches kept on the device")
        add("--frozen-vision", type=int, help="1: the decoder alone is trained")
        add("--reads-first", type=float, default=0.0, help="share of pages that are read at once")
        add("--look", type=float, default=0.3, help="weight of attention supervision")
        add("--dense", type=float, help="weight of the dense labels")
        on_cpu = {} if torch.cuda.is_available() else ON_CPU.get(name, {})
        command.set_defaults(**recipe | on_cpu)
    return parser.parse_args(arguments)


def main(arguments=None) -> None:
    Sprint(parse(arguments)).run()


if __name__ == "__main__":
    main()
