"""Weights between two checkpoints.

    python3 average.py ../public/models/keepsight-mini runs/lookup runs/half.pt --share 0.5

A run that starts from trained weights moves them further than its pages can justify; some way back
along the line often keeps what was learnt and returns what was lost (Wortsman et al., "Robust
fine-tuning of zero-shot models", 2022). Choose the share on validation pages, never on test pages.
"""

import argparse
from pathlib import Path

import torch

import weights


def between(first: dict, second: dict, share: float) -> dict:
    """`share` 0 is the first, 1 the second. Raises if they are not of one network."""
    if first.keys() != second.keys():
        raise ValueError("the two checkpoints are not of one network")
    return {name: torch.lerp(first[name], second[name], share) for name in first}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", help="a run, a .pt or an exported directory")
    parser.add_argument("second", help="likewise")
    parser.add_argument("out", type=Path, help="a .pt")
    parser.add_argument("--share", type=float, default=0.5, help="of the second")
    options = parser.parse_args()
    state = between(weights.load(options.first), weights.load(options.second), options.share)
    torch.save({name: tensor.half() for name, tensor in state.items()}, options.out)


if __name__ == "__main__":
    main()
