"""More kinds of questions about a page: comparisons, places in a list, what is there, one sentence.

They are derived from the page's own questions, so that worlds and their seeds stay as they are.
"""

import re
from itertools import pairwise

import rich
from canvas import Canvas
from turn import Turn
from vocabulary import COLORS, FIELD_LABELS, ORDINALS, SHAPES

PRICED = re.compile(r"(?:What is the price of|How much is) the (.*)\?")
# How many of a page's further questions are asked.
MOST = 3


def further(world: str, canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    """Up to MOST of the world's further questions."""
    if world not in KINDS:
        return []
    made = KINDS[world](canvas, turns, draw)
    return draw.sample(made, min(MOST, len(made)))


def description(world: str, canvas: Canvas, turns: list[Turn]) -> Turn | None:
    """What the picture shows, in one sentence, for the worlds that have no such question."""
    answers = dict(turns)
    if world == "card":
        fields = answers["How many fields are there?"]
        told = f"A card of {answers['What is the organization?']} with {fields} fields."
    elif world == "shapes":
        told = f"A picture with {answers['How many shapes are there?']} shapes."
    else:
        return None
    return Turn("Describe the picture.", told)


def about_receipt(canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    answers = dict(turns)
    items = answers["List the items."].split(", ")
    matches = ((PRICED.fullmatch(turn.question), turn.answer) for turn in turns)
    prices = {match[1]: float(answer[1:]) for match, answer in matches if match}
    place = draw.randrange(len(items))
    made = [
        Turn(f"What is the {ORDINALS[place]} item?", items[place]),
        Turn(
            "Describe the receipt.",
            f"A receipt from {answers['What is the name of the store?']} with {len(items)} items, "
            f"{answers['What is the total?']} in total.",
        ),
    ]
    first, second = draw.sample(items, 2)
    if prices[first] != prices[second]:
        dearer = max(first, second, key=prices.get)
        more = "Yes" if dearer == first else "No"
        made += [
            Turn(f"Which costs more, the {first} or the {second}?", dearer),
            Turn(f"Is the {first} more expensive than the {second}?", more),
        ]
    wanted = draw.choice([draw.choice(items), rich.item(draw)])
    if wanted in items or all(wanted not in item and item not in wanted for item in items):
        made.append(Turn(f"Is there {wanted} on the receipt?", yes(wanted in items)))
    return made


def about_chart(canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    listed = dict(turns)["Describe the chart."].split(": ", 1)[1].removesuffix(".").split(", ")
    values = {label: int(value) for label, value in (entry.rsplit(" ", 1) for entry in listed)}
    labels = list(values)
    first, second = draw.sample(labels, 2)
    place = draw.randrange(len(labels))
    wanted = draw.choice([draw.choice(labels), draw.choice(rich.labels(draw, 3))])
    return [
        Turn(f"Which is higher, {first} or {second}?", max(first, second, key=values.get)),
        Turn(f"Is {second} higher than {first}?", yes(values[second] > values[first])),
        Turn(f"What is the {ORDINALS[place]} bar?", labels[place]),
        Turn(f"Is there a bar for {wanted}?", yes(wanted in labels)),
    ]


def about_card(canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    shown = {entry.text for entry in canvas.prints}
    labels = draw.sample(list(FIELD_LABELS.values()), 2)
    return [
        Turn(
            f"Does the card show {'an' if label in ('ID', 'Age') else 'a'} "
            f"{label if label.isupper() else label.lower()}?",
            yes(f"{label}:" in shown),
        )
        for label in labels
    ]


def about_shapes(canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    def count(name: str) -> int:
        return sum(name in (thing.name, thing.color) for thing in canvas.things)

    kinds = sorted({thing.name for thing in canvas.things})
    colors = sorted({thing.color for thing in canvas.things})
    asked = [(f"{a} shapes", f"{b} shapes", count(a), count(b)) for a, b in pair_of(colors, draw)]
    asked += [(many(a), many(b), count(a), count(b)) for a, b in pair_of(kinds, draw)]
    made = [Turn(f"Are there more {a} than {b}?", yes(m > n)) for a, b, m, n in asked]
    kind = draw.choice([draw.choice(kinds), draw.choice(SHAPES)])
    color = draw.choice([draw.choice(colors), draw.choice(list(COLORS))])
    return [
        *made,
        Turn(f"Is there a {kind}?", yes(count(kind) > 0)),
        Turn(f"Is there anything {color}?", yes(count(color) > 0)),
    ]


def about_words(canvas: Canvas, turns: list[Turn], draw) -> list[Turn]:
    return [Turn("Describe the page.", f"A page with {len(canvas.prints)} lines of text.")]


KINDS = {
    "receipt": about_receipt,
    "chart": about_chart,
    "card": about_card,
    "shapes": about_shapes,
    "words": about_words,
}


def pair_of(names: list[str], draw):
    """[A pair of different names], or [] if there are not two."""
    return list(pairwise(draw.sample(names, len(names))))[:1]


def many(kind: str) -> str:
    return f"{kind}es" if kind == "cross" else f"{kind}s"


def yes(fact: bool) -> str:
    return "Yes" if fact else "No"
