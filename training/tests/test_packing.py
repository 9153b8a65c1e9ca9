"""Packed sequences say what the page says, and point where the page shows it."""

import unittest

import numpy as np

import data
import hub
import worlds
from packing import IGNORED, Packer
from style import WIDE, Style
from supervision import NOWHERE
from tokens import IMAGE, VISUAL_TOKENS, load_tokenizer

TOKENIZER = load_tokenizer()


def packed(world: str, page_index: int = 0, **options):
    seed = worlds.validation_seed(world, page_index)
    page = worlds.sample(seed, world)
    return page, seed, Packer(TOKENIZER, **options).pack(page, seed)


class Packing(unittest.TestCase):
    def test_every_answer_is_labelled_and_nothing_else(self):
        for world in worlds.WORLDS:
            page, _, sequence = packed(world)
            answers = dict(page.turns)
            labelled = [label for label in sequence.labels if label != IGNORED]
            spans = [sequence.ids[span.start : span.end] for span in sequence.answers]
            self.assertEqual(labelled, [token for span in spans for token in span])
            for span, ids in zip(sequence.answers, spans):
                self.assertEqual(TOKENIZER.decode(ids).strip(), answers[span.question])

    def test_the_first_turn_is_the_prompt_of_the_chat_template(self):
        processor = hub.make_processor(
            TOKENIZER,
            tile=384,
            longest_edge=384,
            image_tokens=VISUAL_TOKENS,
            pad="<pad>",
            context=4096,
        )
        page, _, sequence = packed("receipt")
        span = sequence.answers[0]
        prompt = hub.question_prompt(processor, span.question)
        inputs = processor(text=prompt, images=[page.canvas.image], return_tensors="pt")
        self.assertEqual(inputs["input_ids"][0].tolist(), sequence.ids[: span.start])

    def test_a_copied_token_points_at_its_first_character(self):
        pointed = 0
        for world in ("receipt", "card", "words", "chart"):
            page, _, sequence = packed(world)
            for token, patch in zip(sequence.ids, sequence.copied):
                text = TOKENIZER.decode([token]).strip()
                if patch == NOWHERE or not text:
                    continue
                shown = {
                    character
                    for entry in page.canvas.prints
                    for character, place in zip(entry.text, entry.patches)
                    if place == patch
                }
                thing = any(thing.patch == patch for thing in page.canvas.things)
                self.assertTrue(text[0] in shown or thing, (text, shown))
                pointed += 1
        self.assertGreater(pointed, 100)

    def test_an_answer_starts_at_the_word_that_it_is_about(self):
        found = 0
        for index in range(6):
            _, _, sequence = packed("receipt", index)
            for span in sequence.answers:
                place = sequence.about[span.start]
                if place == NOWHERE:
                    continue
                self.assertLess(place, span.start)
                word = TOKENIZER.decode([sequence.ids[place]]).strip().lower()
                self.assertIn(word, span.question.lower())
                self.assertGreaterEqual(sequence.named[place], 0)
                found += 1
        self.assertGreater(found, 20)

    def test_long_pages_are_cut_at_whole_turns(self):
        _, _, short = packed("card", max_text=90)
        _, _, whole = packed("card", max_text=10_000)
        self.assertLess(len(short.answers), len(whole.answers))
        self.assertLessEqual(len(short.ids), VISUAL_TOKENS + 90 + 16)


class OtherWords(unittest.TestCase):
    def test_rephrased_questions_are_supervised_like_plain_ones(self):
        """The patches of each answer's tokens do not depend on how it was asked for."""
        compared = 0
        for index in range(8):
            seed = worlds.validation_seed("receipt", index)
            free = worlds.sample(seed, "receipt", Style(wide=True, free_words=True))
            plain = worlds.sample(seed, "receipt", WIDE)
            packer = Packer(TOKENIZER, max_text=10_000)
            sequences = [packer.pack(page, seed) for page in (free, plain)]
            asked, expected = (
                {page.meaning(a.question): s.copied[a.start : a.end] for a in s.answers}
                for page, s in zip((free, plain), sequences)
            )
            for meaning in asked.keys() & expected.keys():
                self.assertEqual(asked[meaning], expected[meaning])
                compared += 1
        self.assertGreater(compared, 60)


class Dropping(unittest.TestCase):
    def test_dropped_patches_leave_everything_else_in_place(self):
        page, seed, sequence = packed("receipt")
        whole = data.collate([data.make_example(Packer(TOKENIZER), page, seed, 0.0)])
        thin = data.collate([data.make_example(Packer(TOKENIZER), page, seed, 1.0)])
        kept = thin.patches[0][thin.patches[0] >= 0]
        self.assertLess(len(kept), VISUAL_TOKENS / 2)
        self.assertEqual((whole.ids == IMAGE).sum(), VISUAL_TOKENS)
        for batch in (whole, thin):
            row = {name: getattr(batch, name)[0].numpy() for name in data.Batch._fields[1:]}
            text = (row["ids"] != 0) & (row["patches"] < 0)
            places = row["positions"][text]
            self.assertEqual(row["ids"][text].tolist(), [sequence.ids[p] for p in places])
            for name in ("copied", "named"):  # the same patches, wherever they stand now
                taught = row[name][row[name] >= 0]
                expected = [p for p in getattr(sequence, name) if p >= 0]
                self.assertEqual(row["patches"][taught].tolist(), expected)
            about = row["about"][row["about"] >= 0]
            expected = [p for p in sequence.about if p >= 0]
            self.assertEqual(row["positions"][about].tolist(), expected)

    def test_rows_of_a_batch_are_padded_with_nothing(self):
        rows = [packed(world) for world in ("shapes", "words")]
        examples = [data.make_example(Packer(TOKENIZER), page, seed, 0.0) for page, seed, _ in rows]
        batch = data.collate(examples)
        lengths = [len(sequence.ids) for _, _, sequence in rows]
        short = int(np.argmin(lengths))
        padding = slice(lengths[short], None)
        self.assertTrue((batch.labels[short, padding] == IGNORED).all())
        self.assertTrue((batch.weights[short, padding] == 0).all())
        self.assertEqual(batch.ids.shape[1] % 32, 0)


if __name__ == "__main__":
    unittest.main()
