"""A picture that knows what is drawn on it, and where: the source of every dense label."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from style import width_of
from vocabulary import CHARACTER_CLASS, COLORS, SHAPE_CLASS

SIZE = 384
PATCH = 16
GRID = SIZE // PATCH
SLOT = 8
SLOTS = SIZE // SLOT
INK = (20, 20, 20)
# Height of a character's middle as a share of the font's ascent.
MIDDLE_OF_ASCENT = 0.62
# Share of a shape's radius within which every kind of shape has its colour, nearly.
DISC_RADIUS = 0.75

Point = tuple[float, float]


@dataclass(frozen=True)
class Print:
    """A printed string. `middle` and `x` tell its place on the flat page, for reading order;
    `points[i]` is the pixel of character i's middle in the picture, None for spaces; `sheet` counts
    the pages of a document, which are read one after the other."""

    middle: float
    x: float
    text: str
    points: tuple[Point | None, ...]
    sheet: int = 0

    @property
    def patches(self) -> tuple[int, ...]:
        """The patch that shows each character; -1 for spaces and what left the picture."""
        return tuple(-1 if point is None else patch_at(*point) for point in self.points)


@dataclass(frozen=True)
class Thing:
    """A shape or a bar: what it is called, its colour, and the pixel of its middle."""

    name: str
    color: str
    point: Point

    @property
    def patch(self) -> int:
        return patch_at(*self.point)


@dataclass(frozen=True)
class Disc:
    """The part of the flat page where a shape is labelled."""

    x: float
    y: float
    radius: float
    label: int


class Canvas:
    """`image` with its labels: `characters` [48, 48] names the character whose middle falls in each
    8-pixel slot, `shapes` [24, 24] the coloured shape that covers each patch's middle."""

    def __init__(self, draw, background: tuple[int, int, int] | None = None, ink=INK):
        self.background = background or tuple(draw.randint(225, 255) for _ in range(3))
        self.ink = ink
        self.image = Image.new("RGB", (SIZE, SIZE), self.background)
        self.pen = ImageDraw.Draw(self.image)
        self.prints: list[Print] = []
        self.things: list[Thing] = []
        self.discs: list[Disc] = []
        # Grid cells of `things`, where they were laid out on a grid.
        self.cells: list[tuple[int, int]] = []

    def text(self, x, y, text, font, fill=None, align="left", sheet=0) -> float:
        """Prints with its top at y and its left edge, middle or right edge at x; returns width."""
        width = width_of(font, text)
        x -= {"left": 0, "middle": width / 2, "right": width}[align]
        self.pen.text((x, y), text, font=font, fill=fill or self.ink)
        ascent = font.getmetrics()[0]
        points, left = [], 0.0
        for index, character in enumerate(text):
            right = width_of(font, text[: index + 1])
            middle = (x + (left + right) / 2, y + ascent * MIDDLE_OF_ASCENT)
            points.append(None if character == " " else middle)
            left = right
        self.prints.append(Print(y + ascent / 2, x, text, tuple(points), sheet))
        return width

    def shape(self, kind: str, color: str, x: int, y: int, radius: int) -> None:
        """Draws a filled shape around (x, y) and labels the patches that it covers."""
        fill = COLORS[color]
        if kind == "circle":
            self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
        elif kind == "square":
            half = radius * 0.85
            self.pen.rectangle((x - half, y - half, x + half, y + half), fill=fill)
        elif kind == "cross":
            half = radius * 0.35
            self.pen.rectangle((x - half, y - radius, x + half, y + radius), fill=fill)
            self.pen.rectangle((x - radius, y - half, x + radius, y + half), fill=fill)
        else:
            self.pen.polygon(_corners(kind, x, y, radius), fill=fill)
        self.thing(kind, color, x, y)
        label = SHAPE_CLASS[f"{color} {kind}"]
        self.discs.append(Disc(x, y, radius * DISC_RADIUS, label))

    def thing(self, name: str, color: str, x: float, y: float) -> None:
        """Records something whose middle is at (x, y)."""
        self.things.append(Thing(name, color, (x, y)))

    @property
    def characters(self) -> np.ndarray:
        """[48, 48] uint8; where two middles share a slot, the one printed later counts."""
        labels = np.zeros((SLOTS, SLOTS), np.uint8)
        for entry in self.prints:
            for character, point in zip(entry.text, entry.points):
                column, row = (int(c // SLOT) for c in point) if point else (-1, -1)
                if character in CHARACTER_CLASS and 0 <= column < SLOTS and 0 <= row < SLOTS:
                    labels[row, column] = CHARACTER_CLASS[character]
        return labels

    @property
    def shapes(self) -> np.ndarray:
        """[24, 24] uint8; a later shape covers an earlier one."""
        centres = np.arange(GRID) * PATCH + PATCH // 2
        columns, rows = self.flatten(*np.meshgrid(centres, centres))
        labels = np.zeros((GRID, GRID), np.uint8)
        for disc in self.discs:
            inside = (columns - disc.x) ** 2 + (rows - disc.y) ** 2 < disc.radius**2
            labels[inside] = disc.label
        return labels

    def darken(self) -> None:
        """Light on dark; labels stay."""
        self.image = ImageOps.invert(self.image)

    def flatten(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where pixels of the picture lie on the flat page."""
        return x, y

    def pixels(self) -> np.ndarray:
        """[384, 384, 3] uint8"""
        return np.array(self.image)

    def ink_pixels(self) -> np.ndarray:
        """The picture in which patches without ink are of one colour."""
        return self.pixels()


def _corners(kind: str, x: float, y: float, radius: float) -> list[tuple[float, float]]:
    if kind == "triangle":
        return [(x, y - radius), (x - radius, y + radius * 0.8), (x + radius, y + radius * 0.8)]
    if kind == "diamond":
        side = radius * 0.75
        return [(x, y - radius), (x - side, y), (x, y + radius), (x + side, y)]
    points = []
    for index in range(10):  # a star: five tips, five notches
        reach = radius if index % 2 == 0 else radius * 0.42
        angle = -math.pi / 2 + index * math.pi / 5
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return points


def patch_at(x: float, y: float) -> int:
    """Index of the patch that holds a pixel, row by row; -1 outside of the page."""
    column, row = int(x // PATCH), int(y // PATCH)
    return row * GRID + column if 0 <= column < GRID and 0 <= row < GRID else -1


def inked_patches(pixels: np.ndarray) -> np.ndarray:
    """[576] bool: patches that are not of one colour. `pixels` [384, 384, 3] uint8."""
    rows = pixels.reshape(GRID, PATCH, SIZE, 3)  # reduced first: whole rows lie together
    highest, lowest = (
        reduced.reshape(GRID, GRID, PATCH, 3) for reduced in (rows.max(1), rows.min(1))
    )
    return ((highest.max(2) - lowest.min(2)).max(-1) > 24).reshape(-1)
