"""Trains the embedded model: one command per stage, resumable at any moment.

    python3 train.py --stage read   --run runs/read   --hours 2
    python3 train.py --stage widen  --run runs/widen  --hours 2 --start runs/read
    python3 train.py --stage finish --run runs/finish --hours 1 --start runs/widen

The same command resumes an interrupted run from its last save (weights, optimizer, position in the
stream of images and in the learning-rate schedule). `--stop-after` ends a call after that many
seconds, for GPUs that are available for minutes at a time. A run's folder holds `weights.pt`
(float16, portable), `state.pt` (the state to resume from) and `log.jsonl`.
"""

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

import data
import nets
import weights
import worlds
from evaluate import exact_match
from losses import DENSE_CLASSES, joint_loss, tap_layers
from stages import STAGES, DensePages, QuestionPages, Stage, collate
from tokens import load_tokenizer

WARMUP_STEPS = 100
SAVE_SECONDS = 120.0
GRADIENT_NORM = 1.0


@dataclass
class Progress:
    """Where a run stands; `first_picture` is its random place in the streams of seeds."""

    first_picture: int
    step: int = 0
    seconds: float = 0.0
    pictures: int = 0
    pages: int = 0


class Trainer:
    def __init__(self, options, stage: Stage | None = None):
        self.options = options
        self.stage = stage or STAGES[options.stage]
        self.folder = Path(options.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.half = self.device == "cuda" if options.bf16 is None else bool(options.bf16)
        nets.explicit_attention = self.device == "cpu" and self.half
        torch.set_num_threads(options.threads)
        vocabulary = load_tokenizer().get_vocab_size()
        self.model = nets.Keepsight(vocabulary, DENSE_CLASSES)
        self.progress = Progress(first_picture=time.time_ns() % 10**9)
        self.restore_weights()
        self.model.to(self.device)
        tap_layers(self.model)
        self.optimizer = self.make_optimizer()
        self.restore_optimizer()
        if options.compile:
            nets.compile_parts(self.model)

    def restore_weights(self) -> None:
        """From this run if it was interrupted, else from `--start`, else random."""
        self.saved = None
        if (self.folder / "state.pt").exists():
            self.saved = torch.load(self.folder / "state.pt", map_location="cpu")
            if self.saved["stage"] != self.options.stage:
                raise SystemExit(f"{self.folder} holds a run of stage {self.saved['stage']}")
            self.model.load_state_dict(self.saved["model"])
            self.progress = Progress(**self.saved["progress"])
        elif self.options.start:
            self.model.load_state_dict(weights.load(self.options.start))

    def make_optimizer(self) -> torch.optim.Optimizer:
        return make_optimizer(self.model, self.stage)

    def restore_optimizer(self) -> None:
        if self.saved:
            self.optimizer.load_state_dict(self.saved["optimizer"])
            self.saved = None

    def batches(self):
        """Endless (questions, dense pages), from the pictures that were not seen yet."""
        options, progress = self.options, self.progress
        common = dict(num_workers=options.workers, pin_memory=self.device == "cuda")
        if options.workers:
            common["prefetch_factor"] = 4
        asked = QuestionPages(self.stage, progress.first_picture + progress.pictures)
        dense = DensePages(self.stage, progress.first_picture + progress.pages)
        return zip(
            DataLoader(asked, batch_size=options.batch, collate_fn=collate, **common),
            DataLoader(dense, batch_size=options.pages, **common),
        )

    def run(self) -> None:
        options, progress = self.options, self.progress
        total = options.hours * 3600
        batches = self.batches()
        began = last_save = last_validation = time.time()
        before, parts, done = progress.seconds, [], 0
        while progress.seconds < total and done != options.steps:
            self.set_learning_rate(progress.seconds / total)
            parts.append(self.step(*next(batches)))
            now = time.time()
            progress.seconds = before + now - began
            progress.step += 1
            done += 1
            if progress.step % options.log_every == 0:
                self.log(parts, done / (now - began))
                parts = []
            if now - last_save > SAVE_SECONDS:
                self.save()
                last_save = now
            if options.validate_every and now - last_validation > options.validate_every:
                self.validate()
                last_validation = time.time()
            if options.stop_after and now - began > options.stop_after:
                break
        self.save()
        print("finished" if progress.seconds >= total else "stopped", json.dumps(asdict(progress)))

    def set_learning_rate(self, done: float) -> None:
        """Linear warm-up, then a cosine down to a fiftieth."""
        floor = 0.02
        curve = 0.5 * (1 + math.cos(math.pi * done)) * (1 - floor) + floor
        curve *= min(1.0, (self.progress.step + 1) / WARMUP_STEPS)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * curve

    def step(self, asked, dense) -> dict:
        batch, characters, shapes = asked
        pixels, more_characters, more_shapes = dense
        batch = batch._replace(pixels=torch.cat((batch.pixels, pixels)))
        batch = data.Batch(*(t.to(self.device, non_blocking=True) for t in batch))
        batch = batch._replace(pixels=self.in_range(batch.pixels))
        characters = torch.cat((characters, more_characters)).to(self.device)
        shapes = torch.cat((shapes, more_shapes)).to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            loss, parts = self.loss(batch, characters, shapes)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.progress.pictures += len(batch.ids)
        self.progress.pages += len(pixels)
        return parts

    def loss(self, batch, characters, shapes) -> tuple[torch.Tensor, dict]:
        """The loss of one step, and its parts for the log."""
        return joint_loss(
            self.model,
            batch,
            characters,
            shapes,
            look=self.options.look,
            dense=self.options.dense,
        )

    def in_range(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 images as the tower takes them, in [-1, 1]; a subclass may vary them."""
        return data.normalise(pixels)

    def counts(self) -> dict:
        """What else a line of the log says: nothing here."""
        return {}

    def log(self, parts: list[dict], steps_per_second: float) -> None:
        means = {name: float(torch.stack([p[name] for p in parts]).mean()) for name in parts[0]}
        entry = {
            "step": self.progress.step,
            "seconds": round(self.progress.seconds),
            "picturesPerSecond": round(steps_per_second * self.options.batch, 2),
            **self.counts(),
            **{name: round(value, 4) for name, value in means.items()},
        }
        self.write(entry)

    def validate(self) -> None:
        """Exact match per world and question type on a few validation pages."""
        self.model.eval()
        scores = exact_match(
            self.model,
            worlds.validation_seed,
            self.options.validation_pages,
            style=self.stage.style,
        )
        self.model.train()
        self.write({"step": self.progress.step, "validation": scores})

    def write(self, entry: dict) -> None:
        line = json.dumps(entry)
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            print(line, file=file)

    def save(self) -> None:
        state = self.model.state_dict()
        half = {name: tensor.detach().half().cpu() for name, tensor in state.items()}
        write_file(half, self.folder / "weights.pt")
        whole = {
            "stage": self.options.stage,
            "model": state,
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            **self.extras(),
        }
        write_file(whole, self.folder / "state.pt")

    def extras(self) -> dict:
        """What else `state.pt` holds: nothing here, a subclass may teach with more."""
        return {}


def write_file(value, path: Path) -> None:
    """A save that is cut off leaves the previous one whole."""
    partial = path.with_suffix(".partial")
    torch.save(value, partial)
    os.replace(partial, path)


def make_optimizer(model, stage: Stage) -> torch.optim.Optimizer:
    """AdamW; matrices decay, vectors do not; the tower learns more slowly than the rest."""
    rest = [*model.decoder.parameters(), *model.dense_head.parameters()]
    groups = []
    for parameters, peak in (
        (list(model.vision.parameters()), stage.vision_rate),
        (rest, stage.learning_rate),
    ):
        matrices = [p for p in parameters if p.dim() > 1]
        vectors = [p for p in parameters if p.dim() <= 1]
        groups.append({"params": matrices, "peak": peak, "weight_decay": 0.02})
        groups.append({"params": vectors, "peak": peak, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98), fused=True)


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=STAGES, required=True)
    add_common(parser.add_argument)
    add = parser.add_argument
    add("--pages", type=int, default=8, help="dense pages per step")
    add("--look", type=float, default=0.3, help="weight of attention supervision")
    add("--dense", type=float, default=0.5, help="weight of the dense labels")
    return parser.parse_args(arguments)


def add_common(add) -> None:
    """The options of every training command."""
    add("--run", required=True, help="folder of this run; an interrupted one is continued")
    add("--hours", type=float, default=1.0, help="length of the stage, over all calls")
    add("--start", help="weights of a fresh run: a run, a .pt, or an exported directory")
    add("--stop-after", type=float, help="end this call after so many seconds")
    add("--steps", type=int, default=-1, help="end this call after so many steps")
    add("--batch", type=int, default=12, help="pictures with questions per step")
    add("--bf16", type=int, help="1: bfloat16 (default on a GPU; worth it on CPUs with bf16 units)")
    add("--compile", type=int, default=0)
    add("--workers", type=int, default=1)
    add("--threads", type=int, default=os.cpu_count())
    add("--log-every", type=int, default=25)
    add("--validate-every", type=float, default=1800.0, help="seconds; 0: never")
    add("--validation-pages", type=int, default=4, help="pages per world")


def main(arguments=None) -> None:
    Trainer(parse(arguments)).run()


if __name__ == "__main__":
    main()
