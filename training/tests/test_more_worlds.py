"""The worlds of the varied style: answers agree with the print, labels with the ink."""

import itertools
import random
import re
import unittest
from dataclasses import replace

import numpy as np

import spoken
import worlds
from canvas import GRID, PATCH, SIZE, SLOT, Canvas, inked_patches
from packing import MAX_TURNS, Packer
from shade import is_dark
from stretch import Stretched
from style import SPOKEN, VARIED, load_font
from supervision import READ_ALL, locate, question_words, transcript
from tokens import load_tokenizer
from vocabulary import COLORS

PAGES_PER_WORLD = 10
INK_CONTRAST = 24
# The style with the questions in the words of the worlds.
PLAIN = replace(VARIED, free_words=False)


def pages(world: str, style=PLAIN):
    for index in range(PAGES_PER_WORLD):
        yield worlds.sample(worlds.validation_seed(world, index), world, style)


def every_page():
    return itertools.chain.from_iterable(pages(world) for world in worlds.MORE_WORLDS)


def rows(page) -> list[list[str]]:
    """Prints on one line, from left to right."""
    text, _ = transcript(page.canvas)
    return [line.split(" ") for line in text.split(" / ")]


class Labels(unittest.TestCase):
    def test_a_labelled_slot_shows_ink(self):
        slots = 0
        for page in every_page():
            pixels = page.canvas.pixels().astype(int)
            for row, column in np.argwhere(page.canvas.characters):
                top, left = row * SLOT, column * SLOT
                around = pixels[max(0, top - 12) : top + 20, max(0, left - 12) : left + 20]
                contrast = (around.max((0, 1)) - around.min((0, 1))).max()
                self.assertGreater(contrast, INK_CONTRAST, page.world)
                slots += 1
        self.assertGreater(slots, 3000)

    def test_everything_printed_lies_inside_of_the_picture(self):
        for page in every_page():
            for entry in page.canvas.prints:
                for character, patch in zip(entry.text, entry.patches):
                    self.assertTrue(patch >= 0 or character == " ", (page.world, entry.text))

    def test_blank_patches_have_no_label(self):
        for page in every_page():
            blank = ~inked_patches(page.canvas.ink_pixels()).reshape(GRID, GRID)
            shown = page.canvas.characters.reshape(GRID, 2, GRID, 2).any((1, 3))
            self.assertLess((shown & blank).sum(), 3, page.world)

    def test_coloured_things_lie_in_their_colour(self):
        seen = 0
        for world in ("sign", "line", "pie", "press"):
            for page in pages(world, replace(PLAIN, varied=False)):
                pixels = page.canvas.pixels()
                for thing in page.canvas.things:
                    top, left = (PATCH * place for place in divmod(thing.patch, GRID))
                    patch = pixels[top : top + PATCH, left : left + PATCH]
                    self.assertTrue((patch == COLORS[thing.color]).all(-1).any(), (world, thing))
                    seen += 1
        self.assertGreater(seen, 60)

    def test_some_pages_are_dark_and_their_print_is_light(self):
        dark = 0
        for page in every_page():
            if is_dark(page.canvas):
                dark += 1
                self.assertLess(np.median(page.canvas.pixels()), 90)
        self.assertGreater(dark, 10)


class StretchedPages(unittest.TestCase):
    def test_ink_moves_with_its_label(self):
        """A cross of one pixel's width is found where its point is said to be."""
        for seed in range(20):
            canvas = Canvas(random.Random(seed), (255, 255, 255))
            canvas.text(100, 200, "I", load_font("DejaVuSans.ttf", 40))
            moved = Stretched(canvas, random.Random(seed))
            x, y = moved.prints[0].points[0]
            dark = np.argwhere(moved.pixels().max(-1) < 128)
            self.assertLess(np.abs(dark.mean(0) - (y, x)).max(), 3.0)

    def test_a_sheet_is_wide_or_tall_and_labels_of_shapes_move_too(self):
        shapes = set()
        for seed in range(20):
            canvas = Canvas(random.Random(seed), (255, 255, 255))
            canvas.shape("square", "red", 192, 192, 60)
            moved = Stretched(canvas, random.Random(seed))
            place = np.argwhere((moved.pixels() == COLORS["red"]).all(-1))
            height, width = np.ptp(place, axis=0)
            shapes.add(width > height)
            labelled = np.argwhere(moved.shapes) * PATCH + PATCH / 2
            self.assertLess(np.abs(labelled.mean(0) - place.mean(0)).max(), PATCH / 2)
            self.assertEqual(moved.image.size, (SIZE, SIZE))
        self.assertEqual(shapes, {True, False})

    def test_old_styles_stay_square(self):
        for page in pages("card", SPOKEN):
            self.assertNotIsInstance(page.canvas, Stretched)


class Answers(unittest.TestCase):
    """Each answer is derived again from what was printed."""

    def test_tables(self):
        for page in pages("table"):
            told = dict(page.turns)
            header = told["List the columns."].split(", ")
            body = rows(page)[-int(told["How many rows are there?"]) :]
            cells = {
                (name.lower(), row[0]): cell
                for row in split(body, header)
                for name, cell in zip(header, row)
            }
            asked = 0
            for question, answer in page.turns:
                match = re.fullmatch(r"What is the (\w+) of (.*)\?", question)
                if match and not answer.startswith("There is no"):
                    self.assertEqual(answer, cells[match[1], match[2]])
                    asked += 1
                match = re.fullmatch(r"Which row has the (highest|lowest) (\w+)\?", question)
                if match:
                    of_column = ((n, v) for (c, n), v in cells.items() if c == match[2])
                    column = {name: float(value.strip("$")) for name, value in of_column}
                    extreme = max if match[1] == "highest" else min
                    self.assertEqual(answer, extreme(column, key=column.get))
            self.assertGreaterEqual(asked, 5)
            self.assertEqual(told["How many columns are there?"], str(len(header)))

    def test_forms(self):
        for page in pages("form"):
            told = dict(page.turns)
            text, _ = transcript(page.canvas)
            labels = [line.split(":")[0] for line in text.split(" / ") if ":" in line]
            empty = 0
            for label in labels:
                value = told[f"What is entered for {label}?"]
                line = next(each for each in text.split(" / ") if each.startswith(f"{label}:"))
                self.assertEqual(line, f"{label}:" if value == "Nothing" else f"{label}: {value}")
                empty += value == "Nothing"
            self.assertEqual(told["How many fields are there?"], str(len(labels)))
            self.assertEqual(told["How many fields are empty?"], str(empty))
            for question, answer in page.turns:
                if match := re.fullmatch(r"Is (.*) ticked\?", question):
                    same = told["Which box is ticked?"] == match[1]
                    self.assertEqual(answer, "Yes" if same else "No")

    def test_documents_are_read_page_by_page(self):
        for page in pages("document"):
            told = dict(page.turns)
            lines = told[READ_ALL].split(" / ")
            at = 0
            for side in ("left", "right"):
                count = int(told[f"How many lines are on the {side} page?"])
                self.assertEqual(lines[at], told[f"What is the heading of the {side} page?"])
                number = told[f"What is the number of the {side} page?"]
                self.assertEqual(lines[at + count + 1], number)
                first = told.get(f"What does the first line of the {side} page say?")
                self.assertIn(first, (None, lines[at + 1]))
                at += count + 2
            self.assertEqual(at, len(lines))

    def test_signs_and_screens(self):
        for page in itertools.chain(pages("sign"), pages("screen")):
            text, _ = transcript(page.canvas)
            lines = text.split(" / ")
            for question, answer in page.turns:
                if answer.startswith(("There is no", "The sign does not name")):
                    continue
                match = re.fullmatch(r"(?:How far is|What is) (.*?)(?: set to)?\?", question)
                if match and f" {match[1]} " in f" {text}" and not match[1].startswith("the "):
                    self.assertTrue(
                        any(answer in line and match[1] in line for line in lines), question
                    )
                if match := re.fullmatch(r"What does line (\d+) say\?", question):
                    self.assertEqual(lines[int(match[1]) - 1], f"{match[1]} {answer}")
                if question == "What does the sign say?":
                    self.assertEqual(answer, text)

    def test_graphs(self):
        for page in itertools.chain(pages("line"), pages("pie"), pages("press")):
            told = dict(page.turns)
            listed = told["Describe the chart."].split(": ", 1)[1][:-1].split(", ")
            values = {n: int(v.strip("%")) for n, v in (each.rsplit(" ", 1) for each in listed)}
            printed = {entry.text for entry in page.canvas.prints}
            self.assertLessEqual(set(values), printed)
            self.assertTrue({str(v) for v in values.values()} <= {t.strip("%") for t in printed})
            if page.world == "pie":
                self.assertEqual(sum(values.values()), 100)
                self.assertEqual(told["Which slice is the largest?"], max(values, key=values.get))
            if page.world == "line":
                self.assertEqual(told["Where is the line the lowest?"], min(values, key=values.get))
                for question, answer in page.turns:
                    if match := re.fullmatch(r"Does the line rise from (.*) to (.*)\?", question):
                        rises = values[match[2]] > values[match[1]]
                        self.assertEqual(answer, "Yes" if rises else "No")

    def test_slices_are_as_large_as_their_shares(self):
        for page in pages("pie", replace(PLAIN, varied=False)):
            listed = dict(page.turns)["Describe the chart."].split(": ", 1)[1][:-1].split(", ")
            shares = dict(each.rsplit(" ", 1) for each in listed)
            pixels = page.canvas.pixels()
            areas = {t.name: (pixels == COLORS[t.color]).all(-1).sum() for t in page.canvas.things}
            for name, share in shares.items():
                covered = 100 * areas[name] / sum(areas.values())
                self.assertAlmostEqual(covered, int(share[:-1]), delta=2.5)


class Questions(unittest.TestCase):
    def test_every_question_has_ways_of_its_own_and_the_old_ones_keep_theirs(self):
        for world in worlds.ALL_WORLDS:
            for page in pages(world, VARIED):
                for turn in page.turns:
                    meaning = page.meaning(turn.question)
                    self.assertIsNotNone(spoken.entry_for(meaning, world), meaning)

    def test_what_is_copied_and_named_stands_on_the_page(self):
        located = named = 0
        for page in every_page():
            shown = {p for entry in page.canvas.prints for p in entry.patches}
            shown |= {thing.patch for thing in page.canvas.things}
            for question, answer in page.turns:
                patches = locate(page.canvas, question, answer)
                if patches is not None:
                    self.assertEqual(len(patches), len(answer), question)
                    self.assertLessEqual(set(patches) - {-1}, shown)
                    located += 1
                for start, end, found in question_words(page.canvas, question):
                    self.assertEqual(len(found), end - start)
                    named += 1
        self.assertGreater(located, 400)
        self.assertGreater(named, 300)

    def test_all_the_text_may_be_asked_for_first(self):
        packers = [Packer(load_tokenizer(), first_share=share) for share in (0.0, 1.0)]
        for world in ("table", "receipt"):
            page = next(pages(world))
            last, first = (packer.choose_turns(page, seed=1) for packer in packers)
            self.assertEqual((last[-1].question, first[0].question), (READ_ALL, READ_ALL))
            self.assertLessEqual(len(first), MAX_TURNS)

    def test_a_picture_is_described_in_one_sentence(self):
        for world in worlds.ALL_WORLDS:
            described = 0
            for page in pages(world, VARIED):
                for question, answer in page.turns:
                    if page.meaning(question).startswith("Describe"):
                        self.assertRegex(answer, r"^(An?|Two) [^.]*(\.\d[^.]*)*\.$")
                        described += 1
            self.assertGreater(described, 0, world)


def split(lines: list[list[str]], header: list[str]) -> list[list[str]]:
    """Words of table rows as cells: a name may be of two words, numbers are of one."""
    numbers = len(header) - 1
    return [[" ".join(line[:-numbers]), *line[-numbers:]] for line in lines]


if __name__ == "__main__":
    unittest.main()
