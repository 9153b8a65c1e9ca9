"""Why answers are wrong: does the model look at the wrong place, or misread the right one?

    python3 diagnose.py MODEL --pages 8

For every token of an answer that stands on the page: where the supervised heads look, and whether
the token is right when they look at the right patch, elsewhere in the right row, or in another row.
"""

import argparse
from collections import Counter, defaultdict

import torch
import torch.nn.functional as F

import data
import worlds
from canvas import GRID
from evaluate import load_model
from losses import TAPS, tap_layers
from nets import HEAD_DIM
from packing import Packer
from style import STYLES
from supervision import NOWHERE
from tokens import load_tokenizer


@torch.no_grad()
def looks_of(model, name: str, row: torch.Tensor) -> list[tuple[int, int, int]]:
    """(place, target, most attended place) for every taught place of a batch of one.

    `row` [T]: the target of each place, negative where nothing is taught. The heads of all layers
    in TAPS vote with their attention.
    """
    head, layers = TAPS[name]
    places = (row >= 0).nonzero()[:, 0]
    attention = 0
    for layer in layers:
        queries, keys = (t[0].float() for t in model.decoder.blocks[layer].tap[head])
        scores = queries[places] @ keys.T * HEAD_DIM**-0.5
        future = torch.arange(len(keys))[None] > places[:, None]
        attention = attention + scores.masked_fill(future, -torch.inf).softmax(-1)
    seen = attention.argmax(-1)
    return list(zip(places.tolist(), row[places].tolist(), seen.tolist()))


def gaze(patches: torch.Tensor, target: int, seen: int) -> str:
    """How far from the target's patch the model looks."""
    wanted, found = int(patches[target]), int(patches[seen])
    if found == NOWHERE:
        return "at the text"
    if found == wanted:
        return "at the patch"
    return "in the row" if found // GRID == wanted // GRID else "elsewhere"


@torch.no_grad()
def diagnose(model, pages: int, style) -> dict:
    """Counters per world: "copy" of (gaze, first?, right), "about" of right, "named" of gaze."""
    packer = Packer(load_tokenizer())
    found = {name: defaultdict(Counter) for name in TAPS}
    for world in worlds.WORLDS:
        for index in range(pages):
            seed = worlds.validation_seed(world, index)
            page = worlds.sample(seed, world, style)
            batch = data.collate([data.make_example(packer, page, seed, 0.0)])
            features = model.vision(data.normalise(batch.pixels))
            hidden = model.decoder.hidden(data.embed(model, features, batch), batch.positions)
            logits = F.linear(hidden[0], model.decoder.embedding.weight)
            guesses = logits.argmax(-1)
            starts = set((batch.weights[0, 1:] > 0).nonzero()[:, 0].tolist())
            for place, target, seen in looks_of(model, "copy", batch.copied[0, 1:]):
                right = bool(guesses[place] == batch.ids[0, place + 1])
                first = place - 1 not in starts
                where = gaze(batch.patches[0], target, seen)
                found["copy"][world][where, first, right] += 1
            for _, target, seen in looks_of(model, "about", batch.about[0, 1:]):
                found["about"][world][target == seen] += 1
            for _, target, seen in looks_of(model, "named", batch.named[0]):
                found["named"][world][gaze(batch.patches[0], target, seen)] += 1
    return found


def print_diagnosis(found: dict) -> None:
    for first in (True, False):
        print("copied tokens,", "first of an answer" if first else "later ones")
        for world, counts in found["copy"].items():
            print(f"  {world:8}", copy_line(counts, first))
    print("answer's start looks at the question's word")
    for world, counts in found["about"].items():
        print(f"  {world:8} {counts[True] / counts.total():.0%} of {counts.total()}")
    print("question's word looks at its place on the page")
    for world, counts in found["named"].items():
        shares = ", ".join(f"{n / counts.total():.0%} {where}" for where, n in counts.most_common())
        print(f"  {world:8} {shares} of {counts.total()}")


def copy_line(counts: Counter, first: bool) -> str:
    """Share of each gaze, and how often the token is right then."""
    total = sum(n for (_, f, _), n in counts.items() if f == first)
    parts = []
    for where in ("at the patch", "in the row", "elsewhere", "at the text"):
        right, wrong = (counts[where, first, flag] for flag in (True, False))
        if right + wrong:
            share, correct = (right + wrong) / total, right / (right + wrong)
            parts.append(f"{share:.0%} {where} ({correct:.0%} right)")
    return ", ".join(parts) + f" of {total}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--pages", type=int, default=8, help="validation pages per world")
    parser.add_argument("--style", choices=STYLES, default="narrow")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_model(options.model, "cpu")
    tap_layers(model)
    print_diagnosis(diagnose(model, options.pages, STYLES[options.style]))


if __name__ == "__main__":
    main()
