"""Pictures that no world draws, with questions: where the model should say that it is unsure.

    python3 foreign.py MODEL --out FOLDER

MODEL is an exported directory. FOLDER receives the pictures, `questions.jsonl` for `npm run eval`,
and `answers.jsonl` with the probability of every token for `npm run confidence`.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from turn import Turn

FONTS = Path(__file__).resolve().parent / "fonts"
VARIANTS = 4


class Picture(NamedTuple):
    world: str
    image: Image.Image
    turns: tuple[Turn, ...]


class Asked(NamedTuple):
    name: str
    image: Image.Image
    turn: Turn
    world: str


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{name}.ttf", size)


def price(rng: random.Random) -> str:
    return f"{rng.randint(1, 40)}.{rng.randint(0, 99):02d}"


def receipt_photo(rng: random.Random) -> Picture:
    """A narrow slip on a dark table, turned, lit from one side and a little out of focus."""
    goods = rng.sample(["Oat milk", "Batteries", "Tomatoes", "Newspaper", "Olive oil", "Candles"], 4)
    prices = [price(rng) for _ in goods]
    slip = Image.new("RGB", (260, 420), (238, 236, 228))
    draw = ImageDraw.Draw(slip)
    mono = font("DejaVuSansMono", 15)
    draw.text((60, 18), "CORNER SHOP", font=font("DejaVuSansMono", 18), fill=(40, 40, 40))
    for row, (name, cost) in enumerate(zip(goods, prices)):
        draw.text((16, 80 + 34 * row), name, font=mono, fill=(50, 50, 50))
        draw.text((190, 80 + 34 * row), cost, font=mono, fill=(50, 50, 50))
    total = f"{sum(map(float, prices)):.2f}"
    draw.text((16, 250), "TO PAY", font=font("DejaVuSansMono", 20), fill=(30, 30, 30))
    draw.text((180, 250), total, font=font("DejaVuSansMono", 20), fill=(30, 30, 30))
    table = Image.new("RGB", (512, 512), (74, 52, 38))
    turned = slip.rotate(rng.uniform(-14, 14), expand=True, fillcolor=(74, 52, 38))
    table.paste(turned, (512 // 2 - turned.width // 2, 512 // 2 - turned.height // 2))
    light = Image.linear_gradient("L").resize((512, 512)).rotate(rng.choice([0, 90, 180]))
    table = Image.composite(table, Image.eval(table, lambda v: v * 2 // 3), light)
    table = table.filter(ImageFilter.GaussianBlur(1.4))
    turns = (Turn("What do I have to pay?", total), Turn(f"Price of {goods[1]}?", prices[1]))
    return Picture("receiptphoto", table, turns)


def serif_chart(rng: random.Random) -> Picture:
    """Horizontal bars with serif labels, as a newspaper prints them."""
    names = rng.sample(["Norway", "Chile", "Kenya", "Japan", "Greece", "Canada"], 4)
    values = rng.sample(range(12, 97), 4)
    image = Image.new("RGB", (640, 420), (250, 246, 236))
    draw = ImageDraw.Draw(image)
    serif = font("LiberationSerif-Regular", 22)
    draw.text((24, 16), "Share of households with solar panels", font=serif, fill=(20, 20, 20))
    for row, (name, value) in enumerate(zip(names, values)):
        y = 80 + 76 * row
        draw.text((24, y), name, font=serif, fill=(20, 20, 20))
        draw.rectangle((150, y, 150 + 4 * value, y + 30), fill=(150, 60, 50))
        draw.text((160 + 4 * value, y), f"{value}", font=serif, fill=(20, 20, 20))
    best = names[values.index(max(values))]
    turns = (
        Turn("Which country has the largest share?", best),
        Turn(f"What is the number for {names[2]}?", str(values[2])),
    )
    return Picture("serifchart", image, turns)


def dark_screenshot(rng: random.Random) -> Picture:
    """An editor with light text on a dark ground."""
    value = rng.randint(100, 999)
    lines = ("import sys", "", "def main():", f"    port = {value}", "    serve(port)", "", "main()")
    image = Image.new("RGB", (720, 480), (24, 26, 32))
    draw = ImageDraw.Draw(image)
    mono = font("LiberationMono-Regular", 22)
    for row, line in enumerate(lines):
        draw.text((20, 30 + 34 * row), f"{row + 1:2}", font=mono, fill=(90, 95, 110))
        draw.text((76, 30 + 34 * row), line, font=mono, fill=(198, 208, 220))
    turns = (Turn("Which port does it use?", str(value)), Turn("How many lines are there?", "7"))
    return Picture("darkscreen", image, turns)


def landscape(rng: random.Random) -> Picture:
    """Hills under a sky."""
    image = Image.new("RGB", (640, 426), (150, 190, 230))
    draw = ImageDraw.Draw(image)
    sun = rng.randint(80, 560)
    draw.ellipse((sun - 30, 50, sun + 30, 110), fill=(250, 225, 150))
    for depth, colour in enumerate(((120, 150, 140), (80, 125, 85), (50, 95, 55))):
        base, phase = 210 + 70 * depth, rng.uniform(0, 6)
        hill = [(x, base + 30 * math.sin(x / (90 - 15 * depth) + phase)) for x in range(0, 641, 8)]
        draw.polygon([*hill, (640, 426), (0, 426)], fill=colour)
    image = image.filter(ImageFilter.GaussianBlur(1))
    turns = (Turn("What does the picture show?", "hills"), Turn("What is the weather?", "sunny"))
    return Picture("landscape", image, turns)


def blank_page(rng: random.Random) -> Picture:
    """Paper without print."""
    image = Image.new("RGB", (480, 640), tuple(rng.randint(236, 255) for _ in range(3)))
    return Picture("blank", image, (Turn("What is the total?", ""), Turn("What is the date?", "")))


def street_sign(rng: random.Random) -> Picture:
    """White letters on green, far away."""
    town, far = rng.choice(["Larkfield", "Old Mill", "Harbour", "Quarry Bank"]), rng.randint(2, 60)
    image = Image.new("RGB", (600, 450), (170, 180, 186))
    draw = ImageDraw.Draw(image)
    draw.rectangle((288, 200, 302, 450), fill=(110, 110, 110))
    draw.rounded_rectangle((140, 90, 450, 210), 10, fill=(20, 110, 70), outline="white", width=4)
    draw.text((165, 125), f"{town}  {far}", font=font("NotoSans-Bold", 34), fill="white")
    turns = (Turn("Which town is on the sign?", town), Turn("How many miles is it?", str(far)))
    return Picture("sign", image, turns)


DRAWERS: tuple[Callable[[random.Random], Picture], ...] = (
    receipt_photo,
    serif_chart,
    dark_screenshot,
    landscape,
    blank_page,
    street_sign,
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
