"""The same questions in other words, and questions about what is not there."""

import re

from canvas import Canvas
from turn import Turn
from vocabulary import CATEGORIES, FIELD_LABELS, FIELD_QUESTIONS, ITEMS, ORDINALS, SHAPES

# Pattern of a question, and other ways to ask it. The first pattern that fits counts.
OTHER_WORDS = (
    (r"What is the total\?", ("How much is it in total?", "What is the total amount?")),
    (r"What is the name of the store\?", ("Which store is it?", "Where was this bought?")),
    (r"What is the date\?", ("Which date is shown?", "What date does it say?")),
    (r"What is the receipt number\?", ("Which number does the receipt have?",)),
    (r"How many items are there\?", ("How many things were bought?", "Count the items.")),
    (r"(?:What is the price of|How much is) the (.*)\?", (r"What does the \1 cost?",)),
    (r"What is the most expensive item\?", ("Which item costs the most?",)),
    (r"What is the cheapest item\?", ("Which item costs the least?",)),
    (r"Which item costs (.*)\?", (r"What was bought for \1?",)),
    (r"Is there (.*) on the receipt\?", (r"Was \1 bought?", r"Does the receipt list \1?")),
    (r"List the items\.", ("What was bought?", "Name all items.")),
    (r"(?:What is the value of|How much is) (.*)\?", (r"Which value has \1?", r"How high is \1?")),
    (r"Which bar is the highest\?", ("Which bar is the tallest?", "What has the highest value?")),
    (r"Which bar is the lowest\?", ("Which bar is the shortest?", "What has the lowest value?")),
    (r"What is the highest value\?", ("How high is the highest bar?", "What is the maximum?")),
    (r"What is the lowest value\?", ("How high is the lowest bar?", "What is the minimum?")),
    (r"What is the title\?", ("What is the chart called?", "What is the chart about?")),
    (r"How many bars are there\?", ("How many bars does the chart have?", "Count the bars.")),
    (r"Is (.*) higher than (.*)\?", (r"Does \1 have a higher value than \2?",)),
    (r"Which bar has the value (.*)\?", (r"Which bar shows \1?",)),
    (r"Describe the chart\.", ("What does the chart show?",)),
    (r"What is the organization\?", ("Which organization is it?", "Who issued the card?")),
    (r"What color is the header\?", ("Which color does the header have?",)),
    (r"How many fields are there\?", ("How many fields does the card have?",)),
    (r"What is the role\?", ("What does the person do?", "Which role is given?")),
    (r"What is the phone number\?", ("Which number can I call?",)),
    (r"What is the ID\?", ("Which ID does it show?",)),
    (r"Read the card\.", ("What does the card say?",)),
    (r"How many shapes are there\?", ("How many shapes do you see?", "Count the shapes.")),
    (r"How many (.*) are there\?", (r"How many \1 do you see?", r"Count the \1.")),
    (r"Is there a (.*)\?", (r"Do you see a \1?", r"Is a \1 in the picture?")),
    (r"What color is the (.*)\?", (r"Which color does the \1 have?",)),
    (r"Where is the (.*)\?", (r"In which part of the picture is the \1?",)),
    (r"What shape is (.*)\?", (r"Which shape is \1?",)),
    (r"List the shapes\.", ("Which shapes are there?", "What is in the picture?")),
    (r"What does the (.*) line say\?", (r"What is written in the \1 line?",)),
    (r"Read all the text\.", ("What is written here?", "Transcribe the page.")),
)
REPHRASED_SHARE = 0.5
REFUSAL_SHARE = 0.5


def vary(world: str, canvas: Canvas, turns: list[Turn], draw) -> tuple[list[Turn], dict[str, str]]:
    """Half of the questions in other words, on half of the pages one that must be refused.

    Also returns what each rephrased question means: {as asked: as the world asks it}.
    """
    meanings: dict[str, str] = {}
    varied = []
    for turn in turns:
        asked = rephrase(turn.question, draw) if draw.random() < REPHRASED_SHARE else turn.question
        if asked != turn.question:
            meanings[asked] = turn.question
        varied.append(Turn(asked, turn.answer))
    if draw.random() < REFUSAL_SHARE:
        refused = refusal(world, canvas, draw)
        if refused:
            varied.insert(draw.randrange(len(varied)), refused)
    return varied, meanings


def rephrase(question: str, draw) -> str:
    for pattern, others in OTHER_WORDS:
        if re.fullmatch(pattern, question):
            return re.sub(pattern, draw.choice(others), question)
    return question


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
