"""Pictures that no world draws: the same for the same seed, with questions of their own."""

import random
import unittest

from PIL import Image, ImageChops

import foreign


class Foreign(unittest.TestCase):
    def test_a_picture_is_drawn_the_same_again(self):
        for draw in dict.fromkeys((*foreign.DRAWERS, *foreign.NEAR)):
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

    def test_near_pictures_are_none_of_those_that_choose(self):
        near, chosen = list(foreign.near_questions()), foreign.questions()
        self.assertEqual(len(near), 3 * sum(foreign.NEAR.values()))
        drawn = {each.image.tobytes() for each in chosen}
        self.assertTrue(drawn.isdisjoint(each.image.tobytes() for each in near))

    def test_a_receipt_prints_every_item_and_the_total_also_when_slanted(self):
        for seed in range(8):
            picture = foreign.serif_receipt(random.Random(seed))
            total, price, count = (turn.answer for turn in picture.turns)
            self.assertGreaterEqual(float(total[1:]), float(price[1:]))
            print_on = ImageChops.difference(
                picture.image, Image.new("RGB", picture.image.size, picture.image.getpixel((0, 0)))
            ).convert("L")
            left = print_on.crop((0, 190, 400, 1200)).resize((1, 1010), Image.Resampling.BOX)
            inked = [value > 0 for value in left.tobytes()]
            bands = sum(inked[y] and not inked[y - 1] for y in range(1, len(inked)))
            # The items, the rule, the total.
            self.assertEqual(bands, int(count) + 2)


if __name__ == "__main__":
    unittest.main()
