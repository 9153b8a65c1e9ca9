"""The worlds of further graphs: line charts, pie charts, bar charts as newspapers print them."""

import math

import rich
from canvas import SIZE, Canvas
from picture_worlds import chart_turns, draw_lying_bars, draw_upright_bars
from shade import fitted, fitting, palette, rule_color, shaded
from style import Style
from turn import Turn
from vocabulary import CATEGORIES, COLORS, MONTHS, SERIF_FACES, made_up_name

# Titles that are sentences, or nearly: what is counted, and of whom.
MEASURES = ("Share of", "Number of", "Sales of", "Visitors to", "Exports from", "Users of")
TITLE_WIDTH = SIZE - 24
TITLE_SIZES = (17, 22)


def line(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """One line over four to seven labels; every point has its value above or below it."""
    canvas = shaded(draw)
    count = draw.randint(4, 7)
    title, labels = title_of(draw), labels_of(draw, count)
    values = draw.sample(range(5, 100), count)
    color = draw.choice(palette(canvas))
    step = (SIZE - 40) / count
    head(canvas, title, fitting(draw, style, [title], TITLE_WIDTH, TITLE_SIZES))
    font = fitting(draw, style, labels, step - 4, (13, 17))
    left, base, height = 24, SIZE - 44, SIZE - 150
    if draw.random() < 0.6:
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = base - 20 - share * height
            canvas.pen.line((left, y, SIZE - 16, y), fill=rule_color(canvas))
    points = [
        (left + (index + 0.5) * step, base - 20 - height * value / 100)
        for index, value in enumerate(values)
    ]
    canvas.pen.line(points, fill=COLORS[color], width=draw.randint(2, 5))
    for index, ((x, y), label, value) in enumerate(zip(points, labels, values)):
        canvas.pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=COLORS[color])
        around = values[max(0, index - 1) : index + 2]
        above = value >= sum(around) / len(around)
        canvas.text(x, y - 25 if above else y + 7, str(value), font, align="middle")
        canvas.text(x, base + 12, label, font, align="middle")
    canvas.thing("line", color, *points[0])
    canvas.pen.line((left, base + 8, SIZE - 16, base + 8), fill=canvas.ink, width=2)
    return canvas, line_turns(draw, title, labels, values, color)


def line_turns(draw, title: str, labels: list[str], values: list[int], color: str) -> list[Turn]:
    of = dict(zip(labels, values))
    asked = draw.sample(labels, 4)
    turns = [Turn(f"What is the value of {label}?", str(of[label])) for label in asked]
    first, second = sorted(draw.sample(range(len(labels)), 2))
    rises = "Yes" if values[second] > values[first] else "No"
    told = ", ".join(f"{label} {value}" for label, value in of.items())
    return [
        *turns,
        Turn("What is the title?", title),
        Turn("Where is the line the highest?", max(of, key=of.get)),
        Turn("Where is the line the lowest?", min(of, key=of.get)),
        Turn("What is the highest value?", str(max(values))),
        Turn("What is the lowest value?", str(min(values))),
        Turn("What is the last value?", str(values[-1])),
        Turn(f"Does the line rise from {labels[first]} to {labels[second]}?", rises),
        Turn("How many points are there?", str(len(values))),
        Turn("What color is the line?", color.capitalize()),
        Turn("What kind of chart is this?", "A line chart"),
        Turn("Describe the chart.", f"A line chart titled {title}: {told}."),
    ]


def pie(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Three to five slices of different sizes and colours, named in a legend or beside them."""
    canvas = shaded(draw)
    count = draw.randint(3, 5)
    title, labels = title_of(draw), labels_of(draw, count)
    shares = shares_of(draw, count)
    colors = draw.sample(palette(canvas), count)
    head(canvas, title, fitting(draw, style, [title], TITLE_WIDTH, TITLE_SIZES))
    texts = [f"{share}%" for share in shares]
    if draw.random() < 0.5:
        draw_legend(canvas, fitting(draw, style, labels, 96), labels, texts, colors)
        middles = draw_slices(canvas, (124, 214), 108, shares, colors)
    else:
        middles = draw_slices(canvas, (SIZE // 2, 214), 88, shares, colors)
        font = fitting(draw, style, labels, 84, (13, 16))
        label_slices(canvas, font, (SIZE // 2, 214), 104, middles, list(zip(labels, texts)))
    for label, color, (x, y, _) in zip(labels, colors, middles):
        canvas.thing(label, color, x, y)
    return canvas, pie_turns(draw, title, labels, shares, colors)


def draw_slices(canvas: Canvas, centre, radius: int, shares, colors) -> list[tuple]:
    """(x, y, angle) of the middle of each slice, clockwise from the top."""
    box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
    start, middles = -90.0, []
    for share, color in zip(shares, colors):
        end = start + 3.6 * share
        canvas.pen.pieslice(box, start, end, fill=COLORS[color], outline=canvas.background)
        angle = math.radians((start + end) / 2)
        reach = 0.62 * radius
        middles.append(
            (centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle), angle)
        )
        start = end
    return middles


def draw_legend(canvas: Canvas, font, labels, texts, colors) -> None:
    step = 220 // len(labels)
    for index, (label, text, color) in enumerate(zip(labels, texts, colors)):
        y = 92 + index * step
        canvas.pen.rectangle((244, y + 3, 256, y + 15), fill=COLORS[color])
        canvas.text(264, y, label, font)
        canvas.text(264, y + 20, text, font)


def label_slices(canvas: Canvas, font, centre, reach: int, middles, lines) -> None:
    """Label over share, outside of its slice, kept inside of the picture."""
    for (_, _, angle), (label, text) in zip(middles, lines):
        right = math.cos(angle) >= 0
        x = centre[0] + reach * math.cos(angle)
        y = centre[1] + (reach + 14) * math.sin(angle) - 18
        for place, words in enumerate((label, text)):
            width = font.getlength(words)
            left = min(max(x if right else x - width, 3), SIZE - 3 - width)
            canvas.text(left, min(max(y, 36), SIZE - 42) + 19 * place, words, font)


def shares_of(draw, count: int) -> list[int]:
    """Different whole percentages of 8 and more that add up to 100."""
    while True:
        cuts = sorted(draw.sample(range(8, 93), count - 1))
        shares = [high - low for low, high in zip([0, *cuts], [*cuts, 100])]
        if min(shares) >= 8 and len(set(shares)) == count:
            return shares


def pie_turns(draw, title: str, labels: list[str], shares: list[int], colors) -> list[Turn]:
    of = dict(zip(labels, shares))
    turns = [Turn(f"What is the share of {label}?", f"{share}%") for label, share in of.items()]
    first, second = draw.sample(labels, 2)
    place = draw.randrange(len(labels))
    told = ", ".join(f"{label} {share}%" for label, share in of.items())
    return [
        *turns,
        Turn("What is the title?", title),
        Turn("Which slice is the largest?", max(of, key=of.get)),
        Turn("Which slice is the smallest?", min(of, key=of.get)),
        Turn(f"Which slice has {shares[place]}%?", labels[place]),
        Turn(f"Is {first} larger than {second}?", "Yes" if of[first] > of[second] else "No"),
        Turn(f"What color is the {labels[place]} slice?", colors[place].capitalize()),
        Turn("How many slices are there?", str(len(labels))),
        Turn("What kind of chart is this?", "A pie chart"),
        Turn("Describe the chart.", f"A pie chart titled {title}: {told}."),
    ]


def press(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A bar chart in a serif typeface and one ink, on tinted or dark paper, with a long title."""
    canvas = shaded(draw, dark_share=0.3)
    face = draw.choice(SERIF_FACES)
    count = draw.randint(3, 6)
    title = f"{draw.choice(MEASURES)} {thing_of(draw)}"
    if draw.random() < 0.5:
        title += f" in {draw.randint(1950, 2030)}"
    labels = labels_of(draw, count)
    values = draw.sample(range(5, 100), count)
    color = draw.choice(palette(canvas))
    head(canvas, title, fitted(face, draw.randint(*TITLE_SIZES), [title], TITLE_WIDTH))
    lying = draw.random() < 0.5
    font = fitted(face, draw.randint(14, 17), labels, 82 if lying else (SIZE - 60) / count)
    draw_bars = draw_lying_bars if lying else draw_upright_bars
    draw_bars(canvas, font, labels, values, [color] * count)
    turns = chart_turns(draw, title, labels, values, [color] * count)
    turns.insert(-1, Turn("What kind of chart is this?", "A bar chart"))
    return canvas, turns


def head(canvas: Canvas, title: str, font) -> None:
    canvas.text(SIZE // 2, 10, title, font, align="middle")


def title_of(draw) -> str:
    if draw.random() < 0.3:
        return f"{draw.choice(MEASURES)} {thing_of(draw)}"
    topic = rich.topic(draw)
    return f"{topic} {draw.randint(1990, 2030)}" if draw.random() < 0.6 else topic


def thing_of(draw) -> str:
    return draw.choice((made_up_name(draw), draw.choice(CATEGORIES), rich.item(draw)))


def labels_of(draw, count: int) -> list[str]:
    kind = draw.random()
    if kind < 0.35:
        start = draw.randint(0, 12 - count)
        return MONTHS[start : start + count]
    if kind < 0.6:
        return draw.sample([name for name in CATEGORIES if len(name) <= rich.MAX_LABEL], count)
    return rich.labels(draw, count)
