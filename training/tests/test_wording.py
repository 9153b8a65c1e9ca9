"""Questions in other words: every way can be asked, means what it says, and stays as it is."""

import hashlib
import random
import re
import unittest

import rich
import seeds
import wording
import worlds
from careless import SPELLINGS, careless, hurried, mistyped
from style import RICH, STYLES

# Of questions and answers of validation pages: another digest means other pages for every seed.
DIGESTS = {"free": "97a7871c28b319d0", "rich": "79f0d34af4a91499"}


class Tables(unittest.TestCase):
    def test_every_way_of_every_table_can_be_filled_in(self):
        for name in ("plain", "casual", "composed"):
            entries, lists = wording.table(name)
            for entry in entries:
                given = {"1", "2"} if "(.*)" in entry.asked.pattern else set()
                given |= (
                    {"1", "number", "digit", "short"} if "first|" in entry.asked.pattern else set()
                )
                for way in (*entry.ways, *(w for ways in entry.ways_for.values() for w in ways)):
                    names = set(wording.NAME.findall(way))
                    self.assertLessEqual(names, given | {"an"} | set(lists), (name, way))
                    self.assertNotRegex(wording.NAME.sub("", way), r"[{}\\]")
                self.assertLessEqual(set(entry.once), set(lists))

    def test_what_a_question_is_about_stays_in_it(self):
        for seed in range(300):
            draw = random.Random(seed)
            asked = wording.composed("How much is the Green Tea?", "receipt", draw)
            self.assertIn("Green Tea", asked)
            asked = wording.composed("Is Gas higher than Oil?", "chart", draw)
            self.assertRegex(asked, r"Gas.*Oil")
            asked = wording.composed("Read the second line.", "words", draw)
            self.assertRegex(asked, r"\b(two|second|2|2nd)\b")

    def test_the_first_line_alone_is_at_the_top(self):
        def ways(ordinal: str) -> set[str]:
            question = f"What does the {ordinal} line say?"
            return {wording.composed(question, "words", random.Random(s)) for s in range(500)}

        self.assertIn("What is at the top?", ways("first"))
        self.assertNotIn("What is at the top?", ways("third"))

    def test_a_date_is_asked_for_as_on_its_page(self):
        def ways(world: str) -> set[str]:
            return {
                wording.composed("What is the date?", world, random.Random(s)) for s in range(300)
            }

        self.assertIn("issue date?", ways("card"))
        self.assertNotIn("issue date?", ways("receipt"))
        self.assertIn("Date of purchase?", ways("receipt"))

    def test_a_question_that_no_pattern_fits_stays(self):
        self.assertEqual(wording.plain("Why?", random.Random(0)), "Why?")
        self.assertIsNone(wording.composed("Why?", "card", random.Random(0)))


class Careless(unittest.TestCase):
    def test_a_slip_changes_one_lower_case_word(self):
        question = "What number is printed after the name Sekasa?"
        for seed in range(200):
            words, slipped = question.split(), mistyped(question, random.Random(seed)).split()
            changed = [(a, b) for a, b in zip(words, slipped) if a != b]
            self.assertEqual(len(words), len(slipped))
            self.assertLessEqual(len(changed), 1)  # "tt" swapped is "tt"
            self.assertTrue(all(a.islower() and len(a) >= 4 for a, _ in changed))

    def test_a_number_and_a_name_keep_their_letters(self):
        for seed in range(300):
            draw = random.Random(seed)
            typed = careless("Which bar has the value 76?", draw)
            self.assertIn("76", typed)
            self.assertIn("GAS", careless("GAS or not", draw).upper())

    def test_hurry_leaves_names_and_numbers(self):
        question = "please tell me what the price of Wat 76 is"
        hasty = {hurried(question, random.Random(seed)) for seed in range(600)}
        self.assertGreater(len(hasty), 100)
        self.assertTrue(all("WAT 76" in text.upper() for text in hasty))
        self.assertIn("pls tell me wat the price of Wat 76 is", hasty)
        self.assertIn(question.upper(), hasty)

    def test_only_whole_words_are_spelled_otherwise(self):
        for seed in range(300):
            self.assertNotIn("4", hurried("whatever theme isotope that", random.Random(seed)))
            told = hurried("thesis whatsoever", random.Random(seed)).lower()
            self.assertNotIn("teh", told)
            self.assertFalse(told.startswith("dasis"))
        self.assertTrue(all(word.islower() for word in SPELLINGS))

    def test_some_questions_stay_as_they_are_and_most_do_not(self):
        typed = [careless("What is the total?", random.Random(seed)) for seed in range(400)]
        self.assertTrue(0.1 < typed.count("What is the total?") / 400 < 0.5)


class Pages(unittest.TestCase):
    def test_the_questions_of_a_seed_never_change(self):
        for style, expected in DIGESTS.items():
            digest = hashlib.sha256()
            for index in range(12):
                for world in worlds.WORLDS:
                    page = worlds.sample(seeds.VALIDATION[index], world, STYLES[style])
                    digest.update(repr([tuple(turn) for turn in page.turns]).encode())
            self.assertEqual(digest.hexdigest()[:16], expected, style)

    def test_rich_receipts_add_up(self):
        taxed = 0
        for index in range(60):
            page = worlds.sample(seeds.VALIDATION[index], "receipt", RICH)
            texts = [entry.text for entry in page.canvas.prints]
            amounts = [round(100 * float(t[1:])) for t in texts if re.fullmatch(r"\$\d+\.\d\d", t)]
            if "Tax" not in texts:
                self.assertEqual(sum(amounts[:-1]), amounts[-1])
                continue
            *items, subtotal, tax, total = amounts
            self.assertEqual((sum(items), subtotal + tax), (subtotal, total))
            taxed += 1
        self.assertTrue(15 < taxed < 45)

    def test_names_that_are_parts_of_one_another_do_not_meet(self):
        found = ["Green Tea"]
        for text in ("Tea", "Green Tea Cake", "Green Tea", "Coffee"):
            rich.add_distinct(found, text)
        self.assertEqual(found, ["Green Tea", "Coffee"])

    def test_answers_are_printed_whatever_the_words(self):
        for index in range(20):
            page = worlds.sample(seeds.VALIDATION[index], "receipt", RICH)
            printed = {entry.text for entry in page.canvas.prints}
            for question, answer in page.turns:
                if page.meaning(question).startswith(("How much is the", "What is the price")):
                    self.assertTrue(answer in printed or answer.startswith("There is no"))


if __name__ == "__main__":
    unittest.main()
