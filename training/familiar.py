"""How far a picture's features lie from those of the pages that the model was trained on.

    python3 familiar.py DIR --write
    python3 familiar.py DIR --stored --answers FOLDER …

Along some directions of feature space the patches of training pages hardly vary. A picture of
another kind leaves that subspace (the residual of Wang et al., "ViM: Out-Of-Distribution with
Virtual-logit Matching", CVPR 2022, here with each direction divided by its deviation). The distance
of a picture is the mean over its patches of the root mean square over the directions. Their number
is the one of DIRECTIONS that best tells foreign pictures from validation pages; the threshold is
the distance that SHARE of the validation pages stay below. DIR receives `familiar.bin`, float32,
little-endian: the mean, then the directions, [1 + directions, width]; config.json the threshold.
--answers counts the answers of evaluate.py and foreign.py that are marked, --stored by what DIR
holds.
"""

import argparse
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

import data
import foreign
import seeds
import worlds
from canvas import SIZE
from evaluate import load_model
from style import STYLES

STYLES_SEEN = (
    *("narrow", "wide", "photo", "rich", "rich-photo"),
    *("spoken", "spoken-photo", "varied", "varied-photo"),
)
PAGES, VALIDATION_PAGES = 10, 8
DIRECTIONS = (24, 46, 86)
SHARE = 0.98
BATCH = 8
# Directions with less variance than this share of the largest are numerical noise.
LEAST_VARIANCE = 1e-6


class Familiar(NamedTuple):
    """`mean` [width]; `directions` [count, width], each divided by its standard deviation."""

    mean: torch.Tensor
    directions: torch.Tensor

    def distance(self, features: torch.Tensor) -> float:
        """features [patches, width]"""
        along = (features - self.mean) @ self.directions.T
        return float(along.pow(2).mean(1).sqrt().mean())


def fit(features: torch.Tensor, count: int) -> Familiar:
    """The `count` directions of least variance. features [patches, width]"""
    mean = features.mean(0)
    variances, axes = torch.linalg.eigh(torch.cov((features - mean).T))
    kept = (variances > LEAST_VARIANCE * variances[-1]).nonzero()[:count, 0]
    return Familiar(mean, (axes[:, kept] / variances[kept].sqrt()).T.contiguous())


def squared(image: Image.Image) -> Image.Image:
    """384 × 384 pixels as the app's processor makes them: first the longest edge, then both."""
    width, height = image.size
    longest = max(width, height)
    size = tuple(SIZE if edge == longest else even(SIZE * edge // longest) for edge in image.size)
    lanczos = Image.Resampling.LANCZOS
    return image.convert("RGB").resize(size, lanczos).resize((SIZE, SIZE), lanczos)


def even(edge: int) -> int:
    return max(1, edge) + max(1, edge) % 2


@torch.no_grad()
def features_of(model, images: Iterable[Image.Image]) -> torch.Tensor:
    """[pictures, 576, width]: as the decoder gets them."""
    pixels = [torch.from_numpy(np.array(squared(image))).permute(2, 0, 1) for image in images]
    batches = (torch.stack(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH))
    return torch.cat([model.decoder.projection(model.vision(data.normalise(b))) for b in batches])


def pages(seed_of, count: int) -> Iterable[Image.Image]:
    for style in STYLES_SEEN:
        for world in worlds.names(STYLES[style]):
            for index in range(count):
                yield worlds.sample(seed_of(world, index), world, STYLES[style]).canvas.image


def foreign_pictures() -> Iterable[tuple[str, Image.Image]]:
    """All but blank ones, which the app knows by their pixels."""
    for number, draw in enumerate(foreign.DRAWERS):
        for variant in range(foreign.VARIANTS):
            picture = draw(random.Random(1000 * number + variant))
            if picture.world != "blank":
                yield picture.world, picture.image


def area(near: np.ndarray, far: np.ndarray) -> float:
    """How often a far distance exceeds a near one."""
    return float((far[:, None] > near).mean())


def choose(model) -> tuple[Familiar, float]:
    """The measure, and its threshold; prints what they were chosen by."""
    seen = features_of(model, pages(lambda _, index: seeds.TRAINING[index], PAGES)).flatten(0, 1)
    held = features_of(model, pages(worlds.validation_seed, VALIDATION_PAGES))
    names, images = zip(*foreign_pictures())
    strange = features_of(model, images)
    best = None
    for count in DIRECTIONS:
        familiar = fit(seen, count)
        near, far = (np.array([familiar.distance(f) for f in part]) for part in (held, strange))
        threshold, told = float(np.quantile(near, SHARE)), area(near, far)
        print(f"{count} directions: area {told:.3f}, above the threshold {threshold:.3f}:")
        for name in dict.fromkeys(names):
            of = far[[n == name for n in names]]
            print(f"    {name} {(of > threshold).sum()} of {len(of)}")
        if best is None or told > best[0]:
            best = (told, familiar, threshold)
    return best[1], best[2]


class Judged(NamedTuple):
    """`probability`: the geometric mean over the answer's tokens."""

    world: str
    is_right: bool
    probability: float
    is_familiar: bool


def judge(model, familiar: Familiar, threshold: float, folders: list[Path]) -> Iterable[Judged]:
    """The answers of evaluate.py and foreign.py."""
    for folder in folders:
        distances: dict[str, float] = {}
        for line in (folder / "answers.jsonl").read_text().splitlines():
            told = json.loads(line)
            name = told["image"]
            if name not in distances:
                (features,) = features_of(model, [Image.open(folder / name)])
                distances[name] = familiar.distance(features)
            yield Judged(
                name.split("-")[0],
                told["generated"] == told["turns"][-1]["answer"],
                float(np.exp(np.mean(told["logProbabilities"]))),
                distances[name] < threshold,
            )


def print_marks(judged: list[Judged], limit: float) -> None:
    """How many answers are marked by probability, by familiarity, and by either, per world."""
    marks = {
        "probability": lambda answer: answer.probability < limit,
        "familiarity": lambda answer: not answer.is_familiar,
        "either": lambda answer: answer.probability < limit or not answer.is_familiar,
    }
    for world in ("all", *dict.fromkeys(answer.world for answer in judged)):
        for kind in (False, True):
            of = [a for a in judged if a.is_right == kind and world in ("all", a.world)]
            counts = ", ".join(f"{name} {sum(map(m, of))}" for name, m in marks.items())
            print(f"{world}: {len(of)} {'right' if kind else 'wrong'}; marked by {counts}")


def write(folder: Path, familiar: Familiar, threshold: float) -> None:
    rows = torch.cat((familiar.mean[None], familiar.directions))
    (folder / "familiar.bin").write_bytes(rows.numpy().astype("<f4").tobytes())
    file = folder / "config.json"
    card = json.loads(file.read_text())["keepsight"]
    card["familiarBelow"] = round(threshold, 4)
    file.write_text(with_card(file.read_text(), card))


def stored(folder: Path) -> tuple[Familiar, float]:
    """What `write` wrote."""
    config = json.loads((folder / "config.json").read_text())
    values = np.frombuffer((folder / "familiar.bin").read_bytes(), "<f4").copy()
    rows = torch.from_numpy(values).view(-1, config["text_config"]["hidden_size"])
    return Familiar(rows[0], rows[1:]), config["keepsight"]["familiarBelow"]


def with_card(text: str, card: dict) -> str:
    """Replaces one field of a formatted JSON object; the others stay as they are written."""
    lines = text.split("\n")
    first = lines.index('  "keepsight": {')
    last = lines.index("  },", first)
    field = json.dumps({"keepsight": card}, indent=2, ensure_ascii=False).split("\n")[1:-1]
    return "\n".join([*lines[:first], *field[:-1], f"{field[-1]},", *lines[last + 1 :]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--write", action="store_true", help="store the choice in the directory")
    parser.add_argument("--stored", action="store_true", help="choose nothing; judge with DIR's")
    parser.add_argument("--answers", type=Path, nargs="*", default=[], help="folders to be judged")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(str(options.model), "cpu")
    familiar, threshold = stored(options.model) if options.stored else choose(model)
    print(f"used: {len(familiar.directions)} directions, below {threshold:.4f} is familiar")
    if options.write and not options.stored:
        write(options.model, familiar, threshold)
    if options.answers:
        limit = json.loads((options.model / "config.json").read_text())["keepsight"]["confidence"]
        judged = list(judge(model, familiar, threshold, options.answers))
        print_marks(judged, limit["threshold"])


if __name__ == "__main__":
    main()
