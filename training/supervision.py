"""Where an answer can be read from, and where a question points to.

The renderer knows which patch shows each character, so attention can be taught directly: from an
answer to the patch of its next character, and from a word of the question to the same word on the
page.
"""

from canvas import Canvas, Print, Thing
from vocabulary import COLORS, FIELD_SYNONYMS, SHAPES

READ_ALL = "Read all the text."
NOWHERE = -1
# Prints whose middles are closer than this (pixels) stand in one row.
ROW_HEIGHT = 9
LISTINGS = (
    "List the items.",
    "List the columns.",
    "Read the card.",
    "Describe the chart.",
    "What does the sign say?",
)


def transcript(canvas: Canvas) -> tuple[str, list[int]]:
    """The page's text in reading order, rows joined by " / ", and the patch of each character."""
    rows: list[tuple[tuple[int, float], list[Print]]] = []
    for entry in sorted(canvas.prints, key=lambda p: (p.sheet, p.middle, p.x, p.text)):
        (sheet, middle), row = rows[-1] if rows else ((-1, 0.0), [])
        if sheet == entry.sheet and abs(middle - entry.middle) < ROW_HEIGHT:
            row.append(entry)
        else:
            rows.append(((entry.sheet, entry.middle), [entry]))
    text, patches = "", []
    for _, row in rows:
        separator = " / "
        for entry in sorted(row, key=lambda p: p.x):
            if text:
                text += separator
                patches += [NOWHERE] * len(separator)
            text += entry.text
            patches += entry.patches
            separator = " "
    return text, patches


def locate(canvas: Canvas, question: str, answer: str) -> list[int] | None:
    """The patch of each character of an answer that is copied from the page; None if it is not."""
    if question == READ_ALL:
        return transcript(canvas)[1]
    printed = printed_once(canvas, answer)
    if printed:
        return list(printed)
    if question == "List the shapes.":
        return locate_listed_shapes(canvas, answer)
    if question in LISTINGS or question.startswith("Read the row of "):
        return locate_listing(canvas, answer)
    thing = asked_thing(canvas, question)
    return [thing.patch] * len(answer) if thing else None


def printed_once(canvas: Canvas, text: str) -> tuple[int, ...] | None:
    """The patches of a string that stands on the page exactly once."""
    found = [entry.patches for entry in canvas.prints if entry.text == text]
    return found[0] if len(found) == 1 else None


def asked_thing(canvas: Canvas, question: str) -> Thing | None:
    """The one shape or bar whose colour, kind or place is asked for."""
    if question.startswith("What color is the ") and canvas.things:
        name = question.removeprefix("What color is the ")[:-1]
        name = name.removesuffix(" bar").removesuffix(" slice")
        found = [thing for thing in canvas.things if thing.name == name]
    elif question.startswith("What shape is "):
        color = question.removeprefix("What shape is ")[:-1]
        found = [thing for thing in canvas.things if thing.color == color]
    elif question.startswith("Where is the "):
        name = question.removeprefix("Where is the ")[:-1]
        found = [thing for thing in canvas.things if thing.name == name]
    else:
        return None
    return found[0] if len(found) == 1 else None


def locate_listed_shapes(canvas: Canvas, answer: str) -> list[int]:
    in_order = sorted(range(len(canvas.things)), key=lambda index: canvas.cells[index])
    patches: list[int] = []
    for number, (name, index) in enumerate(zip(answer.split(", "), in_order)):
        patches += [NOWHERE] * len(", ") if number else []
        patches += [canvas.things[index].patch] * len(name)
    return patches


def locate_listing(canvas: Canvas, answer: str) -> list[int] | None:
    """Finds the page's strings inside a longer answer, the longest first."""
    patches = [NOWHERE] * len(answer)
    parts = sorted({entry.text for entry in canvas.prints}, key=len, reverse=True)
    at = 0
    while at < len(answer):
        part = next((p for p in parts if answer.startswith(p, at) and whole(answer, at, p)), None)
        if part is None:
            at += 1
            continue
        patches[at : at + len(part)] = printed_once(canvas, part) or [NOWHERE] * len(part)
        at += len(part)
    return patches if max(patches) >= 0 else None


def whole(text: str, start: int, part: str) -> bool:
    """Whether `part` at `start` is not the middle of a longer word."""
    end = start + len(part)
    before = start > 0 and text[start - 1].isalnum()
    after = end < len(text) and text[end].isalnum()
    return not before and not after


def question_words(
    canvas: Canvas, question: str, meaning: str | None = None
) -> list[tuple[int, int, list[int]]]:
    """What a question names and the page shows: (start, end, patch of each character).

    `meaning`: the question in the words of its world, where it is asked in others.
    """
    meaning = meaning or question
    if meaning.startswith(("Read", "List", "Describe")):
        return []
    found = printed_words(canvas, question)
    if canvas.things and not canvas.prints and not meaning.startswith("How many"):
        found += named_shapes(canvas, question)
    return found


def printed_words(canvas: Canvas, question: str) -> list[tuple[int, int, list[int]]]:
    found, taken = [], [False] * len(question)
    for entry in distinct_prints(canvas):
        span = find_print(question, entry.text, taken)
        repeated = sum(other.text == entry.text for other in canvas.prints) > 1
        if span is None or repeated:
            continue
        start, end = span
        patches = list(entry.patches[: end - start])
        patches += [patches[-1]] * (end - start - len(patches))
        found.append((start, end, patches))
        taken[start:end] = [True] * (end - start)
    return found


def distinct_prints(canvas: Canvas) -> list[Print]:
    """Prints that differ in text or place, the longest text first."""
    distinct = {(entry.text, entry.patches): entry for entry in canvas.prints}
    ordered = [distinct[key] for key in sorted(distinct)]
    return sorted(ordered, key=lambda entry: -len(entry.text))


def find_print(question: str, text: str, taken: list[bool]) -> tuple[int, int] | None:
    """Where a question names a printed string: as printed, as a label, or by a synonym."""
    lowered = question.lower()
    bare = text.rstrip(":").removeprefix("#")
    needles = [bare.lower()] if text.endswith(":") else [text, bare]
    needles += [word for word, label in FIELD_SYNONYMS.items() if label == bare]
    for needle in needles:
        exact = needle[:1].isupper() or needle[:1] in "$#" or needle[:1].isdigit()
        start = (question if exact else lowered).find(needle)
        if start < 0 and exact:  # typed without its capital
            start = lowered.find(needle.lower())
        if bare == "Total" and start < 0:
            needle = "total"
            start = lowered.find(needle)
        end = start + len(needle)
        if start >= 0 and whole(question, start, needle) and not any(taken[start:end]):
            return start, end
    return None


def named_shapes(canvas: Canvas, question: str) -> list[tuple[int, int, list[int]]]:
    """Colours and kinds in a question about shapes, pointing at the first shape that fits all."""
    lowered = question.lower()
    asked = [w for w in lowered.strip("?").split() if w in COLORS or w in SHAPES]
    fitting = [t for t in canvas.things if all(w in (t.name, t.color) for w in asked)]
    found = []
    for name in sorted({n for thing in canvas.things for n in (thing.name, thing.color)}):
        start = lowered.find(name)
        hits = [thing for thing in fitting if name in (thing.name, thing.color)]
        if start >= 0 and hits:
            found.append((start, start + len(name), [hits[0].patch] * len(name)))
    return found
