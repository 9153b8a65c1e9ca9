"""Writes public/samples/: pages that the embedded model reads right, chosen by rule and not by eye.

    python3 reference/make_samples.py

For each slot below the held-out test seeds of its world are walked in order (those that
training/evaluate.py scores). The page's suggested questions are the first three of the slot's list
that the page offers. A page is read right if greedy decoding with the full cache, one question per
conversation, answers every question of the page exactly. A slot keeps its page as long as new weights
read it right: links, saved conversations and e2e/gallery refer to it. Otherwise the first page is
taken that offers three questions, that no earlier slot took, and that is read right. Transcripts of the whole page are left out: asked alone, most of them
end early.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

import torch
import worlds
from answering import Answerer
from supervision import READ_ALL

MODEL = ROOT / "public" / "models" / "keepsight-mini"
OUT = ROOT / "public" / "samples"
SUGGESTIONS = 3
INDEX = OUT / "samples.json"
MAX_PAGES = 200


@dataclass(frozen=True)
class Slot:
    """A place in the gallery: a world and the beginnings of the questions that it prefers."""

    id: str
    world: str
    questions: tuple[str, ...]


SLOTS = (
    Slot("receipt", "receipt", ("What is the total?", "What is the date?", "How much is the")),
    Slot(
        "chart",
        "chart",
        ("Which bar is the highest?", "What is the value of", "What is the title?"),
    ),
    Slot(
        "card",
        "card",
        ("What is the role?", "What is the phone number?", "Which city", "What is the city"),
    ),
    Slot("shapes", "shapes", ("How many shapes", "What color is", "Where is")),
    Slot(
        "words",
        "words",
        ("What does the last", "What does the second", "Read the second", "How many lines"),
    ),
    Slot(
        "receipt-2",
        "receipt",
        ("What is the most expensive item?", "Which item costs", "What is the total?"),
    ),
    Slot(
        "chart-2",
        "chart",
        ("What is the lowest value?", "Which bar has the value", "How many bars"),
    ),
    Slot("card-2", "card", ("How old", "What is the age?", "What is the ID?", "What color is")),
    Slot("shapes-2", "shapes", ("List the shapes.", "Is there", "What shape is")),
)


def main() -> None:
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.png"):
        old.unlink()
    answerer = Answerer(MODEL)
    earlier = {sample["id"]: sample["seed"] for sample in json.loads(INDEX.read_text())}
    taken: set[int] = set()
    samples = []
    for slot in SLOTS:
        sample = fill(slot, answerer, taken, earlier.get(slot.id))
        taken.add(sample["seed"])
        samples.append(sample)
        print(sample["id"], sample["seed"], list(zip(sample["questions"], sample["answers"])))
    INDEX.write_text(json.dumps(samples, indent=2) + "\n")


def fill(slot: Slot, answerer: Answerer, taken: set[int], earlier: int | None) -> dict:
    """The slot's earlier page, else the first of the test seeds, that the model reads right."""
    walked = [worlds.test_seed(slot.world, index) for index in range(MAX_PAGES)]
    for seed in walked if earlier is None else [earlier, *walked]:
        page = worlds.sample(seed, slot.world)
        asked = suggestions(slot, page.turns)
        if seed in taken or len(asked) < SUGGESTIONS or not is_read(answerer, page):
            continue
        file = f"{slot.id}.png"
        page.canvas.image.save(OUT / file, optimize=True)
        title, alt = describe(slot.world, dict(page.turns))
        return {
            "id": slot.id,
            "file": file,
            "title": title,
            "world": slot.world,
            "seed": seed,
            "alt": alt,
            "questions": [question for question, _ in asked],
            "answers": [gold for _, gold in asked],
        }
    raise RuntimeError(f"{slot.id}: none of {MAX_PAGES} pages is read right")


def is_read(answerer: Answerer, page: worlds.Page) -> bool:
    """Whether every question of the page is answered exactly, transcripts aside."""
    image = page.canvas.image
    return all(answerer.answer(image, q) == gold for q, gold in page.turns if q != READ_ALL)


def suggestions(slot: Slot, turns: list) -> list:
    """At most three (question, answer), one for each beginning that the page offers."""
    found = []
    for beginning in slot.questions:
        turn = next((t for t in turns if t[0].startswith(beginning) and t not in found), None)
        if turn:
            found.append(turn)
    return found[:SUGGESTIONS]


def describe(world: str, answers: dict[str, str]) -> tuple[str, str]:
    """Title and alternative text of a page, from its own answers."""
    if world == "receipt":
        store = answers["What is the name of the store?"]
        items = answers["How many items are there?"]
        return f"Receipt, {store}", f"Printed receipt of {store} listing {items} items and a total"
    if world == "chart":
        title = answers["What is the title?"]
        bars = answers["How many bars are there?"]
        return f"Chart, {title}", f"Bar chart titled {title} with {bars} labelled bars"
    if world == "card":
        organization = answers["What is the organization?"]
        fields = answers["How many fields are there?"]
        return f"Card, {organization}", f"Identity card of {organization} with {fields} fields"
    if world == "shapes":
        count = answers["How many shapes are there?"]
        return f"{count} shapes", f"{count} coloured shapes on a plain background"
    lines = answers["How many lines are there?"]
    return f"{lines} lines of text", f"{lines} short lines of words, names and numbers"


if __name__ == "__main__":
    main()
