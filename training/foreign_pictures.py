"""Pictures that no world draws: receipt photos, newspaper charts, dark screens, scenes, signs."""

import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from turn import Turn

FONTS = Path(__file__).resolve().parent / "fonts"


class Picture(NamedTuple):
    world: str
    image: Image.Image
    turns: tuple[Turn, ...]


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{name}.ttf", size)


def price(rng: random.Random) -> str:
    return f"{rng.randint(1, 40)}.{rng.randint(0, 99):02d}"


def receipt_photo(rng: random.Random) -> Picture:
    """A narrow slip on a dark table, turned, lit from one side and a little out of focus."""
    stock = ["Oat milk", "Batteries", "Tomatoes", "Newspaper", "Olive oil", "Candles"]
    goods = rng.sample(stock, 4)
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
    turns = (
        Turn("What do I have to pay?", total),
        Turn(f"Price of {goods[1]}?", prices[1]),
        Turn("How many items are there?", str(len(goods))),
    )
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
        Turn("How many bars are there?", str(len(names))),
    )
    return Picture("serifchart", image, turns)


def dark_screenshot(rng: random.Random) -> Picture:
    """An editor with light text on a dark ground."""
    value = rng.randint(100, 999)
    body = ("def main():", f"    port = {value}", "    serve(port)")
    lines = ("import sys", "", *body, "", "main()")
    image = Image.new("RGB", (720, 480), (24, 26, 32))
    draw = ImageDraw.Draw(image)
    mono = font("LiberationMono-Regular", 22)
    for row, line in enumerate(lines):
        draw.text((20, 30 + 34 * row), f"{row + 1:2}", font=mono, fill=(90, 95, 110))
        draw.text((76, 30 + 34 * row), line, font=mono, fill=(198, 208, 220))
    turns = (
        Turn("Which port does it use?", str(value)),
        Turn("How many lines are there?", "7"),
        Turn("What does the last line say?", "main()"),
    )
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
    turns = (
        Turn("What does the picture show?", "hills"),
        Turn("What is the weather?", "sunny"),
        Turn("How many shapes are there?", "0"),
    )
    return Picture("landscape", image, turns)


def blank_page(rng: random.Random) -> Picture:
    """Paper without print."""
    image = Image.new("RGB", (480, 640), tuple(rng.randint(236, 255) for _ in range(3)))
    asked = ("What is the total?", "What is the date?", "How many lines are there?")
    return Picture("blank", image, tuple(Turn(question, "") for question in asked))


def street_sign(rng: random.Random) -> Picture:
    """White letters on green, far away."""
    town, far = rng.choice(["Larkfield", "Old Mill", "Harbour", "Quarry Bank"]), rng.randint(2, 60)
    image = Image.new("RGB", (600, 450), (170, 180, 186))
    draw = ImageDraw.Draw(image)
    draw.rectangle((288, 200, 302, 450), fill=(110, 110, 110))
    draw.rounded_rectangle((140, 90, 450, 210), 10, fill=(20, 110, 70), outline="white", width=4)
    draw.text((165, 125), f"{town}  {far}", font=font("NotoSans-Bold", 34), fill="white")
    turns = (
        Turn("Which town is on the sign?", town),
        Turn("How many miles is it?", str(far)),
        Turn("What color is the sign?", "Green"),
    )
    return Picture("sign", image, turns)


def dark_chart(rng: random.Random) -> Picture:
    """A dashboard: a few coloured bars on a dark ground, wide."""
    names = rng.sample(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 5)
    values = rng.sample(range(2, 60), 5)
    image = Image.new("RGB", (960, 540), (22, 27, 38))
    draw = ImageDraw.Draw(image)
    draw.text((40, 24), "Rain in millimetres", font=font("NotoSans-Bold", 32), fill=(235, 238, 245))
    label = font("NotoSans-Regular", 24)
    for place, (name, value) in enumerate(zip(names, values)):
        x = 70 + 175 * place
        color = tuple(rng.randint(90, 240) for _ in range(3))
        draw.rounded_rectangle((x, 460 - 5 * value, x + 90, 460), 6, fill=color)
        draw.text((x + 45, 452 - 5 * value), f"{value}", font=label, fill="white", anchor="mb")
        draw.text((x + 45, 472), name, font=label, fill=(200, 205, 215), anchor="ma")
    wettest = names[values.index(max(values))]
    turns = (
        Turn("Which day was the wettest?", wettest),
        Turn(f"What is the value of {names[1]}?", str(values[1])),
        Turn("How many bars are there?", str(len(names))),
    )
    return Picture("darkchart", image, turns)


def dark_settings(rng: random.Random) -> Picture:
    """A settings window of a phone or a computer, dark."""
    rows = rng.sample(
        [("Wireless", "Home 5G"), ("Sounds", "Loud"), ("Display", "Auto"), ("Power", "87 %")], 4
    )
    image = Image.new("RGB", rng.choice([(1280, 800), (600, 1000)]), (28, 29, 34))
    draw = ImageDraw.Draw(image)
    name, value = font("NotoSans-Regular", 30), font("NotoSans-Regular", 28)
    draw.rectangle((0, 0, image.width, 76), fill=(44, 45, 54))
    draw.text((36, 18), "Control panel", font=font("NotoSans-Bold", 30), fill=(235, 235, 240))
    for row, (left, right) in enumerate(rows):
        y = 120 + 120 * row
        draw.text((48, y), left, font=name, fill=(215, 215, 222))
        draw.text((image.width - 48, y), right, font=value, fill=(140, 190, 250), anchor="ra")
    turns = (
        Turn(f"What is set for {rows[1][0]}?", rows[1][1]),
        Turn("How many lines are there?", str(len(rows) + 1)),
        Turn("What is the title?", "Control panel"),
    )
    return Picture("darksettings", image, turns)


def still_life(rng: random.Random) -> Picture:
    """Shaded balls on a table, with the noise of a camera."""
    grain = np.random.default_rng(rng.getrandbits(32)).normal(0, 8, (480, 640, 1))
    image = Image.fromarray((np.array((150, 128, 104)) + grain).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    count = rng.randint(2, 5)
    for place in range(count):
        x, y, radius = 90 + 115 * place, rng.randint(220, 320), rng.randint(35, 55)
        color = tuple(rng.randint(60, 220) for _ in range(3))
        for ring in range(radius, 0, -3):
            light = 1.5 - ring / radius
            shade = tuple(min(255, int(part * light)) for part in color)
            box = (x - ring, y - ring, x + ring * 0.8, y + ring * 0.8)
            draw.ellipse(box, fill=shade)
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    turns = (
        Turn("How many balls are there?", str(count)),
        Turn("What is behind them?", "nothing"),
        Turn("How many lines are there?", "0"),
    )
    return Picture("stilllife", image, turns)
