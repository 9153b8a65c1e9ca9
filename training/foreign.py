"""Pictures that no world draws, with questions: where the model should say that it is unsure.

    python3 foreign.py MODEL --out FOLDER

MODEL is an exported directory. FOLDER receives the pictures, `questions.jsonl` for `npm run eval`,
and `answers.jsonl` with the probability of every token for `npm run confidence`.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from foreign_pictures import (
    Picture,
    blank_page,
    dark_chart,
    dark_screenshot,
    dark_settings,
    landscape,
    receipt_photo,
    serif_chart,
    still_life,
    street_sign,
)
from turn import Turn

VARIANTS = 4


class Asked(NamedTuple):
    name: str
    image: Image.Image
    turn: Turn
    world: str


DRAWERS: tuple[Callable[[random.Random], Picture], ...] = (
    receipt_photo,
    serif_chart,
    dark_screenshot,
    landscape,
    blank_page,
    street_sign,
    dark_chart,
    dark_settings,
    still_life,
)


def questions() -> Iterator[Asked]:
    """Every turn of every picture, with a file name per picture."""
    for number, draw in enumerate(DRAWERS):
        for variant in range(VARIANTS):
            picture = draw(random.Random(1000 * number + variant))
            name = f"{picture.world}-{variant:02d}.png"
            for turn in picture.turns:
                yield Asked(name, picture.image, turn, picture.world)


def main() -> None:
    from evaluate import ask_all, print_scores

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, default=Path("foreign"))
    options = parser.parse_args()
    print_scores(ask_all(options.model, options.out, questions(), "cpu"))


if __name__ == "__main__":
    main()
