"""People's own words: every way can be said, none is a held-out question, answers stay true."""

import random
import re
import unittest
from unittest import mock

import grammar
import held_out
import seeds
import spoken
import worlds
import write_held_out
from held_out import bare
from style import RICH, SPOKEN

PAGES = 12


def says(way: grammar.Sequence, known: dict[str, str], question: str) -> bool:
    """Whether the way can give the question, but for marks and capitals."""
    return bool(re.fullmatch(grammar.pattern(way, known, spoken.load().lists), bare(question)))


def pages(world: str, style=SPOKEN):
    for index in range(PAGES):
        yield worlds.sample(seeds.VALIDATION[index], world, style)


class Notation(unittest.TestCase):
    def test_brackets_are_alternatives_and_braces_names(self):
        sequence = grammar.parse("a [b|c [d|]|] {e}")
        lists = {"e": (grammar.parse("[x|y]"),)}
        said = {grammar.say(sequence, {}, lists, random.Random(s)) for s in range(200)}
        self.assertEqual(said, {f"a {m}{e}" for m in ("", "b ", "c ", "c d ") for e in "xy"})
        self.assertEqual(grammar.say(sequence, {"e": "z"}, lists, random.Random(0))[-1], "z")

    def test_no_space_stays_before_a_mark(self):
        said = grammar.say(grammar.parse("what ['s] this [, please] ?"), {}, {}, random.Random(0))
        self.assertEqual(said, "what's this, please?")

    def test_brackets_must_match(self):
        for text in ("a [b", "a ]b", "a|b"):
            with self.assertRaises(ValueError):
                grammar.parse(text)

    def test_what_is_said_fits_its_pattern(self):
        draw = random.Random(1)
        for entry in spoken.load().entries:
            known = {"1": "Green Tea", "2": "Oil", "many": "Green Teas", "an": "a"}
            known |= {"number": "two", "digit": "2", "short": "2nd"}
            for way in entry.ways:
                said = grammar.say(way, known, spoken.load().lists, draw)
                self.assertTrue(says(way, known, said), said)


class HeldOut(unittest.TestCase):
    def test_the_digests_are_those_of_the_held_out_questions(self):
        self.assertEqual(sorted(held_out.digests()), write_held_out.every_digest())
        for question in write_held_out.questions():
            self.assertTrue(held_out.is_held_out(question.upper()))

    def test_the_same_words_about_something_else_are_held_out_too(self):
        forms = write_held_out.forms("Does the Tea beat Green Cake now?")
        kept = frozenset(map(held_out.digest, forms))
        with mock.patch.object(held_out, "digests", lambda: kept):
            self.assertTrue(held_out.is_held_out("does the soup beat rice now", ("rice", "soup")))
            self.assertFalse(held_out.is_held_out("does the soup beat rice now"))
            self.assertFalse(held_out.is_held_out("does the soup beat rice", ("rice", "soup")))

    def test_a_held_out_question_is_never_asked(self):
        way = (grammar.parse("how much [is|was] it"),)
        entry = spoken.Way(re.compile("Total"), way, None)
        kept = frozenset({held_out.digest("How much is it?")})
        with (
            mock.patch.object(spoken, "entry_for", lambda *_: entry),
            mock.patch.object(held_out, "digests", lambda: kept),
        ):
            asked = {spoken.ask("Total", "receipt", random.Random(s)) for s in range(300)}
        self.assertTrue(any("was it" in bare(a) for a in asked if a))
        self.assertFalse(any("how much is it" in bare(a) for a in asked if a))


class Asked(unittest.TestCase):
    def test_every_question_of_every_world_has_ways(self):
        for world in worlds.WORLDS:
            for page in pages(world):
                for turn in page.turns:
                    meaning = page.meaning(turn.question)
                    self.assertIsNotNone(spoken.entry_for(meaning, world), meaning)

    def test_what_a_question_is_about_stays_in_it(self):
        for seed in range(300):
            draw = random.Random(seed)
            asked = spoken.ask("Which bar has the value 76?", "chart", draw)
            self.assertIn("76", asked)
            asked = spoken.ask("Is Gas higher than Oil?", "chart", draw).lower()
            self.assertTrue("gas" in asked and "oil" in asked, asked)

    def test_answers_do_not_depend_on_the_words(self):
        """What the world itself answers, it answers in the same way when asked in other words."""
        for world in worlds.WORLDS:
            for spoken_page, rich_page in zip(pages(world), pages(world, RICH)):
                told = {rich_page.meaning(q): a for q, a in rich_page.turns}
                for question, answer in spoken_page.turns:
                    meaning = spoken_page.meaning(question)
                    if meaning in told:
                        self.assertEqual(answer, told[meaning], question)

    def test_the_same_seed_asks_the_same(self):
        self.assertEqual(*(next(pages("receipt")).turns for _ in range(2)))


class Further(unittest.TestCase):
    def test_comparisons_agree_with_the_printed_values(self):
        compared = 0
        for page in pages("chart"):
            turns = {page.meaning(q): a for q, a in page.turns}
            values = (
                dict(
                    entry.rsplit(" ", 1)
                    for entry in turns["Describe the chart."].split(": ", 1)[1][:-1].split(", ")
                )
                if "Describe the chart." in turns
                else {}
            )
            for question, answer in turns.items():
                match = re.fullmatch(r"Which is higher, (.*) or (.*)\?", question)
                if match and values:
                    first, second = (int(values[label]) for label in match.groups())
                    self.assertEqual(answer, match[1] if first > second else match[2])
                    compared += 1
        self.assertGreater(compared, 3)

    def test_a_card_shows_what_it_is_said_to_show(self):
        for page in pages("card"):
            printed = {entry.text.lower() for entry in page.canvas.prints}
            for question, answer in page.turns:
                if match := re.fullmatch(r"Does the card show an? (.*)\?", page.meaning(question)):
                    shown = f"{match[1].lower()}:" in printed
                    self.assertEqual(answer, "Yes" if shown else "No")


if __name__ == "__main__":
    unittest.main()
