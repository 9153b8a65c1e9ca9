"""Photographed pages: paper on a desk, seen at a slant, unevenly lit, noisy, stored as JPEG.

The labels go through the same lens: every character keeps the patch in which the picture shows it.
"""

import io
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from canvas import SIZE, Canvas
from stretch import Stretched
from style import Style

# How far a corner of the paper may lie inside of the picture, and how much smaller the whole page
# may be in each direction, as shares of the picture's side.
MAX_CORNER_SHIFT = 0.04
MAX_SHRINK = 0.12
STRETCHED_SHARE = 0.3


class Photograph(Canvas):
    """A canvas seen through a camera. Reading order stays that of the flat page."""

    def __init__(self, page: Canvas, draw):
        self.background, self.ink, self.cells, self.discs = (
            page.background, page.ink, page.cells, page.discs,
        )  # fmt: skip
        corners = paper_corners(draw)
        self._to_page = homography(corners, [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)])
        to_photo = np.linalg.inv(self._to_page)
        self.prints = [
            replace(entry, points=tuple(p and project(to_photo, *p) for p in entry.points))
            for entry in page.prints
        ]
        self.things = [replace(t, point=project(to_photo, *t.point)) for t in page.things]
        self.sharp = lay_on_desk(page.image, self._to_page, draw)
        self.image = expose(self.sharp, draw)

    def flatten(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return project(self._to_page, x, y)

    def ink_pixels(self) -> np.ndarray:
        """Before light and noise, which leave no patch of one colour."""
        return np.array(self.sharp)


def develop(canvas: Canvas, style: Style, draw) -> Canvas:
    """The canvas, or a photograph of it in `style.photo_share` of cases.

    Of the varied ones that stay flat, some are on a sheet that is not square.
    """
    if style.photo_share and draw.random() < style.photo_share:
        return Photograph(canvas, draw)
    if style.varied and draw.random() < STRETCHED_SHARE:
        return Stretched(canvas, draw)
    return canvas


def paper_corners(draw) -> list[tuple[float, float]]:
    """The paper's corners in the picture, clockwise from the top left."""
    width, height = (SIZE * (1 - draw.uniform(0, MAX_SHRINK)) for _ in range(2))
    left, top = draw.uniform(0, SIZE - width), draw.uniform(0, SIZE - height)
    corners = []
    for right, bottom in ((0, 0), (1, 0), (1, 1), (0, 1)):
        inward_x, inward_y = (draw.uniform(0, MAX_CORNER_SHIFT * SIZE) for _ in range(2))
        x = left + width - inward_x if right else left + inward_x
        y = top + height - inward_y if bottom else top + inward_y
        corners.append((x, y))
    return corners


def homography(source, target) -> np.ndarray:
    """[3, 3] projective map that takes four points to four points."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def project(matrix: np.ndarray, x, y):
    """Applies a projective map to numbers or arrays."""
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return u / w, v / w


def lay_on_desk(page: Image.Image, to_page: np.ndarray, draw) -> Image.Image:
    """The warped page over a plain desk."""
    desk = Image.new("RGB", (SIZE, SIZE), tuple(draw.randint(20, 200) for _ in range(3)))
    warp = ((SIZE, SIZE), Image.Transform.PERSPECTIVE, to_page.flatten()[:8].tolist())
    paper = page.transform(*warp, resample=Image.Resampling.BICUBIC)
    mask = Image.new("L", page.size, 255).transform(*warp, resample=Image.Resampling.BILINEAR)
    desk.paste(paper, (0, 0), mask)
    return desk


def expose(picture: Image.Image, draw) -> Image.Image:
    """Blur, a slope of light, a cast of colour, noise, and JPEG."""
    blurred = picture.filter(ImageFilter.GaussianBlur(draw.uniform(0, 0.6)))
    angle, depth = draw.uniform(0, 2 * np.pi), draw.uniform(0, 0.35)
    ramp = np.linspace(-0.5, 0.5, SIZE)
    slope = ramp[None] * np.cos(angle) + ramp[:, None] * np.sin(angle)
    cast = np.array([draw.uniform(0.9, 1.05) for _ in range(3)])
    generator = np.random.default_rng(draw.getrandbits(32))
    noise = generator.normal(0, draw.uniform(0, 6), (SIZE, SIZE, 1))
    light = (1 - depth / 2 + depth * slope)[..., None] * cast
    pixels = np.clip(np.array(blurred) * light + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=draw.randint(45, 95))
    return Image.open(file).convert("RGB")
