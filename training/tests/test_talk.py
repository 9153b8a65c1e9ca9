"""The 300 questions of each set can be answered, and no generator asks any of them."""

import random
import string
import unittest
from collections import Counter

import talk
import wording
import worlds

ASKED = {name: list(talk.questions(name)) for name in talk.SETS}
ALL_ASKED = [asked for questions in ASKED.values() for asked in questions]
PER_PAGE = {"talk": 4, "talk-validation": 10}
DRAWS = 400


def bare(question: str) -> str:
    """Without capitals, marks and outer spaces."""
    kept = question.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(kept.split())


class Talk(unittest.TestCase):
    def test_three_hundred_questions_in_equal_parts(self):
        for name, questions in ASKED.items():
            self.assertEqual(len(questions), 300)
            self.assertEqual(len({(a.image, bare(a.turn.question)) for a in questions}), 300)
            worlds_asked = Counter(asked.page.world for asked in questions)
            self.assertEqual(worlds_asked, dict.fromkeys(worlds.WORLDS, 60))
            self.assertEqual(set(Counter(a.image for a in questions).values()), {PER_PAGE[name]})

    def test_the_sets_have_no_words_in_common(self):
        """Beside the same picture or another one."""
        first, second = ({bare(a.turn.question) for a in ASKED[name]} for name in talk.SETS)
        self.assertEqual(len(first & second), 0)

    def test_every_answer_is_its_pages_own(self):
        for asked in ALL_ASKED:
            self.assertIn((asked.meaning, asked.turn.answer), asked.page.turns)

    def test_no_generator_asks_in_these_words(self):
        """Nor carelessly: marks and capitals do not count, and nothing is put around the words."""
        for asked in ALL_ASKED:
            world, meaning = asked.page.world, asked.meaning
            ways = {bare(meaning)}
            for name in ("plain", "casual"):
                for entry in wording.table(name)[0]:
                    if match := entry.asked.fullmatch(meaning):
                        ways |= {bare(wording.filled(way, match)) for way in entry.ways}
            drawn = (wording.composed(meaning, world, random.Random(s)) for s in range(DRAWS))
            ways |= {bare(question) for question in drawn if question}
            self.assertNotIn(bare(asked.turn.question), ways, asked)


if __name__ == "__main__":
    unittest.main()
