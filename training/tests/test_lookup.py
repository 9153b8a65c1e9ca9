"""Look-up training: what it teaches is where the page says it is, and it can be interrupted."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import torch

import data
import evaluate
import lookup
import nets
import seeds
import weights
from canvas import GRID
from losses import DENSE_CLASSES, tap_layers
from packing import IGNORED
from supervision import READ_ALL
from tokens import load_tokenizer


def first_batch(block: lookup.Block, size: int = 4) -> list[lookup.Visit]:
    return next(iter(block.batches(1, size)))


class Targets(unittest.TestCase):
    def test_an_answer_starts_where_its_first_label_is_predicted(self):
        batch = data.collate([v.example for v in first_batch(lookup.Block(0, 4))])
        starts = lookup.starts_of(batch)
        answers = sum(len(v.example.sequence.answers) for v in first_batch(lookup.Block(0, 4)))
        self.assertEqual(int(starts.sum()), answers)
        rows, places = starts.nonzero(as_tuple=True)
        self.assertTrue((batch.labels[rows, places] == IGNORED).all())
        self.assertTrue((batch.labels[rows, places + 1] != IGNORED).all())

    def test_patches_of_places_that_are_taught_are_patches(self):
        batch = data.collate([v.example for v in first_batch(lookup.Block(0, 4))])
        patches = lookup.patches_at(batch, batch.copied)
        taught = batch.copied >= 0
        self.assertTrue(taught.any())
        self.assertTrue((patches[taught] >= 0).all() and (patches[taught] < GRID * GRID).all())
        self.assertTrue((patches[~taught] < 0).all())

    def test_a_place_head_that_names_row_and_column_costs_nothing(self):
        head = torch.nn.Linear(2 * GRID, 2 * GRID, bias=False)
        torch.nn.init.eye_(head.weight)
        residual = torch.zeros(1, 2, 2 * GRID)
        residual[0, 1, 5] = residual[0, 1, GRID + 7] = 1.0
        taught = torch.tensor([[False, True]])

        def loss(row: int, column: int) -> float:
            patches = torch.tensor([[-1, row * GRID + column]])
            return lookup.PlaceHeads.loss(head, residual, taught, patches).item()

        self.assertLess(loss(5, 7), 0.5)
        self.assertGreater(loss(7, 5), 8.0)
        untaught = torch.zeros(1, 2, dtype=torch.bool)
        patches = torch.full((1, 2), -1)
        self.assertEqual(lookup.PlaceHeads.loss(head, residual, untaught, patches).item(), 0)


class Pages(unittest.TestCase):
    def test_a_block_shows_each_page_as_often_as_asked_and_is_the_same_again(self):
        visits = [v for batch in lookup.Block(3, 6).batches(2, 4) for v in batch]
        self.assertEqual(sorted(v.feature for v in visits), sorted([*range(6)] * 2))
        again = [v for batch in lookup.Block(3, 6).batches(2, 4) for v in batch]
        for one, other in zip(visits, again):
            self.assertEqual(one.example.sequence.ids, other.example.sequence.ids)

    def test_pages_come_from_the_training_seeds_alone(self):
        for number in (0, 10**9):
            self.assertTrue(all(seed in seeds.TRAINING for seed in lookup.Block(number, 3).seeds))

    def test_long_answers_are_rare(self):
        block = lookup.Block(0, 24)
        asked = [
            answer.question
            for index in range(24)
            for answer in block.visit(index, 0).example.sequence.answers
        ]
        self.assertLess(asked.count(READ_ALL), 6)
        self.assertGreater(len(asked), 24 * 4)


class Runs(unittest.TestCase):
    def test_an_interrupted_run_goes_on_and_leaves_the_tower_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            start = Path(folder) / "start.pt"
            torch.manual_seed(0)
            model = nets.Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES)
            torch.save({name: t.half() for name, t in model.state_dict().items()}, start)
            run = f"{folder}/run"
            self.train(run, 2, "--start", str(start))
            self.train(run, 1)
            state = torch.load(f"{run}/state.pt")
            self.assertEqual(state["progress"]["step"], 3)
            self.assertEqual(set(state["heads"]), set(lookup.PlaceHeads().state_dict()))
            lines = Path(f"{run}/log.jsonl").read_text().splitlines()
            self.assertEqual([json.loads(line)["step"] for line in lines], [1, 2, 3])
            before, after = weights.load(start), weights.load(run)
            self.assertEqual(set(before), set(after))
            for name, tensor in before.items():
                same = torch.equal(tensor, after[name])
                self.assertEqual(same, not name.startswith("decoder."), name)
            evaluate.load_model(run, "cpu")

    def test_a_step_reaches_every_part_of_the_loss(self):
        torch.manual_seed(0)
        model = nets.Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES)
        tap_layers(model)
        heads = lookup.PlaceHeads()
        block = lookup.Block(0, 4)
        visits = first_batch(block)
        features = block.see(model.vision, 4)[[v.feature for v in visits]]
        batch = data.collate([lookup.whole(v).example for v in visits])
        self.assertTrue(((batch.patches >= 0).sum(1) == GRID * GRID).all())
        loss, parts = lookup.lookup_loss(model, heads, features, batch)
        self.assertLessEqual(set(lookup.WEIGHTS), set(parts))
        self.assertTrue(all(parts[name] > 0 for name in lookup.WEIGHTS))
        loss.backward()
        self.assertTrue(all(p.grad is not None for p in heads.parameters()))

    @staticmethod
    def train(run: str, steps: int, *more: str) -> None:
        arguments = [
            *("--run", run, "--steps", str(steps), "--batch", "2", "--block", "4", "--visits", "1"),
            *("--threads", "1", "--log-every", "1", "--rate", "0.01", *more),
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            lookup.LookupTrainer(lookup.parse(arguments)).run()


if __name__ == "__main__":
    unittest.main()
