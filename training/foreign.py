"""Pictures that no world draws, with questions: where the model should say that it is unsure.

    python3 foreign.py MODEL --out FOLDER
    python3 foreign.py MODEL --near --out FOLDER

MODEL is an exported directory. The second form asks about pictures near to the worlds' pages, which
choose no threshold. FOLDER receives the pictures, `questions.jsonl` for `npm run eval`,
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
from near_pictures import dark_list, serif_receipt
from turn import Turn

VARIANTS = 4
Drawer = Callable[[random.Random], Picture]


class Asked(NamedTuple):
    name: str
    image: Image.Image
    turn: Turn
    world: str


DRAWERS: tuple[Drawer, ...] = (
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
# How many pictures of each.
NEAR: dict[Drawer, int] = {serif_receipt: 20, dark_list: 15, dark_screenshot: 5}
# Apart from those of `questions`.
NEAR_SEED = 500_000


def questions() -> Iterator[Asked]:
    """Every turn of every picture, with a file name per picture."""
    return asked_about(dict.fromkeys(DRAWERS, VARIANTS), 0)


def near_questions() -> Iterator[Asked]:
    """The same for NEAR."""
    return asked_about(NEAR, NEAR_SEED)


def asked_about(drawers: dict[Drawer, int], first_seed: int) -> Iterator[Asked]:
    for number, (draw, count) in enumerate(drawers.items()):
        for variant in range(count):
            picture = draw(random.Random(first_seed + 1000 * number + variant))
            name = f"{picture.world}-{variant:02d}.png"
            for turn in picture.turns:
                yield Asked(name, picture.image, turn, picture.world)


def main() -> None:
    from evaluate import ask_all, print_scores

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, default=Path("foreign"))
    parser.add_argument("--near", action="store_true", help="pictures near to the worlds' pages")
    options = parser.parse_args()
    asked = near_questions() if options.near else questions()
    print_scores(ask_all(options.model, options.out, asked, "cpu"))


if __name__ == "__main__":
    main()
