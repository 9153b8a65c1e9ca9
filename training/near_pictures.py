"""Pictures near to the worlds' pages: receipts in serif type, lists on a dark screen.

They choose no threshold. They show how many wrong answers carry no mark.
"""

import random

from PIL import Image, ImageDraw, ImageFont

import rich
from foreign_pictures import Picture, font
from turn import Turn
from vocabulary import money

# Horizontal shift per pixel of height of slanted print, as in an oblique typeface.
SLANT = 0.2


def serif_receipt(rng: random.Random) -> Picture:
    """A tall sheet in a serif typeface, upright or slanted, with much space between the rows."""
    face = rng.choice(("LiberationSerif-Regular", "DejaVuSerif"))
    text, title = font(face, rng.randint(32, 40)), font(face, 54)
    names = rich.items(rng, rng.randint(3, 6))
    cents = [rng.randint(50, 3999) for _ in names]
    total = money(sum(cents))
    step, ink = rng.randint(70, 95), (34, 34, 34)
    image = Image.new("RGB", (900, 1200), (255, 255, rng.randint(235, 255)))
    slant = rng.choice((0.0, SLANT))

    def put(x: int, y: int, words: str, face: ImageFont.FreeTypeFont) -> None:
        image.paste(ink, (x, y), slanted(words, face, slant))

    put(260, 60, rich.store(rng), title)
    rows = [*zip(names, map(money, cents)), ("Total", total)]
    for row, (left, right) in enumerate(rows):
        y = 200 + step * row + (40 if left == "Total" else 0)
        put(110, y, left, text)
        put(620, y, right, text)
    rule = 200 + step * len(names) + 10
    ImageDraw.Draw(image).line((110, rule, 790, rule), fill=ink, width=3)
    asked = rng.randrange(len(names))
    turns = (
        Turn("what is the total?", total),
        Turn(f"How much is the {names[asked]}?", money(cents[asked])),
        Turn("How many items are there?", str(len(names))),
    )
    return Picture("serifreceipt", image, turns)


def slanted(words: str, face: ImageFont.FreeTypeFont, slant: float) -> Image.Image:
    """A mask of the words, leaning to the right."""
    height = 2 * face.size
    mask = Image.new("L", (int(face.getlength(words)) + height, height))
    ImageDraw.Draw(mask).text((0, 0), words, font=face, fill=255)
    lean = (1, slant, -slant * face.size, 0, 1, 0)
    return mask.transform(mask.size, Image.Transform.AFFINE, lean, Image.Resampling.BICUBIC)


def dark_list(rng: random.Random) -> Picture:
    """Light lines of text on a dark window, without numbers."""
    names = rich.items(rng, rng.randint(3, 8))
    ground = rng.randint(12, 40)
    image = Image.new("RGB", rng.choice(((1000, 700), (700, 900))), (ground, ground, ground + 8))
    draw = ImageDraw.Draw(image)
    text = font(rng.choice(("NotoSans-Regular", "DejaVuSans", "LiberationMono-Regular")), 34)
    for row, name in enumerate(names):
        draw.text((60, 60 + 78 * row), name, font=text, fill=(214, 218, 226))
    turns = (
        Turn("How many lines are there?", str(len(names))),
        Turn("What is the first line?", names[0]),
        Turn("What does the last line say?", names[-1]),
    )
    return Picture("darklist", image, turns)
