"""Five synthetic worlds: a seed gives a page and questions with exact answers.

A world is a function of a random generator and a style. The order in which it draws numbers is part
of its definition: changing it changes every page of every split.
"""

import random
from typing import NamedTuple

import seeds
from canvas import NARROW, SIZE, Canvas, Style
from supervision import READ_ALL, transcript
from vocabulary import (
    ALPHANUMERIC,
    CATEGORIES,
    COLORS,
    FIELD_LABELS,
    FIELD_QUESTIONS,
    INK_CHOICES,
    ITEMS,
    MONTHS,
    ORDINALS,
    ORGANIZATIONS,
    ROLES,
    SHAPES,
    STORES,
    TOPICS,
    made_up_name,
    money,
)


# Asked by one world and then replaced by READ_ALL, which all pages with print get.
READ_LINES = "Read the text."


class Turn(NamedTuple):
    question: str
    answer: str


class Page(NamedTuple):
    world: str
    canvas: Canvas
    turns: list[Turn]


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
        color = draw.choice(palette + [draw.choice(list(COLORS))])
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
    topic = draw.choice(TOPICS)
    title = f"{topic} {draw.randint(1990, 2030)}"
    if draw.random() < 0.5:
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


def receipt(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A till receipt: store, date, number, items with prices, and their total."""
    canvas = Canvas(draw, background=tuple([draw.randint(238, 255)] * 3))
    count = draw.randint(3, 7)
    font = style.font(draw, narrow=(17, 20), wide=(15, 19))
    store_font = style.font(draw, narrow=(19, 22), wide=(20, 25))
    store, items = draw.choice(STORES), draw.sample(ITEMS, count)
    cents = [draw.randint(50, 1999) for _ in items]
    margin = draw.randint(20, 60)
    y = draw.randint(8, 18)
    canvas.text(SIZE // 2, y, store, store_font, align="middle")
    date = f"{draw.randint(1, 28)} {draw.choice(MONTHS)} {draw.randint(2015, 2029)}"
    number = str(draw.randint(100, 999))

    def row(y: int, left: str, right: str) -> None:
        canvas.text(margin, y, left, font)
        canvas.text(SIZE - margin, y, right, font, align="right")

    def rule(y: int) -> None:
        canvas.pen.line((margin, y, SIZE - margin, y), fill=(90, 90, 90))

    row(y + 36, date, "#" + number)
    rule(y + 64)
    y += 72
    step = draw.randint(24, 29)
    for item, price in zip(items, cents):
        row(y, item, money(price))
        y += step
    rule(y + 2)
    row(y + 10, "Total", money(sum(cents)))
    return canvas, receipt_turns(draw, store, date, number, items, cents)


def receipt_turns(draw, store, date, number, items, cents) -> list[Turn]:
    turns = [
        Turn("What is the total?", money(sum(cents))),
        Turn("What is the name of the store?", store),
        Turn("What is the date?", date),
        Turn("What is the receipt number?", number),
        Turn("How many items are there?", str(len(items))),
    ]
    for item, price in zip(items, cents):
        question = draw.choice((f"What is the price of the {item}?", f"How much is the {item}?"))
        turns.append(Turn(question, money(price)))
    turns.append(Turn("What is the most expensive item?", items[cents.index(max(cents))]))
    turns.append(Turn("What is the cheapest item?", items[cents.index(min(cents))]))
    index = draw.randrange(len(items))
    turns.append(Turn(f"Which item costs {money(cents[index])}?", items[index]))
    wanted = draw.choice(ITEMS)
    turns.append(Turn(f"Is there {wanted} on the receipt?", "Yes" if wanted in items else "No"))
    return [*turns, Turn("List the items.", ", ".join(items))]


def card(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """An identity card: an organization on a coloured band, four to six labelled fields."""
    canvas = Canvas(draw)
    band = draw.choice([color for color in COLORS if color != "yellow"])
    font = style.font(draw, narrow=(17, 20), wide=(16, 20))
    band_font = style.font(draw, narrow=(20, 22), wide=(22, 28))
    organization = f"{made_up_name(draw)} {draw.choice(ORGANIZATIONS)}"
    canvas.pen.rectangle((0, 0, SIZE, 52), fill=COLORS[band])
    canvas.text(SIZE // 2, 10, organization, band_font, fill=(255, 255, 255), align="middle")
    values = card_values(draw)
    fields = draw.sample(list(values), draw.randint(4, 6))
    y, margin, step = draw.randint(70, 90), draw.randint(20, 50), draw.randint(36, 46)
    for field in fields:
        width = canvas.text(margin, y, f"{FIELD_LABELS[field]}:", font, fill=(90, 90, 90))
        canvas.text(margin + width + 10, y, values[field], font)
        y += step
    turns = [Turn(draw.choice(FIELD_QUESTIONS[field]), values[field]) for field in fields]
    turns.append(Turn("What is the organization?", organization))
    turns.append(Turn("What color is the header?", band.capitalize()))
    turns.append(Turn("How many fields are there?", str(len(fields))))
    field = fields[draw.randrange(len(fields))]
    turns.append(Turn(f"Which field says {values[field]}?", FIELD_LABELS[field]))
    listing = "; ".join(f"{FIELD_LABELS[field]}: {values[field]}" for field in fields)
    return canvas, [*turns, Turn("Read the card.", listing)]


def card_values(draw) -> dict[str, str]:
    """A value for every field, also for those that the card will not show."""
    return {
        "name": f"{made_up_name(draw)} {made_up_name(draw)}",
        "role": draw.choice(ROLES),
        "phone": f"{draw.randint(100, 999)}-{draw.randint(1000, 9999)}",
        "city": made_up_name(draw),
        "id": draw.choice("ABCDEFGHKLMNPRST") + str(draw.randint(1000, 9999)),
        "room": str(draw.randint(100, 999)),
        "date": f"{draw.randint(1, 28)} {draw.choice(MONTHS)} {draw.randint(2015, 2029)}",
        "age": str(draw.randint(18, 80)),
    }


def words(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Three to eight short lines of names, numbers and words."""
    canvas = Canvas(draw)
    count = draw.randint(3, 8)
    font = style.font(draw, narrow=(17, 20), wide=(15, 22))
    y, step = draw.randint(10, 30), (SIZE - 40) // count
    lines = []
    for _ in range(count):
        line = " ".join(word(draw, style) for _ in range(draw.randint(1, 2)))
        canvas.text(draw.randint(10, 80), y, line, font, fill=draw.choice(INK_CHOICES))
        lines.append(line)
        y += step
    turns = []
    for ordinal, line in zip(ORDINALS, lines):
        questions = (f"What does the {ordinal} line say?", f"Read the {ordinal} line.")
        turns.append(Turn(draw.choice(questions), line))
    turns.append(Turn("How many lines are there?", str(count)))
    turns.append(Turn("What does the last line say?", lines[-1]))
    return canvas, [*turns, Turn(READ_LINES, " / ".join(lines))]


def word(draw, style: Style) -> str:
    choices = [
        made_up_name(draw),
        made_up_name(draw).lower(),
        str(draw.randint(0, 9999)),
        draw.choice(ITEMS),
    ]
    if style.wide:
        choices.append("".join(draw.choice(ALPHANUMERIC) for _ in range(draw.randint(3, 7))))
    return draw.choice(choices)


WORLDS = {"shapes": shapes, "chart": chart, "receipt": receipt, "card": card, "words": words}


def sample(seed: int, world: str | None = None, style: Style = NARROW) -> Page:
    """The page of a seed. Its turns stand in random order; "Read all the text." comes last."""
    draw = random.Random(seed)
    world = world or draw.choice(list(WORLDS))
    canvas, turns = WORLDS[world](draw, style)
    draw.shuffle(turns)
    if canvas.prints:
        turns = [turn for turn in turns if turn.question != READ_LINES]
        turns.append(Turn(READ_ALL, transcript(canvas)[0]))
    return Page(world, canvas, turns)


def test_seed(world: str, page: int) -> int:
    """Seed of a held-out page: what evaluate.py scores and the gallery is chosen from."""
    return seeds.held_out(seeds.TEST, list(WORLDS).index(world), page)


def validation_seed(world: str, page: int) -> int:
    return seeds.held_out(seeds.VALIDATION, list(WORLDS).index(world), page)
