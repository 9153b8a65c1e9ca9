"""One long stage in minutes on a GPU, or an hour on a CPU: many pages, each seen a few times.

    python3 sprint.py broad --start ../public/models/keepsight-mini --run runs/broad
    python3 sprint.py talk --start runs/broad --run runs/talk
    python3 sprint.py speak --start ../public/models/keepsight-mini --run runs/speak
    python3 sprint.py vary --start ../public/models/keepsight-mini --run runs/vary
    python3 sprint.py settle --start runs/vary --run runs/settle
    python3 sprint.py recall --start runs/settle --run runs/recall --teacher TEACHER

recipes.py tells what each run trains on and with which values. All leave blank patches out at first
and show all 576 at the end (`--full-from`). The learning rate warms up, stays level, and falls
linearly (`--level`).

Interrupt it and give the same command again, as with train.py; a run's folder holds the same.
"""

import argparse

import torch

from hints import Teacher
from light import vary_light
from recipes import MIXTURES, ON_CPU, RECIPES
from stages import Stage, collate
from style import RICH
from supply import MixedDensePages, MixedPages, Stream, loader, shared_drop
from train import Trainer, add_common

BLANK_DROP = 0.9
LEAST_RATE = 0.005


class Sprint(Trainer):
    def __init__(self, options):
        rates = {"learning_rate": options.rate, "vision_rate": options.vision_rate}
        shares = {"reads_first": options.reads_first, "jumbled": options.jumbled}
        super().__init__(options, Stage(RICH, blank_drop=BLANK_DROP, **rates, **shares))
        self.drop = shared_drop(BLANK_DROP)
        self.generator = torch.Generator(self.device).manual_seed(1)
        if options.frozen_vision:
            self.model.vision.requires_grad_(False)
            self.model.dense_head.requires_grad_(False)
        self.teacher = None
        if options.teacher:
            compiled = bool(options.compile)
            self.teacher = Teacher(self.model, options.teacher, self.device, compiled)

    def loss(self, batch, characters, shapes):
        loss, parts = super().loss(batch, characters, shapes)
        if not self.teacher:
            return loss, parts
        forgotten, more = self.teacher.loss(batch)
        return loss + self.options.hold * forgotten, parts | more

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
        add("--jumbled", type=float, default=0.0, help="share of pages asked in jumbled words")
        add("--look", type=float, default=0.3, help="weight of attention supervision")
        add("--dense", type=float, help="weight of the dense labels")
        add("--teacher", help="weights that a page is held to where they read it right")
        add("--hold", type=float, default=1.0, help="weight of what the teacher says")
        on_cpu = {} if torch.cuda.is_available() else ON_CPU.get(name, {})
        command.set_defaults(**recipe | on_cpu)
    return parser.parse_args(arguments)


def main(arguments=None) -> None:
    Sprint(parse(arguments)).run()


if __name__ == "__main__":
    main()
