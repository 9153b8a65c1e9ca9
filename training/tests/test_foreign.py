"""Pictures that no world draws: the same for the same seed, with questions of their own."""

import random
import unittest

import foreign


class Foreign(unittest.TestCase):
    def test_a_picture_is_drawn_the_same_again(self):
        for draw in foreign.DRAWERS:
            one, two = (draw(random.Random(5)) for _ in range(2))
            self.assertEqual(one.image.tobytes(), two.image.tobytes())
            self.assertNotEqual(one.image.tobytes(), draw(random.Random(6)).image.tobytes())
            self.assertEqual(one.turns, two.turns)
            self.assertTrue(all(turn.question.endswith("?") for turn in one.turns))

    def test_names_begin_with_their_world_and_tell_pictures_apart(self):
        asked = list(foreign.questions())
        pictures = foreign.VARIANTS * len(foreign.DRAWERS)
        self.assertEqual(len(asked), 3 * pictures)
        self.assertEqual(len({each.name for each in asked}), pictures)
        self.assertTrue(all(each.name.startswith(f"{each.world}-") for each in asked))


if __name__ == "__main__":
    unittest.main()
