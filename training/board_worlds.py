"""The worlds of signs and of screens."""

import rich
from canvas import SIZE, Canvas
from shade import fitting, is_dark, rule_color, shaded
from style import Style
from turn import Turn
from vocabulary import (
    COLORS,
    NOTICES,
    SETTING_VALUES,
    SETTINGS,
    VARIABLES,
    made_up_name,
    money,
)

WHITE, BLACK = (250, 250, 250), (20, 20, 20)
# Boards with white print; yellow and orange ones have black print.
BOARD_COLORS = ("green", "blue", "brown", "red", "black", "teal", "purple", "yellow", "orange")
DARK_PRINT = ("yellow", "orange")
UNITS = ("km", "miles", "m")
ON, OFF = "On", "Off"


def sign(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A coloured board before a plain scene: towns with distances, opening hours, or a notice."""
    return draw.choice((road_sign, hours_sign, notice_sign))(draw, style)


class Board:
    """A board of a random colour on a pole, tall enough for `lines` rows of print."""

    def __init__(self, draw, lines: int, step: int):
        self.canvas = Canvas(draw, tuple(draw.randint(140, 235) for _ in range(3)))
        self.color = draw.choice(BOARD_COLORS)
        self.ink = BLACK if self.color in DARK_PRINT else WHITE
        height = lines * step + 32
        self.left, self.right = draw.randint(12, 40), SIZE - draw.randint(12, 40)
        self.top = draw.randint(16, max(17, SIZE - height - 60))
        pen, middle = self.canvas.pen, (self.left + self.right) // 2
        pen.rectangle((middle - 7, self.top + height, middle + 7, SIZE), fill=(110, 110, 110))
        box = (self.left, self.top, self.right, self.top + height)
        pen.rounded_rectangle(box, 10, fill=COLORS[self.color], outline=self.ink, width=3)
        self.canvas.thing("sign", self.color, self.left + 8, self.top + height / 2)

    def turns(self, lines: list[str]) -> list[Turn]:
        return [
            Turn("What color is the sign?", self.color.capitalize()),
            Turn("What does the sign say?", " / ".join(lines)),
            Turn("Describe the picture.", f"A {self.color} sign that says {lines[0]}."),
        ]


def road_sign(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """One to three towns, the distances at the right."""
    towns: list[str] = []
    count = draw.randint(1, 3)
    while len(towns) < count:
        rich.add_distinct(towns, made_up_name(draw))
    unit = draw.choice(UNITS)
    numbers = draw.sample(range(2, 99), len(towns))
    far = [f"{number} {unit}" for number in numbers]
    step = draw.randint(44, 60)
    board = Board(draw, len(towns), step)
    room = board.right - board.left - 40
    font = fitting(draw, style, [f"{a}  {b}" for a, b in zip(towns, far)], room, (22, 38))
    for index, (town, distance) in enumerate(zip(towns, far)):
        y = board.top + 16 + index * step + (step - font.size) / 2
        board.canvas.text(board.left + 18, y, town, font, board.ink)
        board.canvas.text(board.right - 18, y, distance, font, board.ink, align="right")
    turns = [Turn(f"How far is {town}?", distance) for town, distance in zip(towns, far)]
    other = made_up_name(draw)
    if all(other not in town and town not in other for town in towns):
        turns.append(Turn(f"How far is {other}?", f"The sign does not name {other}."))
    wanted = draw.choice([other, draw.choice(towns)])
    turns.append(Turn(f"Is {wanted} on the sign?", "Yes" if wanted in towns else "No"))
    turns.append(Turn("How many towns are there?", str(len(towns))))
    if len(towns) > 1:
        of = dict(zip(numbers, towns))
        turns.append(Turn("Which town is the nearest?", of[min(of)]))
        turns.append(Turn("Which town is the farthest?", of[max(of)]))
    else:
        turns.append(Turn("Which town is on the sign?", towns[0]))
    rows = [f"{town} {distance}" for town, distance in zip(towns, far)]
    return board.canvas, [*turns, *board.turns(rows)]


def hours_sign(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A shop with its opening hours, or with the price of one thing."""
    shop = rich.store(draw)
    opens, closes = draw.randint(6, 11), draw.randint(14, 23)
    item, price = rich.item(draw), money(draw.randint(50, 2999))
    priced = draw.random() < 0.4
    second = f"{item} {price}" if priced else f"Open {opens}:00 - {closes}:00"
    step = draw.randint(44, 60)
    board = Board(draw, 2, step)
    room = board.right - board.left - 36
    middle = (board.left + board.right) // 2
    for index, text in enumerate((shop, second)):
        font = fitting(draw, style, [text], room, (20, 34))
        y = board.top + 16 + index * step + (step - font.size) / 2
        board.canvas.text(middle, y, text, font, board.ink, align="middle")
    turns = [Turn("What is the name of the shop?", shop)]
    if priced:
        turns.append(Turn(f"What does the {item} cost?", price))
    else:
        turns.append(Turn("When does it open?", f"{opens}:00"))
        turns.append(Turn("When does it close?", f"{closes}:00"))
    return board.canvas, [*turns, *board.turns([shop, second])]


def notice_sign(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A notice, perhaps in capitals, and perhaps a room, a gate or a name below it."""
    first = draw.choice(NOTICES)
    if draw.random() < 0.5:
        first = first.upper()
    place = draw.choice((f"Room {draw.randint(1, 499)}", f"Gate {draw.randint(1, 60)}"))
    below = draw.choice((place, made_up_name(draw)))
    lines = [first, below] if draw.random() < 0.6 else [first]
    step = draw.randint(44, 70)
    board = Board(draw, len(lines), step)
    room = board.right - board.left - 36
    font = fitting(draw, style, lines, room, (22, 44))
    middle = (board.left + board.right) // 2
    for index, text in enumerate(lines):
        y = board.top + 16 + index * step + (step - font.size) / 2
        board.canvas.text(middle, y, text, font, board.ink, align="middle")
    turns = [Turn("How many lines are on the sign?", str(len(lines)))]
    turns += [Turn("What does the first line say?", first)]
    turns += [Turn("What does the last line say?", lines[-1])]
    return board.canvas, [*turns, *board.turns(lines)]


def screen(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """A screenshot, most of them dark: a window of settings, or lines of a program."""
    return draw.choice((settings, program))(draw, style)


def settings(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Names at the left; at the right a value, or On or Off."""
    canvas = shaded(draw, dark_share=0.75)
    names = draw.sample(SETTINGS, draw.randint(3, 7))
    title = draw.choice(("Settings", "Options", f"{made_up_name(draw)} Settings", "Preferences"))
    values = {name: setting_value(draw) for name in names}
    margin, top = draw.randint(14, 40), draw.randint(10, 20)
    canvas.pen.rectangle((0, 0, SIZE, top + 32), fill=rule_color(canvas))
    canvas.text(margin, top, title, fitting(draw, style, [title], SIZE - 80, (17, 22)))
    step = min(46, (SIZE - top - 50) // len(names))
    widest = [f"{name}    {value}" for name, value in values.items()]
    font = fitting(draw, style, widest, SIZE - 2 * margin)
    for index, (name, value) in enumerate(values.items()):
        y = top + 44 + index * step
        canvas.text(margin, y, name, font)
        canvas.text(SIZE - margin, y, value, font, align="right")
        if draw.random() < 0.5:
            rule = (margin, y + step - 6, SIZE - margin, y + step - 6)
            canvas.pen.line(rule, fill=rule_color(canvas))
    return canvas, settings_turns(draw, title, values, is_dark(canvas))


def setting_value(draw) -> str:
    kind = draw.random()
    if kind < 0.4:
        return draw.choice((ON, OFF))
    return str(draw.randint(1, 999)) if kind < 0.6 else draw.choice(SETTING_VALUES)


def settings_turns(draw, title: str, values: dict[str, str], dark: bool) -> list[Turn]:
    turns = [Turn(f"What is {name} set to?", value) for name, value in values.items()]
    other = draw.choice([name for name in SETTINGS if name not in values])
    name = draw.choice(list(values))
    turns += [
        Turn(f"What is {other} set to?", f"There is no setting {other}."),
        Turn("How many settings are there?", str(len(values))),
        Turn("How many settings are on?", str(list(values.values()).count(ON))),
        Turn("What is the title?", title),
        Turn(f"Is {name} on?", "Yes" if values[name] == ON else "No"),
    ]
    shade = "dark" if dark else "light"
    told = f"A {shade} window titled {title} with {len(values)} settings."
    return [*turns, Turn("Describe the picture.", told)]


def program(draw, style: Style) -> tuple[Canvas, list[Turn]]:
    """Numbered lines that set variables, import names and call functions."""
    canvas = shaded(draw, dark_share=0.75)
    names = draw.sample(VARIABLES, draw.randint(2, 4))
    values = {name: str(draw.randint(2, 9999)) for name in names}
    lines = [f"{name} = {value}" for name, value in values.items()]
    for _ in range(draw.randint(1, 3)):
        called = made_up_name(draw).lower()
        lines.append(draw.choice((f"import {called}", f"{called}({draw.choice(names)})")))
    draw.shuffle(lines)
    font = fitting(draw, style, [f"9  {text}" for text in lines], SIZE - 50, (14, 20))
    left, top, step = draw.randint(10, 30), draw.randint(10, 40), draw.randint(28, 44)
    for index, text in enumerate(lines):
        y = top + index * step
        canvas.text(left, y, str(index + 1), font, rule_color(canvas))
        canvas.text(left + 30, y, text, font)
    turns = [Turn(f"What is {name} set to?", value) for name, value in values.items()]
    other = draw.choice([name for name in VARIABLES if name not in values])
    turns.append(Turn(f"What is {other} set to?", f"There is no setting {other}."))
    turns.append(Turn("How many lines are there?", str(len(lines))))
    for nth in draw.sample(range(len(lines)), 2):
        turns.append(Turn(f"What does line {nth + 1} say?", lines[nth]))
    turns.append(Turn("What does the last line say?", lines[-1]))
    shade = "dark" if is_dark(canvas) else "light"
    told = f"A {shade} screen with {len(lines)} lines of a program."
    return canvas, [*turns, Turn("Describe the picture.", told)]
