"""A page's questions in other words, and questions about what is not there."""

import wording
from canvas import Canvas
from turn import Turn
from vocabulary import CATEGORIES, FIELD_LABELS, FIELD_QUESTIONS, ITEMS, ORDINALS, SHAPES

REPHRASED_SHARE = 0.5
CASUAL_SHARE = 0.7
REFUSAL_SHARE = 0.5


def vary(
    world: str, canvas: Canvas, turns: list[Turn], draw, casual: bool = False
) -> tuple[list[Turn], dict[str, str]]:
    """Half of the questions in other words, on half of the pages one that must be refused.

    With `casual` more of them, as people type. Also returns what each rephrased question means:
    {as asked: as the world asks it}.
    """
    meanings: dict[str, str] = {}

    def rephrased(question: str) -> str:
        asked = wording.casual(question, world, draw) if casual else wording.plain(question, draw)
        if asked != question:
            meanings[asked] = question
        return asked

    share = CASUAL_SHARE if casual else REPHRASED_SHARE
    varied = []
    for question, answer in turns:
        asked = rephrased(question) if draw.random() < share else question
        varied.append(Turn(asked, answer))
    refused = refusal(world, canvas, draw) if draw.random() < REFUSAL_SHARE else None
    if refused:
        asked = rephrased(refused.question) if casual else refused.question
        varied.insert(draw.randrange(len(varied)), Turn(asked, refused.answer))
    return varied, meanings


def refusal(world: str, canvas: Canvas, draw) -> Turn | None:
    """A question about something that the page does not show; None if it shows everything."""
    shown = {entry.text for entry in canvas.prints}
    if world == "receipt":
        item = draw.choice([item for item in ITEMS if item not in shown])
        return Turn(f"How much is the {item}?", f"There is no {item} on the receipt.")
    if world == "chart":
        label = draw.choice([label for label in CATEGORIES if label not in shown])
        return Turn(f"What is the value of {label}?", f"There is no bar {label}.")
    if world == "card":
        field = draw.choice([f for f, label in FIELD_LABELS.items() if f"{label}:" not in shown])
        label = FIELD_LABELS[field]
        name = label if label.isupper() else label.lower()
        return Turn(draw.choice(FIELD_QUESTIONS[field]), f"The card shows no {name}.")
    if world == "shapes":
        missing = [kind for kind in SHAPES if all(t.name != kind for t in canvas.things)]
        kind = draw.choice(missing)
        return Turn(f"What color is the {kind}?", f"There is no {kind}.")
    lines = len(canvas.prints)
    if lines == len(ORDINALS):
        return None
    question = f"What does the {draw.choice(ORDINALS[lines:])} line say?"
    return Turn(question, f"There are only {lines} lines.")
