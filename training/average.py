"""Weights between checkpoints, or a sum of what several runs changed.

    python3 average.py ../public/models/keepsight-mini runs/lookup@0.5 --out runs/half.pt
    python3 average.py BASE runs/a@0.7 runs/b@0.5 --out runs/both.pt

The result is BASE + Σ share · (run − BASE). A run that starts from trained weights moves them
further than its pages can justify; some way back along the line often keeps what was learnt and
returns what was lost (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). What runs
from one base changed can be added (Ilharco et al., "Editing models with task arithmetic", 2023).
Choose the shares on validation pages, never on test pages.
"""

import argparse
from pathlib import Path

import torch

import weights

State = dict[str, torch.Tensor]


def moved(base: State, runs: list[tuple[State, float]]) -> State:
    """`base` moved by a share of the way to each run; raises if they are not of one network."""
    if any(run.keys() != base.keys() for run, _ in runs):
        raise ValueError("the checkpoints are not of one network")
    return {
        name: tensor + sum(share * (run[name] - tensor) for run, share in runs)
        for name, tensor in base.items()
    }


def load(base: str, runs: list[str]) -> State:
    """`moved` of checkpoints by name: a run, a .pt or an exported directory; runs as NAME@SHARE."""
    shares = [run.rpartition("@") for run in runs]
    return moved(
        weights.load(base), [(weights.load(name), float(share)) for name, _, share in shares]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="a run, a .pt or an exported directory")
    parser.add_argument("runs", nargs="+", metavar="RUN@SHARE", help="likewise")
    parser.add_argument("--out", type=Path, required=True, help="a .pt")
    options = parser.parse_args()
    state = load(options.base, options.runs)
    torch.save({name: tensor.half() for name, tensor in state.items()}, options.out)


if __name__ == "__main__":
    main()
