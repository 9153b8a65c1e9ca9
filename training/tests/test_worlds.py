"""The labels agree with the pixels, the answers with the drawing, and splits never meet."""

import itertools
import random
import re
import unittest

import numpy as np

import camera
import dense_pages
import phrasing
import seeds
import wording
import worlds
from canvas import GRID, PATCH, SIZE, SLOT, inked_patches
from style import FREE, NARROW, PHOTOGRAPHED, WIDE
from supervision import READ_ALL, locate, question_words, transcript
from vocabulary import CHARACTER_CLASS, COLORS, FIELD_LABELS, FIELD_QUESTIONS, SHAPE_CLASS

PAGES_PER_WORLD = 12
INK_CONTRAST = 24


def pages(world: str, style=NARROW):
    for index in range(PAGES_PER_WORLD):
        yield worlds.sample(worlds.validation_seed(world, index), world, style)


def every_page():
    for style in (NARROW, WIDE):
        for world in worlds.WORLDS:
            yield from pages(world, style)


def cents(text: str) -> int:
    return int(re.fullmatch(r"\$(\d+)\.(\d\d)", text).expand(r"\1\2"))


def prints(page, pattern: str = ".*") -> list[str]:
    return [entry.text for entry in page.canvas.prints if re.fullmatch(pattern, entry.text)]


class Labels(unittest.TestCase):
    def test_a_labelled_slot_shows_ink(self):
        """The character's middle lies in the slot, so ink lies within half an em of it."""
        canvases = [page.canvas for page in every_page()]
        for style in (NARROW, WIDE):
            canvases += [dense_pages.sample(seeds.VALIDATION[i], style) for i in range(20)]
        slots = 0
        for canvas in canvases:
            pixels = canvas.pixels().astype(int)
            for row, column in np.argwhere(canvas.characters):
                top, left = row * SLOT, column * SLOT
                around = pixels[max(0, top - 6) : top + 14, max(0, left - 6) : left + 14]
                contrast = (around.max((0, 1)) - around.min((0, 1))).max()
                self.assertGreater(contrast, INK_CONTRAST)
                slots += 1
        self.assertGreater(slots, 5000)

    def test_a_print_is_labelled_where_it_stands(self):
        """Every character but a space has a patch, and that patch a label."""
        for page in every_page():
            for entry in page.canvas.prints:
                for character, patch in zip(entry.text, entry.patches):
                    if patch < 0:
                        self.assertEqual(character, " ")
                        continue
                    slots = slots_of(page.canvas, patch)
                    self.assertTrue(slots.any() or character not in CHARACTER_CLASS)

    def test_most_characters_keep_their_own_label(self):
        """Two narrow letters may share a slot; then the later one names it."""
        kept = total = 0
        for page in every_page():
            for entry in page.canvas.prints:
                for character, patch in zip(entry.text, entry.patches):
                    if character not in CHARACTER_CLASS or patch < 0:
                        continue
                    slots = slots_of(page.canvas, patch)
                    kept += CHARACTER_CLASS[character] in slots
                    total += 1
        self.assertGreater(kept / total, 0.93)

    def test_a_labelled_patch_has_its_shapes_colour(self):
        names = {index: name for name, index in SHAPE_CLASS.items()}
        patches = 0
        for page in pages("shapes"):
            pixels = page.canvas.pixels()
            for row, column in np.argwhere(page.canvas.shapes):
                color, kind = names[page.canvas.shapes[row, column]].split()
                middle = pixels[row * PATCH + PATCH // 2, column * PATCH + PATCH // 2]
                if kind in ("circle", "square"):  # the others have bays inside of their radius
                    self.assertEqual(tuple(middle), COLORS[color])
                    patches += 1
        self.assertGreater(patches, 50)

    def test_blank_patches_are_blank_in_every_label(self):
        for page in every_page():
            blank = ~inked_patches(page.canvas.pixels()).reshape(GRID, GRID)
            shown = page.canvas.characters.reshape(GRID, 2, GRID, 2).any((1, 3))
            self.assertLess((shown & blank).sum(), 3)  # a full stop may fall between two patches

    def test_things_lie_in_their_colour(self):
        for world in ("shapes", "chart"):
            for page in pages(world):
                pixels = page.canvas.pixels()
                for thing in page.canvas.things:
                    top, left = (PATCH * place for place in divmod(thing.patch, GRID))
                    patch = pixels[top : top + PATCH, left : left + PATCH]
                    self.assertTrue((patch == COLORS[thing.color]).all(-1).any(), thing)


class Photographs(unittest.TestCase):
    """The labels of a photographed page are those of the flat one, moved with the ink."""

    def test_ink_moves_with_its_label(self):
        """Around each character's point the photograph shows what the page shows there."""
        compared = 0
        for page in pages("words", WIDE):
            photo = camera.Photograph(page.canvas, random.Random(7))
            flat, seen = (np.array(i.convert("L")) for i in (page.canvas.image, photo.sharp))
            for entry, moved in zip(page.canvas.prints, photo.prints):
                for point, place in zip(entry.points, moved.points):
                    if point is None:
                        self.assertIsNone(place)
                        continue
                    dark = [darkness(flat, *point), darkness(seen, *place)]
                    elsewhere = darkness(seen, place[0], place[1] + 30)
                    self.assertLess(abs(dark[0] - dark[1]), 0.5 * max(dark), entry.text)
                    compared += elsewhere < dark[1] / 2
        self.assertGreater(compared, 200)

    def test_labels_name_the_same_characters(self):
        for world in worlds.WORLDS:
            for flat, photo in zip(pages(world, WIDE), pages(world, PHOTOGRAPHED)):
                self.assertEqual(flat.turns, photo.turns)
                before = np.bincount(flat.canvas.characters.ravel(), minlength=80)[1:]
                after = np.bincount(photo.canvas.characters.ravel(), minlength=80)[1:]
                # The page shrinks, so more characters share a slot, and some come apart.
                self.assertLessEqual(abs(before - after).sum(), 0.35 * before.sum() + 2)
                kinds = (set(np.unique(p.canvas.shapes)) for p in (flat, photo))
                self.assertEqual(*kinds)

    def test_a_photographed_shape_has_its_colour(self):
        names = {index: name.split() for name, index in SHAPE_CLASS.items()}
        for page in pages("shapes", PHOTOGRAPHED):
            sharp = page.canvas.ink_pixels().astype(int)
            for row, column in np.argwhere(page.canvas.shapes):
                color, kind = names[page.canvas.shapes[row, column]]
                if kind in ("circle", "square"):
                    middle = sharp[row * PATCH + PATCH // 2, column * PATCH + PATCH // 2]
                    self.assertLess(abs(middle - COLORS[color]).max(), 4)

    def test_no_character_leaves_the_picture(self):
        for page in pages("receipt", PHOTOGRAPHED):
            for entry in page.canvas.prints:
                hidden = [c for c, patch in zip(entry.text, entry.patches) if patch < 0]
                self.assertFalse(set(hidden) - {" "})

    def test_a_homography_returns(self):
        corners = camera.paper_corners(random.Random(3))
        square = [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]
        there = camera.homography(corners, square)
        for corner, target in zip(corners, square):
            np.testing.assert_allclose(camera.project(there, *corner), target, atol=1e-6)
            back = camera.project(np.linalg.inv(there), *target)
            np.testing.assert_allclose(back, corner, atol=1e-6)


def darkness(picture: np.ndarray, x: float, y: float, reach: int = 7) -> float:
    """How much darker than its brightest pixel a neighbourhood is on average."""
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    around = picture[top : int(y) + reach + 1, left : int(x) + reach + 1].astype(float)
    return float((around.max() - around).mean()) if around.size else 0.0


class Answers(unittest.TestCase):
    """Each answer is derived again, from what was printed or from the pixels."""

    def test_receipts_add_up(self):
        for page in itertools.chain(pages("receipt"), pages("receipt", WIDE)):
            answers = dict(page.turns)
            prices = [cents(text) for text in prints(page, r"\$.*")]
            self.assertEqual(sum(prices[:-1]), prices[-1])
            self.assertEqual(cents(answers["What is the total?"]), prices[-1])
            self.assertEqual(answers["How many items are there?"], str(len(prices) - 1))
            rows = self.rows(page)
            items = {name: cents(price) for name, price in rows if price[0] == "$"}
            del items["Total"]
            self.assertEqual(
                items[answers["What is the most expensive item?"]], max(items.values())
            )
            self.assertEqual(items[answers["What is the cheapest item?"]], min(items.values()))
            for question, answer in page.turns:
                asked = re.fullmatch(r"(?:What is the price of|How much is) the (.*)\?", question)
                if asked:
                    self.assertEqual(cents(answer), items[asked[1]])
                asked = re.fullmatch(r"Is there (.*) on the receipt\?", question)
                if asked:
                    self.assertEqual(answer, "Yes" if asked[1] in items else "No")

    def test_charts_show_their_values(self):
        for page in pages("chart"):
            answers = dict(page.turns)
            lying = self.is_lying(page)
            values = self.bars(page)
            self.assertEqual(answers["Which bar is the highest?"], max(values, key=values.get))
            self.assertEqual(answers["What is the lowest value?"], str(min(values.values())))
            self.assertEqual(answers["How many bars are there?"], str(len(values)))
            for question, answer in page.turns:
                asked = re.fullmatch(r"(?:What is the value of|How much is) (.*)\?", question)
                if asked:
                    self.assertEqual(answer, str(values[asked[1]]))
            self.assertEqual(len(page.canvas.things), len(values), lying)

    def test_bars_are_as_long_as_their_values(self):
        for page in pages("chart"):
            pixels, values = page.canvas.pixels(), self.bars(page)
            lying = self.is_lying(page)
            for thing in page.canvas.things:
                row, column = divmod(thing.patch, GRID)
                line = pixels[row * PATCH + 8] if lying else pixels[:, column * PATCH + 8]
                length = (line == COLORS[thing.color]).all(-1).sum()
                full = SIZE - 95 - 60 if lying else SIZE - 40 - 80
                # Print and the base line may cover a few pixels of the same colour or of the bar.
                self.assertLess(abs(length - full * values[thing.name] / 100), 14, thing)

    def test_cards_say_what_their_labels_say(self):
        labels = {question: FIELD_LABELS[f] for f, qs in FIELD_QUESTIONS.items() for question in qs}
        for page in pages("card"):
            fields = {row[0].rstrip(":"): row[1] for row in self.rows(page) if row[0].endswith(":")}
            for question, answer in page.turns:
                if question in labels:
                    self.assertEqual(answer, fields[labels[question]])
            color = dict(page.turns)["What color is the header?"].lower()
            self.assertEqual(tuple(page.canvas.pixels()[2, 2]), COLORS[color])

    def test_shapes_are_counted_in_the_pixels(self):
        for page in pages("shapes"):
            answers, pixels = dict(page.turns), page.canvas.pixels()
            for color, value in COLORS.items():
                count = islands((pixels == value).all(-1))
                asked = answers.get(f"How many {color} shapes are there?")
                self.assertIn(asked, (None, str(count)))

    def test_lines_are_read_from_top_to_bottom(self):
        for page in pages("words"):
            answers = dict(page.turns)
            lines = [entry.text for entry in sorted(page.canvas.prints, key=lambda p: p.middle)]
            self.assertEqual(answers["What does the last line say?"], lines[-1])
            self.assertEqual(answers[READ_ALL], " / ".join(lines))
            first = answers.get("Read the first line.") or answers["What does the first line say?"]
            self.assertEqual(first, lines[0])

    @staticmethod
    def rows(page) -> list[list[str]]:
        """Prints that share a line, from left to right; single ones are left out."""
        lines: dict[float, list] = {}
        for entry in page.canvas.prints:
            lines.setdefault(entry.middle, []).append(entry)
        ordered = [sorted(line, key=lambda p: p.x) for line in lines.values()]
        return [[entry.text for entry in line] for line in ordered if len(line) > 1]

    @staticmethod
    def is_lying(page) -> bool:
        """Bars that lie have their labels in one column, in rows with their values."""
        return any(len(row) > 1 and row[1].isdigit() for row in Answers.rows(page)) and not any(
            len(row) > 2 for row in Answers.rows(page)
        )

    @staticmethod
    def bars(page) -> dict[str, int]:
        """Each bar's value: the number printed nearest to its own label in the bar's direction."""
        labels = {thing.name for thing in page.canvas.things}
        named = [entry for entry in page.canvas.prints if entry.text in labels]
        numbers = [entry for entry in page.canvas.prints if entry.text.isdigit()]
        lying = Answers.is_lying(page)
        values = {}
        for entry in named:

            def distance(number, entry=entry):
                if lying:
                    return abs(number.middle - entry.middle)
                return abs(middle_column(number) - middle_column(entry))

            values[entry.text] = int(min(numbers, key=distance).text)
        return values


def slots_of(canvas, patch: int) -> np.ndarray:
    """[2, 2] character labels inside a patch."""
    row, column = divmod(patch, GRID)
    return canvas.characters[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]


def middle_column(entry) -> float:
    """Mean pixel column of a print's patches."""
    columns = [patch % GRID for patch in entry.patches if patch >= 0]
    return sum(columns) / len(columns)


def islands(mask: np.ndarray) -> int:
    """Connected areas (four neighbours) of a boolean picture."""
    left, count = mask.copy(), 0
    while left.any():
        count += 1
        front = [tuple(np.argwhere(left)[0])]
        left[front[0]] = False
        while front:
            y, x = front.pop()
            for point in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                inside = 0 <= point[0] < SIZE and 0 <= point[1] < SIZE
                if inside and left[point]:
                    left[point] = False
                    front.append(point)
    return count


class Supervision(unittest.TestCase):
    def test_every_listed_patch_belongs_to_a_character_of_the_answer(self):
        located = 0
        for page in every_page():
            for question, answer in page.turns:
                patches = locate(page.canvas, question, answer)
                if patches is None:
                    continue
                self.assertEqual(len(patches), len(answer), question)
                self.assertTrue(any(patch >= 0 for patch in patches))
                located += 1
        self.assertGreater(located, 500)

    def test_question_words_are_shown_where_they_are_said_to_be(self):
        found = 0
        for page in every_page():
            for question, _ in page.turns:
                for start, end, patches in question_words(page.canvas, question):
                    self.assertEqual(len(patches), end - start)
                    self.assertTrue(question[start:end].strip())
                    if page.canvas.prints:
                        shown = {p for entry in page.canvas.prints for p in entry.patches}
                        self.assertLessEqual(set(patches), shown)
                    found += 1
        self.assertGreater(found, 200)

    def test_a_transcript_is_as_long_as_its_patches(self):
        for page in every_page():
            text, patches = transcript(page.canvas)
            self.assertEqual(len(text), len(patches))
            for entry in page.canvas.prints:
                self.assertIn(entry.text, text)


class Phrasing(unittest.TestCase):
    def test_other_words_keep_the_answer(self):
        rephrased = 0
        for world in worlds.WORLDS:
            for plain, free in zip(pages(world, WIDE), pages(world, FREE)):
                answers = dict(plain.turns)
                for question, answer in free.turns:
                    meaning = free.meaning(question)
                    if meaning in answers:
                        self.assertEqual(answer, answers[meaning])
                        rephrased += question != meaning
        self.assertGreater(rephrased, 150)

    def test_what_a_question_names_stays_in_it(self):
        for page in every_page():
            for question, _ in page.turns:
                asked = wording.plain(question, random.Random(1))
                self.assertNotIn("\\", asked)
                named = re.findall(r"[A-Z$#][\w.]+|\d+", question[1:])
                self.assertTrue(all(word in asked for word in named), (question, asked))

    def test_refusals_ask_for_what_is_not_there(self):
        refused = 0
        for world in worlds.WORLDS:
            for page in pages(world):
                turn = phrasing.refusal(world, page.canvas, random.Random(5))
                if turn is None:
                    self.assertEqual(len(page.canvas.prints), 8)
                    continue
                self.assertNotIn(turn.question, dict(page.turns))
                printed = [entry.text for entry in page.canvas.prints]
                name = re.search(r"no (?:bar )?(.+?)(?: on the receipt)?\.$", turn.answer)
                if name:
                    self.assertNotIn(name[1], printed)
                    self.assertNotIn(f"{name[1].capitalize()}:", printed)
                    self.assertNotIn(name[1], [thing.name for thing in page.canvas.things])
                refused += 1
        self.assertGreater(refused, 50)


class Seeds(unittest.TestCase):
    def test_splits_never_meet(self):
        splits = [
            seeds.TOKENIZER, seeds.TRAINING, seeds.DENSE_PAGES, seeds.VALIDATION, seeds.TEST,
        ]  # fmt: skip
        for one, other in itertools.combinations(splits, 2):
            self.assertTrue(one.stop <= other.start or other.stop <= one.start, (one, other))

    def test_streams_stay_inside_their_split(self):
        split = range(100, 110)
        for worker in range(3):
            stream = seeds.stream(split, 7, worker, 3)
            drawn = list(itertools.islice(stream, 20))
            self.assertTrue(set(drawn) <= set(split))
        workers = [seeds.stream(split, 4, worker, 2) for worker in range(2)]
        drawn = [next(stream) for _ in range(5) for stream in workers]
        self.assertEqual(sorted(drawn), list(split))  # together they skip and repeat nothing

    def test_held_out_pages_are_distinct_and_inside(self):
        splits = (seeds.TEST, worlds.test_seed), (seeds.VALIDATION, worlds.validation_seed)
        for split, seed_of in splits:
            drawn = [seed_of(world, page) for world in worlds.WORLDS for page in range(5882)]
            self.assertEqual(len(set(drawn)), len(drawn))
            self.assertTrue(all(seed in split for seed in drawn))
        with self.assertRaises(seeds.RangeError):
            worlds.test_seed("card", 5883)

    def test_a_seed_always_gives_the_same_page(self):
        for world in worlds.WORLDS:
            one, other = (worlds.sample(worlds.test_seed(world, 3), world) for _ in range(2))
            self.assertEqual(one.turns, other.turns)
            self.assertTrue((one.canvas.pixels() == other.canvas.pixels()).all())


if __name__ == "__main__":
    unittest.main()
