"""The worlds of printed pages: receipts, identity cards, lines of words."""

import rich
from canvas import SIZE, Canvas
from style import Style
from turn import Turn
from vocabulary import (
    ALPHANUMERIC,
    COLORS,
    FIELD_LABELS,
    FIELD_QUESTIONS,
    INK_CHOICES,
    ITEMS,
    MONTHS,
    ORDINALS,
    ORGANIZATIONS,
    ROLES,
    STORES,
    made_up_name,
    money,
)

# Asked by one world and then replaced by READ_ALL, which all pages with print get.
READ_LINES = "Read the text."


def receipt(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A till receipt: store, date, number, items with prices, and their total.

    Half of the rich ones add a tax.
    """
    canvas = Canvas(draw, background=tuple([draw.randint(238, 255)] * 3))
    count = draw.randint(3, 7)
    font = style.font(draw, narrow=(17, 20), wide=(15, 19))
    store_font = style.font(draw, narrow=(19, 22), wide=(20, 25))
    if style.rich:
        store, items = rich.store(draw), rich.items(draw, count)
    else:
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
    step = draw.randint(22, 27) if style.rich else draw.randint(24, 29)
    for item, price in zip(items, cents):
        row(y, item, money(price))
        y += step
    rule(y + 2)
    subtotal, tax_turns = sum(cents), []
    if style.rich and draw.random() >= 0.5:
        tax = round(subtotal * draw.randint(3, 21) / 100)
        total = subtotal + tax
        sums = (("Subtotal", subtotal), ("Tax", tax), ("Total", total))
        for index, (name, amount) in enumerate(sums):
            row(y + 8 + index * step, name, money(amount))
        tax_turns = [
            Turn("What is the subtotal?", money(subtotal)),
            Turn("How much is the tax?", money(tax)),
        ]
    else:
        total = subtotal
        row(y + 10, "Total", money(total))
    turns = receipt_turns(draw, store, date, number, items, cents, total)
    return canvas, turns + tax_turns


def receipt_turns(draw, store, date, number, items, cents, total) -> list[Turn]:
    turns = [
        Turn("What is the total?", money(total)),
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
