"""A page's questions in other words, and questions about what is not there."""

import further
import held_out
import rich
import spoken
import wording
from canvas import Canvas
from turn import Turn
from vocabulary import CATEGORIES, FIELD_LABELS, FIELD_QUESTIONS, ITEMS, ORDINALS, SHAPES

REPHRASED_SHARE = 0.5
CASUAL_SHARE = 0.7
REFUSAL_SHARE = 0.5
SPOKEN_SHARE = 0.8
TYPED_SHARE = 0.12


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


def speak(
    world: str, canvas: Canvas, turns: list[Turn], draw, casual: bool = True, varied: bool = False
) -> tuple[list[Turn], dict[str, str]]:
    """As `vary`, in people's own words, with further questions; the last turn stays the last.

    With `varied` also what the picture shows, in one sentence.
    """
    *turns, last = turns
    turns += further.further(world, canvas, [*turns, last], draw)
    if varied and (told := further.description(world, canvas, [*turns, last])):
        turns.append(told)
    if draw.random() < REFUSAL_SHARE and (refused := refusal(world, canvas, draw, casual)):
        turns.append(refused)
    draw.shuffle(turns)
    meanings: dict[str, str] = {}
    said = []
    for question, answer in [*turns, last]:
        kind, asked = draw.random(), None
        if kind < SPOKEN_SHARE:
            asked = spoken.ask(question, world, draw)
        elif kind < SPOKEN_SHARE + TYPED_SHARE:
            typed = wording.casual(question, world, draw)
            asked = None if held_out.is_held_out(typed) else typed
        said.append(Turn(asked or question, answer))
        if asked and asked != question:
            meanings[asked] = question
    return said, meanings


def refusal(world: str, canvas: Canvas, draw, any_name: bool = False) -> Turn | None:
    """A question about something that the page does not show; None if it shows everything, and
    for worlds that ask such questions themselves.

    With `any_name` half of the goods and bars are of no list.
    """
    shown = {entry.text for entry in canvas.prints}
    if world == "receipt":
        item = absent(rich.item(draw), shown) if any_name and draw.random() < 0.5 else None
        item = item or draw.choice([item for item in ITEMS if item not in shown])
        return Turn(f"How much is the {item}?", f"There is no {item} on the receipt.")
    if world == "chart":
        label = absent(rich.labels(draw, 1)[0], shown) if any_name and draw.random() < 0.5 else None
        label = label or draw.choice([label for label in CATEGORIES if label not in shown])
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
    if world != "words":
        return None
    lines = len(canvas.prints)
    if lines == len(ORDINALS):
        return None
    question = f"What does the {draw.choice(ORDINALS[lines:])} line say?"
    return Turn(question, f"There are only {lines} lines.")


def absent(name: str, shown: set[str]) -> str | None:
    """The name, unless it is a part of what the page shows or the other way round."""
    return None if any(name in text or text in name for text in shown) else name
