"""Several weights on the same pages: scored as by evaluate.py, answered as by generation."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import torch

import compare
import weights
import worlds
from evaluate import load_model, score_page
from packing import Packer
from style import STYLES
from tokens import load_tokenizer

SHIPPED = str(Path(__file__).resolve().parents[2] / "public" / "models" / "keepsight-mini")


class Compare(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)

    def test_a_batch_scores_as_single_pages_do(self):
        model = load_model(SHIPPED, "cpu")
        tasks = [("rich", "card", 0), ("rich", "shapes", 1)]
        rights = compare.score(model, [compare.page_of(task) for task in tasks], 2, "cpu")
        packer = Packer(load_tokenizer(), max_text=400)
        for (style, world, index), right in zip(tasks, rights):
            seed = worlds.test_seed(world, index)
            page = worlds.sample(seed, world, STYLES[style])
            expected = [flag for _, flag in score_page(model, packer, page, seed, 0.0)]
            self.assertEqual(right, expected)

    def test_answers_are_right_where_the_score_says_so(self):
        questions = list(compare.single_questions("gallery"))[:4]
        model = load_model(SHIPPED, "cpu")
        rights = compare.score(model, questions, 4, "cpu")
        for told, right in zip(compare.answers(model, questions, 2, "cpu"), rights):
            self.assertEqual([told["generated"] == told["turns"][0]["answer"]], right)
            self.assertLessEqual(max(told["logProbabilities"]), 0)

    def test_an_average_lies_between(self):
        with tempfile.TemporaryDirectory() as folder:
            moved = {name: tensor + 1 for name, tensor in weights.load(SHIPPED).items()}
            torch.save(moved, f"{folder}/moved.pt")
            between = compare.load(f"{SHIPPED}+{folder}/moved.pt@0.25")
        for name, tensor in weights.load(SHIPPED).items():
            self.assertAlmostEqual((between[name] - tensor).mean().item(), 0.25, delta=1e-3)

    def test_scores_and_answers_are_written(self):
        few = list(compare.single_questions("gallery"))[:1]
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(compare, "draw", lambda *_: few),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            arguments = ["compare", SHIPPED, "--generate", "1", "--out", folder]
            with mock.patch("sys.argv", arguments):
                compare.main()
            scores = json.loads(Path(folder, "scores.json").read_text())
            answers = Path(folder, "answers-0.jsonl").read_text().splitlines()
        self.assertEqual(scores[SHIPPED]["gallery"]["all"][1], 1)
        self.assertEqual(len(answers), 1)


if __name__ == "__main__":
    unittest.main()
