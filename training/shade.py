"""Light pages with dark print and dark pages with light print; print that fits its column."""

from PIL import ImageFont

from canvas import Canvas
from style import load_font, width_of
from vocabulary import COLORS

# Smaller print cannot be read in a 384-pixel picture.
LEAST_SIZE = 12
# A rule's colour: so much of the ink, the rest of the paper.
RULE_INK = 0.4


def shaded(draw, dark_share: float = 0.2) -> Canvas:
    """A canvas of one colour; `canvas.ink` is what its print is drawn in."""
    if draw.random() < dark_share:
        background = tuple(draw.randint(10, 60) for _ in range(3))
        return Canvas(draw, background, ink=tuple([draw.randint(195, 250)] * 3))
    return Canvas(draw, tuple(draw.randint(228, 255) for _ in range(3)))


def is_dark(canvas: Canvas) -> bool:
    return sum(canvas.ink) > sum(canvas.background)


def rule_color(canvas: Canvas) -> tuple[int, ...]:
    pairs = zip(canvas.ink, canvas.background)
    return tuple(round(RULE_INK * ink + (1 - RULE_INK) * paper) for ink, paper in pairs)


def palette(canvas: Canvas) -> list[str]:
    """Colours that stand out from the canvas."""
    hidden = "black" if is_dark(canvas) else ""
    return [color for color in COLORS if color != hidden]


def fitting(
    draw, style, texts: list[str], width: float, sizes: tuple[int, int] = (14, 18)
) -> ImageFont.FreeTypeFont:
    """A random typeface in the largest size up to a random one in which every text fits."""
    return fitted(style.face(draw), draw.randint(*sizes), texts, width)


def fitted(face: str, size: int, texts: list[str], width: float) -> ImageFont.FreeTypeFont:
    while size > LEAST_SIZE and max(width_of(load_font(face, size), t) for t in texts) > width:
        size -= 1
    return load_font(face, size)
