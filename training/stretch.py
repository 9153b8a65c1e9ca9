"""Pages of pictures that are not square, as the app's image processor hands them to the tower.

The processor of the embedded model scales every picture to 384 × 384 pixels without regard to its
shape, so print on a wide picture becomes narrow and print on a tall one low. The labels move along.
"""

from dataclasses import replace

import numpy as np
from PIL import Image

from canvas import SIZE, Canvas

# The longer edge as a multiple of the shorter one: from nearly square to 3:2.
RATIOS = (1.1, 1.5)


class Stretched(Canvas):
    """A page on a larger, wide or tall sheet of its own colour, scaled to a square."""

    def __init__(self, page: Canvas, draw):
        self.background, self.ink, self.cells, self.discs = (
            page.background, page.ink, page.cells, page.discs,
        )  # fmt: skip
        longer = round(SIZE * draw.uniform(*RATIOS))
        size = (longer, SIZE) if draw.random() < 0.5 else (SIZE, longer)
        self._offset = tuple(draw.randint(0, edge - SIZE) for edge in size)
        self._scale = tuple(SIZE / edge for edge in size)
        self.prints = [
            replace(entry, points=tuple(point and self.moved(*point) for point in entry.points))
            for entry in page.prints
        ]
        self.things = [replace(thing, point=self.moved(*thing.point)) for thing in page.things]
        sheet = Image.new("RGB", size, page.image.getpixel((0, SIZE - 1)))
        sheet.paste(page.image, self._offset)
        self.image = sheet.resize((SIZE, SIZE), Image.Resampling.LANCZOS)

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """Where the picture shows a pixel of the page."""
        return tuple((c + o) * s for c, o, s in zip((x, y), self._offset, self._scale))

    def flatten(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(c / s - o for c, o, s in zip((x, y), self._offset, self._scale))
