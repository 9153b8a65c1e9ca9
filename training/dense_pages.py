"""Pages for the vision tower alone: full of text or shapes, no questions."""

import random

import worlds
from camera import develop
from canvas import SIZE, Canvas
from style import NARROW, Style, load_font
from vocabulary import (
    CATEGORIES,
    CHARACTERS,
    COLORS,
    FIELD_LABELS,
    ITEMS,
    MONTHS,
    ROLES,
    SHAPES,
    STORES,
    TOPICS,
    made_up_name,
    money,
)

HEADINGS = STORES + TOPICS + ["Total"] + [f"{label}:" for label in FIELD_LABELS.values()]
SINGLE_WORDS = ITEMS + CATEGORIES + MONTHS + ROLES
# Upper ends of the shares of random strings, numbers, prices, names, headings; the rest are words.
NARROW_SHARES = (0.12, 0.4, 0.55, 0.75, 0.82)
WIDE_SHARES = (0.45, 0.6, 0.7, 0.75, 0.82)


def sample(seed: int, style: Style = NARROW) -> Canvas:
    """Six in ten are text, two are scattered shapes, two are pages of a world."""
    draw = random.Random(seed)
    if draw.random() < 0.6:
        return develop(text_page(draw, style), style, draw)
    if draw.random() < 0.5:
        return develop(shape_page(draw), style, draw)
    return worlds.sample(seed, style=style).canvas


def shape_page(draw) -> Canvas:
    """Shapes anywhere; later ones cover earlier ones, and so do their labels."""
    canvas = Canvas(draw)
    for _ in range(draw.randint(4, 14)):
        radius = draw.randint(16, 44)
        kind, color = draw.choice(SHAPES), draw.choice(list(COLORS))
        x, y = draw.randint(radius, SIZE - radius), draw.randint(radius, SIZE - radius)
        canvas.shape(kind, color, x, y, radius)
    return canvas


def text_page(draw, style: Style) -> Canvas:
    """Lines of unrelated strings, each line in its own face, size and colour; some pages dark."""
    dark = draw.random() < 0.15
    shade = (0, 90) if dark else (200, 255)
    canvas = Canvas(draw, background=tuple(draw.randint(*shade) for _ in range(3)))
    y = draw.randint(0, 10)
    while y < SIZE - 14:
        size = draw.randint(13, 24) if style.wide else draw.randint(15, 22)
        font = load_font(style.face(draw), size)
        x = draw.randint(0, 30)
        ink = (190, 255) if dark else (0, 110)
        fill = tuple(draw.randint(*ink) for _ in range(3))
        while x < SIZE - 20:
            text = dense_string(draw, style)
            if x + font.getlength(text) > SIZE:
                break
            x += canvas.text(x, y, text, font, fill=fill) + draw.randint(5, 22)
        y += int(size * 1.25) + draw.randint(0, 8)
    return canvas


def dense_string(draw, style: Style) -> str:
    strings, numbers, prices, names, headings = WIDE_SHARES if style.wide else NARROW_SHARES
    kind = draw.random()
    if kind < strings:
        return "".join(draw.choice(CHARACTERS) for _ in range(draw.randint(1, 8)))
    if kind < numbers:
        return str(draw.randint(0, 99999))
    if kind < prices:
        return money(draw.randint(50, 99999))
    if kind < names:
        return made_up_name(draw)
    return draw.choice(HEADINGS if kind < headings else SINGLE_WORDS)
