"""Sets of questions that are asked in a conversation of their own each.

`talk`: those of talk.txt; `talk-validation`: those of talk-validation.txt, to choose among
checkpoints; `gallery`: about the pages of the app's gallery; `reading`: all the text of narrow
pages; `validation`: 200 about rich validation pages, for thresholds.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import talk
import worlds
from evaluate import page_questions
from style import STYLES
from supervision import READ_ALL
from turn import Turn

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "e2e" / "gallery" / "questions.jsonl"
SAMPLES = ROOT / "public" / "samples" / "samples.json"
READING_PAGES = 10
VALIDATION_QUESTIONS = 200
# A page, the question with its answer, and the question in the words of its world.
Asked = tuple[worlds.Page, Turn, str]


def talk_questions(name: str) -> Iterator[Asked]:
    yield from ((a.page, a.turn, a.meaning) for a in talk.questions(name))


def gallery_questions() -> Iterator[Asked]:
    samples = {entry["file"]: entry for entry in json.loads(SAMPLES.read_text())}
    for line in GALLERY.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        sample = samples[Path(entry["image"]).name]
        page = worlds.sample(sample["seed"], sample["world"])
        for turn in entry["turns"]:
            yield page, Turn(turn["question"], turn["answer"]), turn["question"]


def reading_questions() -> Iterator[Asked]:
    """All the text as the first question, about READING_PAGES pages of each world with print."""
    for world in worlds.WORLDS:
        for index in range(READING_PAGES):
            page = worlds.sample(worlds.test_seed(world, index), world)
            if page.turns[-1].question == READ_ALL:
                yield page, page.turns[-1], READ_ALL


def validation_questions() -> Iterator[Asked]:
    asked = page_questions(VALIDATION_QUESTIONS, STYLES["rich"], worlds.validation_seed)
    yield from ((page, turn, page.meaning(turn.question)) for _, page, turn in asked)


KINDS: dict[str, Callable[[], Iterator[Asked]]] = {
    **{name: partial(talk_questions, name) for name in talk.SETS},
    "gallery": gallery_questions,
    "reading": reading_questions,
    "validation": validation_questions,
}
