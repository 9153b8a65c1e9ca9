"""The worlds of coloured shapes and of bar charts."""

import rich
from canvas import SIZE, Canvas
from style import Style
from turn import Turn
from vocabulary import CATEGORIES, COLORS, MONTHS, SHAPES, TOPICS


def shapes(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Coloured shapes on a grid of 3 × 3 or 4 × 4 cells: count, colour, place."""
    canvas = Canvas(draw)
    count, grid = draw.randint(2, 9), draw.choice((3, 4))
    cell = SIZE // grid
    every_cell = [(row, column) for row in range(grid) for column in range(grid)]
    canvas.cells = draw.sample(every_cell, min(count, grid * grid))
    palette = draw.sample(list(COLORS), draw.randint(2, 5))
    kinds = draw.sample(SHAPES, draw.randint(2, 4))
    for row, column in canvas.cells:
        kind, color = draw.choice(kinds), draw.choice(palette)
        radius = draw.randint(int(cell * 0.2), int(cell * 0.38))
        x = column * cell + cell // 2 + draw.randint(-6, 6)
        y = row * cell + cell // 2 + draw.randint(-6, 6)
        canvas.shape(kind, color, x, y, radius)
    return canvas, shape_turns(draw, canvas, grid, palette, kinds)


def shape_turns(draw, canvas: Canvas, grid: int, palette: list, kinds: list) -> list[Turn]:
    drawn = list(zip(canvas.things, canvas.cells))

    def count(kind=None, color=None) -> int:
        return sum(t.name == (kind or t.name) and t.color == (color or t.color) for t, _ in drawn)

    turns = [Turn("How many shapes are there?", str(len(drawn)))]
    for kind in kinds:
        plural = kind + ("es" if kind == "cross" else "s")
        turns.append(Turn(f"How many {plural} are there?", str(count(kind))))
    for _ in range(2):
        color = draw.choice(palette)
        turns.append(Turn(f"How many {color} shapes are there?", str(count(color=color))))
    for _ in range(2):
        kind = draw.choice(SHAPES)
        color = draw.choice([*palette, draw.choice(list(COLORS))])
        found = "Yes" if count(kind, color) else "No"
        turns.append(Turn(f"Is there a {color} {kind}?", found))
    for kind in [kind for kind in kinds if count(kind) == 1][:2]:
        thing, cell = next(entry for entry in drawn if entry[0].name == kind)
        turns.append(Turn(f"What color is the {kind}?", thing.color.capitalize()))
        turns.append(Turn(f"Where is the {kind}?", f"At the {place(cell, grid)}"))
    for color in [color for color in palette if count(color=color) == 1][:2]:
        thing = next(thing for thing, _ in drawn if thing.color == color)
        turns.append(Turn(f"What shape is {color}?", thing.name.capitalize()))
    in_order = sorted(drawn, key=lambda entry: entry[1])
    listing = ", ".join(f"{thing.color} {thing.name}" for thing, _ in in_order)
    return [*turns, Turn("List the shapes.", listing)]


def place(cell: tuple[int, int], grid: int) -> str:
    """The cell in words: top, middle, bottom; left, center, right."""

    def side(index: int, low: str, high: str, between: str) -> str:
        middle = grid / 2 - 0.5
        return low if index < middle else high if index > middle else between

    return f"{side(cell[0], 'top', 'bottom', 'middle')} {side(cell[1], 'left', 'right', 'center')}"


def chart(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A bar chart, upright or lying, every bar with its label and value."""
    canvas = Canvas(draw)
    count = draw.randint(3, 6)
    font = style.font(draw, narrow=(16, 18) if count < 5 else (15, 16), wide=(14, 17))
    title_font = style.font(draw, narrow=(18, 22), wide=(18, 22))
    topic = rich.topic(draw) if style.rich else draw.choice(TOPICS)
    title = f"{topic} {draw.randint(1990, 2030)}"
    if style.rich and draw.random() < 0.6:
        labels = rich.labels(draw, count)
    elif draw.random() < 0.5:
        start = draw.randint(0, 12 - count)
        labels = MONTHS[start : start + count]
    else:
        labels = draw.sample(CATEGORIES, count)
    values = draw.sample(range(5, 100), count)
    lying = draw.random() < 0.35
    if draw.random() < 0.6:
        colors = [draw.choice(list(COLORS)) for _ in range(count)]
    else:
        colors = [draw.choice(list(COLORS))] * count
    canvas.text(SIZE // 2, 10, title, title_font, align="middle")
    (draw_lying_bars if lying else draw_upright_bars)(canvas, font, labels, values, colors)
    return canvas, chart_turns(draw, title, labels, values, colors)


def draw_lying_bars(canvas: Canvas, font, labels, values, colors) -> None:
    left, step = 95, (SIZE - 60) // len(labels)
    for index, (label, value, color) in enumerate(zip(labels, values, colors)):
        y, width = 46 + index * step, int((SIZE - left - 60) * value / 100)
        canvas.thing(label, color, left + width / 2, y + step / 2 - 2)
        canvas.pen.rectangle((left, y + 4, left + width, y + step - 8), fill=COLORS[color])
        canvas.text(left - 6, y + step / 2 - 12, label, font, align="right")
        canvas.text(left + width + 5, y + step / 2 - 12, str(value), font)
    canvas.pen.line((left, 42, left, SIZE - 12), fill=(60, 60, 60), width=2)


def draw_upright_bars(canvas: Canvas, font, labels, values, colors) -> None:
    base, step = SIZE - 40, (SIZE - 40) // len(labels)
    for index, (label, value, color) in enumerate(zip(labels, values, colors)):
        x, height = 24 + index * step, int((base - 80) * value / 100)
        canvas.thing(label, color, x + step / 2, base - height / 2)
        bar = (x + step * 0.15, base - height, x + step * 0.85, base)
        canvas.pen.rectangle(bar, fill=COLORS[color])
        canvas.text(x + step / 2, base + 8, label, font, align="middle")
        canvas.text(x + step / 2, base - height - 22, str(value), font, align="middle")
    canvas.pen.line((18, base, SIZE - 14, base), fill=(60, 60, 60), width=2)


def chart_turns(draw, title, labels, values, colors) -> list[Turn]:
    turns = []
    for label, value in zip(labels, values):
        question = draw.choice((f"What is the value of {label}?", f"How much is {label}?"))
        turns.append(Turn(question, str(value)))
    turns += [
        Turn("Which bar is the highest?", labels[values.index(max(values))]),
        Turn("Which bar is the lowest?", labels[values.index(min(values))]),
        Turn("What is the highest value?", str(max(values))),
        Turn("What is the lowest value?", str(min(values))),
        Turn("What is the title?", title),
        Turn("How many bars are there?", str(len(labels))),
    ]
    if len(set(colors)) > 1:
        index = draw.randrange(len(labels))
        question = f"What color is the {labels[index]} bar?"
        turns.append(Turn(question, colors[index].capitalize()))
    first, second = draw.sample(range(len(labels)), 2)
    higher = "Yes" if values[first] > values[second] else "No"
    turns.append(Turn(f"Is {labels[first]} higher than {labels[second]}?", higher))
    index = draw.randrange(len(labels))
    turns.append(Turn(f"Which bar has the value {values[index]}?", labels[index]))
    bars = ", ".join(f"{label} {value}" for label, value in zip(labels, values))
    return [*turns, Turn("Describe the chart.", f"A bar chart titled {title}: {bars}.")]
