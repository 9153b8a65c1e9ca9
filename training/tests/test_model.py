"""The network is the one that is exported, and an interrupted run goes on where it stopped."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import torch

import average
import data
import evaluate
import export
import hub
import nets
import seeds
import train
import weights
import worlds
from losses import DENSE_CLASSES, attention_loss, dense_loss
from packing import Packer
from tokens import VISUAL_TOKENS, load_tokenizer
from vocabulary import CHARACTER_CLASSES, SHAPE_CLASSES

VOCABULARY = load_tokenizer().get_vocab_size()


def random_model(seed: int = 0) -> nets.Keepsight:
    torch.manual_seed(seed)
    return nets.Keepsight(VOCABULARY, DENSE_CLASSES).eval()


class Names(unittest.TestCase):
    def test_the_mapping_covers_every_weight_and_returns(self):
        state = random_model().state_dict()
        mapped = {name for name, _ in weights.names()}
        dense = {name for name in state if name.startswith("dense_head.")}
        self.assertEqual(mapped, set(state) - dense)
        again = weights.from_hugging_face(weights.to_hugging_face(state))
        for name in mapped:
            self.assertTrue(torch.equal(again[name], state[name]), name)

    def test_averages_lie_between_their_ends(self):
        one, other = random_model(1).state_dict(), random_model(2).state_dict()
        for share, expected in ((0.0, one), (1.0, other)):
            found = average.moved(one, [(other, share)])
            self.assertTrue(
                all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)
            )
        third = random_model(3).state_dict()
        both = average.moved(one, [(other, 0.25), (third, 0.5)])
        name = "decoder.embedding.weight"
        expected = 0.25 * one[name] + 0.25 * other[name] + 0.5 * third[name]
        self.assertTrue(torch.allclose(both[name], expected, atol=1e-6))
        with self.assertRaises(ValueError):
            average.moved(one, [({}, 0.5)])

    def test_transformers_takes_the_weights_without_a_missing_or_unexpected_key(self):
        """And gives the same logits, on a page, as the network that was trained."""
        model = random_model()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter.half().float())
        processor = hub.make_processor(
            load_tokenizer(),
            tile=384,
            longest_edge=384,
            image_tokens=VISUAL_TOKENS,
            pad="<pad>",
            context=4096,
        )
        theirs = export.make_model(processor.tokenizer, model.state_dict())
        seed = worlds.validation_seed("card", 0)
        page = worlds.sample(seed, "card")
        example = data.make_example(Packer(load_tokenizer()), page, seed, 0.0)
        batch = data.collate([example])
        length = example.sequence.answers[0].start
        inputs = processor(
            text=hub.question_prompt(processor, example.sequence.answers[0].question),
            images=[page.canvas.image],
            return_tensors="pt",
        )
        with torch.no_grad():
            expected = theirs(**inputs).logits[0]
            features = model.vision(data.normalise(batch.pixels))
            hidden = model.decoder.hidden(data.embed(model, features, batch), batch.positions)
        logits = (hidden @ model.decoder.embedding.weight.T)[0, :length]
        self.assertEqual(expected.shape[0], length)
        self.assertLess((logits - expected).abs().max().item(), 1e-4)


class Losses(unittest.TestCase):
    def test_both_ways_to_attend_agree(self):
        torch.manual_seed(0)
        q, k, v = (torch.randn(2, heads, 33, 64) for heads in (4, 2, 2))
        try:
            fused = nets.attend(q, k, v, causal=True)
            nets.explicit_attention = True
            self.assertLess((nets.attend(q, k, v, causal=True) - fused).abs().max().item(), 1e-5)
        finally:
            nets.explicit_attention = False

    def test_looking_at_the_right_place_costs_nothing(self):
        queries, keys = torch.zeros(1, 4, 64), torch.zeros(1, 4, 64)
        queries[0, 3, 0], keys[0, 1, 0] = 100.0, 100.0
        right, wrong = torch.full((1, 4), -1), torch.full((1, 4), -1)
        right[0, 3], wrong[0, 3] = 1, 2
        self.assertLess(attention_loss((queries, keys), right).item(), 1e-3)
        self.assertGreater(attention_loss((queries, keys), wrong).item(), 100)
        self.assertEqual(attention_loss((queries, keys), torch.full((1, 4), -1)).item(), 0)

    def test_dense_logits_belong_to_their_slots(self):
        """Logits that spell the labels, written patch by patch, are right everywhere."""
        canvas = worlds.sample(seeds.VALIDATION[0], "card").canvas
        characters = torch.from_numpy(canvas.characters.astype(int))
        logits = torch.zeros(1, VISUAL_TOKENS, 4 * CHARACTER_CLASSES + SHAPE_CLASSES)
        for row in range(24):
            for column in range(24):
                for slot, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
                    label = int(characters[2 * row + down, 2 * column + right])
                    logits[0, row * 24 + column, slot * CHARACTER_CLASSES + label] = 50.0
        shapes = torch.zeros(1, 24, 24, dtype=torch.long)
        _, accuracy = dense_loss(logits, characters[None], shapes)
        self.assertEqual(accuracy.item(), 1.0)


class Runs(unittest.TestCase):
    def test_an_interrupted_run_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            self.train(folder, steps=2)
            first = (Path(folder) / "weights.pt").read_bytes()
            state = torch.load(Path(folder) / "state.pt")
            self.assertEqual(state["progress"]["pictures"], 4)
            self.train(folder, steps=1)
            again = torch.load(Path(folder) / "state.pt")
            self.assertEqual(again["progress"]["step"], 3)
            self.assertGreater(again["progress"]["seconds"], state["progress"]["seconds"])
            steps = {int(s["step"]) for s in again["optimizer"]["state"].values()}
            self.assertEqual(steps, {3})
            self.assertNotEqual(first, (Path(folder) / "weights.pt").read_bytes())
            lines = (Path(folder) / "log.jsonl").read_text().splitlines()
            self.assertEqual([json.loads(line)["step"] for line in lines], [1, 2, 3])
            self.assertEqual(set(weights.load(folder)), set(random_model().state_dict()))

    def test_evaluation_counts_every_turn_once(self):
        with contextlib.redirect_stdout(io.StringIO()):
            scores = evaluate.exact_match(random_model(), worlds.validation_seed, 1)
        turns = sum(count for _, count in scores["worlds"].values())
        self.assertEqual(turns, scores["turns"])
        self.assertEqual(set(scores["worlds"]), set(worlds.WORLDS))
        self.assertLess(scores["all"], 0.05)

    @staticmethod
    def train(folder: str, steps: int) -> None:
        arguments = [
            *("--stage", "read", "--run", folder, "--steps", str(steps), "--batch", "2"),
            *("--pages", "1", "--workers", "0", "--threads", "1", "--log-every", "1"),
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            train.main(arguments)


if __name__ == "__main__":
    unittest.main()
