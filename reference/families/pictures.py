"""The pictures of all recorded cases: hard edges, thin lines, gradients, noise, no round sizes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZES = {"busy": (97, 61), "second": (64, 83), "tall": (31, 150), "wide": (210, 40)}


def draw(name: str) -> Image.Image:
    width, height = SIZES[name]
    seed = sorted(SIZES).index(name)
    random = np.random.Generator(np.random.PCG64(seed))
    x = np.arange(width) * 255 // width
    y = np.arange(height)[:, None] * 255 // height
    shades = [np.broadcast_to(x, (height, width)), np.broadcast_to(y, (height, width))]
    shades.append(255 - (shades[0] + shades[1]) // 2)
    pixels = np.stack(shades[seed % 3 :] + shades[: seed % 3], axis=-1)
    pixels = pixels + random.integers(-6, 7, (height, width, 1))
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for index in range(14):
        left, top = int(random.integers(0, width - 8)), int(random.integers(0, height - 8))
        right = left + int(random.integers(5, 30))
        bottom = top + int(random.integers(5, 30))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        if index % 3 == 0:
            pen.rectangle((left, top, right, bottom), fill=colour)
        elif index % 3 == 1:
            pen.ellipse((left, top, right, bottom), fill=colour, outline=(0, 0, 0))
        else:
            pen.line((left, bottom, right, top), fill=colour, width=index % 2 + 1)
    for column in range(0, width // 3, 2):  # one pixel on, one off: resampling must average it
        pen.line((column, height - 7, column, height - 1), fill=(255, 255, 255))
    return picture


def write(directory: Path) -> dict[str, Image.Image]:
    """Writes the PNG files and returns what a reader of those files sees."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in SIZES:
        draw(name).save(directory / f"{name}.png", optimize=True)
    return {name: Image.open(directory / f"{name}.png").convert("RGB") for name in SIZES}
