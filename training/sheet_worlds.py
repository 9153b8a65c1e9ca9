"""The worlds of ruled sheets: tables, filled-in forms, documents of two pages."""

import rich
from canvas import SIZE, Canvas
from print_worlds import word
from shade import fitting, rule_color, shaded
from style import Style
from turn import Turn
from vocabulary import (
    CATEGORIES,
    CHOICES,
    FORM_TITLES,
    MONTHS,
    NUMBER_COLUMNS,
    ORDINALS,
    ROW_COLUMNS,
    STREETS,
    made_up_name,
    money,
)

Rows = list[list[str]]
EMPTY = "Nothing"


def table(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Three to six rows of a name and two or three numbers, with a header and perhaps a title."""
    canvas = shaded(draw)
    count, names = draw.randint(3, 6), draw.sample(NUMBER_COLUMNS, draw.randint(2, 3))
    title = f"{rich.topic(draw)} {draw.randint(1990, 2030)}" if draw.random() < 0.7 else None
    rows = [[name] for name in row_names(draw, count)]
    for name in names:
        is_money = name in ("Price", "Cost") and draw.random() < 0.6
        for row, value in zip(rows, draw.sample(range(5, 999), count)):
            row.append(money(7 * value) if is_money else str(value))
    header = [draw.choice(ROW_COLUMNS), *names]
    margin, top = draw.randint(10, 30), 52 if title else draw.randint(12, 40)
    if title:
        font = fitting(draw, style, [title], SIZE - 30, (17, 21))
        canvas.text(SIZE // 2, 12, title, font, align="middle")
    column = (SIZE - 2 * margin) / len(header)
    step = min((SIZE - top - 8) // (count + 1), draw.randint(30, 50))
    font = fitting(draw, style, [text for row in [header, *rows] for text in row], column - 12)
    rule_table(draw, canvas, [margin, top, column, step], len(rows) + 1, len(header))
    right = draw.random() < 0.5
    for index, row in enumerate([header, *rows]):
        for place, text in enumerate(row):
            end = right and place > 0
            x = margin + column * (place + 1) - 6 if end else margin + column * place + 6
            y = top + index * step + (step - font.size) / 2 - 2
            canvas.text(x, y, text, font, align="right" if end else "left")
    return canvas, table_turns(draw, title, header, rows)


def row_names(draw, count: int) -> list[str]:
    """Different short names for rows."""
    kind = draw.random()
    if kind < 0.3:
        return rich.labels(draw, count)
    if kind < 0.5:
        return draw.sample([name for name in CATEGORIES if len(name) <= rich.MAX_LABEL], count)
    found: list[str] = []
    while len(found) < count:
        name = made_up_name(draw)
        if len(name) <= rich.MAX_LABEL:
            rich.add_distinct(found, name)
    return found


def rule_table(draw, canvas: Canvas, box: list, rows: int, columns: int) -> None:
    """Lines under the header, between rows, or around cells. `box`: left, top, column, row."""
    left, top, column, step = box
    right, bottom = left + column * columns, top + step * rows
    color, kind = rule_color(canvas), draw.randrange(3)
    for index in range(rows + 1) if kind else (1,):
        canvas.pen.line((left, top + index * step, right, top + index * step), fill=color)
    for index in range(columns + 1) if kind == 2 else ():
        canvas.pen.line((left + index * column, top, left + index * column, bottom), fill=color)


def table_turns(draw, title: str | None, header: list[str], rows: Rows) -> list[Turn]:
    turns = []
    cells = [(row, place) for row in rows for place in range(1, len(header))]
    for row, place in draw.sample(cells, 5):
        turns.append(Turn(f"What is the {header[place].lower()} of {row[0]}?", row[place]))
    place = draw.randrange(1, len(header))
    ordered = sorted(rows, key=lambda row: float(row[place].lstrip("$")))
    name, row, nth = header[place].lower(), draw.choice(rows), draw.randrange(len(rows))
    turns += [
        Turn(f"Which row has the highest {name}?", ordered[-1][0]),
        Turn(f"Which row has the lowest {name}?", ordered[0][0]),
        Turn(f"Which row has the {name} {row[place]}?", row[0]),
        Turn(f"What is the {ORDINALS[nth]} row?", rows[nth][0]),
        Turn("How many rows are there?", str(len(rows))),
        Turn("How many columns are there?", str(len(header))),
        Turn("List the columns.", ", ".join(header)),
        Turn(f"Read the row of {row[0]}.", ", ".join(row)),
    ]
    if title:
        turns.append(Turn("What is the title?", title))
    wanted = draw.choice([made_up_name(draw), draw.choice(rows)[0]])
    listed = [row[0] for row in rows]
    if wanted in listed or all(wanted not in name and name not in wanted for name in listed):
        turns.append(Turn(f"Is there a row for {wanted}?", "Yes" if wanted in listed else "No"))
        if wanted not in listed and wanted not in header:
            missing = f"There is no row {wanted}."
            turns.append(Turn(f"What is the {name} of {wanted}?", missing))
    told = f"A table of {', '.join(header[1:])} with {len(rows)} rows."
    return [*turns, Turn("Describe the picture.", told)]


FORM_FIELDS = {
    "Name": lambda draw: f"{made_up_name(draw)} {made_up_name(draw)}",
    "Street": lambda draw: f"{made_up_name(draw)} {draw.choice(STREETS)} {draw.randint(1, 199)}",
    "City": made_up_name,
    "Zip": lambda draw: str(draw.randint(10000, 99999)),
    "Email": lambda draw: f"{made_up_name(draw).lower()}@{made_up_name(draw).lower()}.com",
    "Phone": lambda draw: f"{draw.randint(100, 999)}-{draw.randint(1000, 9999)}",
    "Date": lambda draw: (
        f"{draw.randint(1, 28)} {draw.choice(MONTHS)} {draw.randint(2015, 2029)}"
    ),
    "Company": lambda draw: rich.store(draw),
    "Guests": lambda draw: str(draw.randint(1, 99)),
    "Country": made_up_name,
    "Amount": lambda draw: money(draw.randint(500, 99999)),
    "Reason": lambda draw: rich.item(draw),
}  # fmt: skip


def form(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A title, four or five fields, one in five of them empty, and perhaps boxes to tick."""
    canvas = shaded(draw, dark_share=0.1)
    title = draw.choice(FORM_TITLES)
    labels = draw.sample(list(FORM_FIELDS), draw.randint(4, 5))
    values = {
        label: "" if draw.random() < 0.2 else FORM_FIELDS[label](draw) for label in labels
    }
    options = list(draw.choice(CHOICES)) if draw.random() < 0.6 else []
    canvas.text(
        draw.randint(14, 60), 12, title, fitting(draw, style, [title], SIZE - 80, (18, 24))
    )
    margin, y = draw.randint(14, 24), draw.randint(54, 66)
    left = margin + 96
    label_font = fitting(draw, style, [f"{label}:" for label in labels], 88, (14, 17))
    font = fitting(draw, style, list(values.values()), SIZE - left - 24, (14, 18))
    step, boxed = (SIZE - y - (64 if options else 16)) // len(labels), draw.random() < 0.5
    for label, value in values.items():
        canvas.text(margin, y + 4, f"{label}:", label_font)
        outline = (left, y, SIZE - 14, y + 27) if boxed else (left, y + 26, SIZE - 14, y + 26)
        canvas.pen.rectangle(outline, outline=rule_color(canvas))
        if value:
            canvas.text(left + 6, y + 3, value, font)
        y += step
    ticked = tick(draw, canvas, style, options, SIZE - 46) if options else None
    return canvas, form_turns(draw, title, values, options, ticked)


def tick(draw, canvas: Canvas, style: Style, options: list[str], y: int) -> str:
    """Boxes side by side with their words, one of them crossed; returns its word."""
    chosen = draw.choice(options)
    width = (SIZE - 30) // len(options)
    font = fitting(draw, style, options, width - 34, (14, 18))
    for index, option in enumerate(options):
        x = 18 + index * width
        canvas.pen.rectangle((x, y, x + 18, y + 18), outline=canvas.ink, width=2)
        if option == chosen:
            canvas.pen.line((x + 3, y + 3, x + 15, y + 15), fill=canvas.ink, width=3)
            canvas.pen.line((x + 3, y + 15, x + 15, y + 3), fill=canvas.ink, width=3)
        canvas.text(x + 26, y - 1, option, font)
    return chosen


def form_turns(draw, title: str, values: dict, options: list[str], ticked: str | None):
    turns = [
        Turn(f"What is entered for {label}?", value or EMPTY) for label, value in values.items()
    ]
    empty = [label for label, value in values.items() if not value]
    turns += [
        Turn("What is the title?", title),
        Turn("How many fields are there?", str(len(values))),
        Turn("How many fields are empty?", str(len(empty))),
    ]
    if len(empty) == 1:
        turns.append(Turn("Which field is empty?", empty[0]))
    label = draw.choice([label for label in FORM_FIELDS if label not in values])
    turns.append(Turn(f"What is entered for {label}?", f"There is no field {label}."))
    if options:
        asked = draw.choice(options)
        turns.append(Turn("Which box is ticked?", ticked))
        turns.append(Turn(f"Is {asked} ticked?", "Yes" if asked == ticked else "No"))
    told = f"A form titled {title} with {len(values)} fields."
    return [*turns, Turn("Describe the picture.", told)]


def document(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Two numbered pages side by side, each with a heading and three to six short lines."""
    canvas = Canvas(draw, tuple([draw.randint(120, 215)] * 3))
    number = draw.randint(1, 98)
    headings: list[str] = []
    while len(headings) < 2:
        rich.add_distinct(headings, draw.choice((rich.topic(draw), rich.item(draw))))
    pages = [[sheet_line(draw, style) for _ in range(draw.randint(3, 6))] for _ in headings]
    width, paper = SIZE // 2 - 12, tuple(draw.randint(240, 255) for _ in range(3))
    font = fitting(draw, style, [text for page in pages for text in page], width - 20, (13, 16))
    head = fitting(draw, style, headings, width - 20, (15, 18))
    step = draw.randint(30, 44)
    for side, (heading, lines) in enumerate(zip(headings, pages)):
        left = 8 + side * (width + 8)
        canvas.pen.rectangle((left, 10, left + width, SIZE - 10), fill=paper)
        canvas.text(left + 10, 22, heading, head, sheet=side)
        for index, text in enumerate(lines):
            canvas.text(left + 10, 62 + index * step, text, font, sheet=side)
        y = SIZE - 34
        canvas.text(left + width / 2, y, str(number + side), font, align="middle", sheet=side)
    return canvas, document_turns(draw, headings, pages, number)


def sheet_line(draw, style: Style) -> str:
    return " ".join(word(draw, style) for _ in range(draw.randint(1, 2)))[:18].strip()


def document_turns(draw, headings: list[str], pages: Rows, number: int) -> list[Turn]:
    turns = []
    for side, heading, lines, place in zip(("left", "right"), headings, pages, (0, 1)):
        turns += [
            Turn(f"What is the heading of the {side} page?", heading),
            Turn(f"What is the number of the {side} page?", str(number + place)),
            Turn(f"How many lines are on the {side} page?", str(len(lines))),
            Turn(f"Which page is headed {heading}?", f"The {side} page"),
        ]
        for nth in draw.sample(range(len(lines)), 2):
            question = f"What does the {ORDINALS[nth]} line of the {side} page say?"
            turns.append(Turn(question, lines[nth]))
    turns.append(Turn("How many pages are there?", "2"))
    told = f"Two pages headed {headings[0]} and {headings[1]}."
    return [*turns, Turn("Describe the picture.", told)]
