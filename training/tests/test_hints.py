"""A teacher holds the student to itself, and only on the pages that it reads."""

import contextlib
import copy
import io
import json
import random
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import torch

import data
import nets
import seeds
import sprint
import train
import worlds
from hints import Teacher, distance
from jumbled import jumble
from losses import DENSE_CLASSES, answer_loss
from packing import IGNORED, Packer
from stages import QuestionPages, Stage
from style import VARIED
from tokens import load_tokenizer

SHIPPED = Path(__file__).resolve().parents[2] / "public" / "models" / "keepsight-mini"


def batch_of(worlds_drawn: tuple[str, ...]) -> data.Batch:
    packer, rows = Packer(load_tokenizer()), []
    for number, world in enumerate(worlds_drawn):
        seed = seeds.TRAINING[number]
        page = worlds.sample(seed, world)
        rows.append(data.make_example(packer, page, seed, blank_drop=1.0))
    batch = data.collate(rows)
    return batch._replace(pixels=data.normalise(batch.pixels))


def forward(model: nets.Keepsight, batch: data.Batch) -> None:
    features = model.vision(batch.pixels)
    model.decoder.hidden(data.embed(model, features, batch), batch.positions)


class Hints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.student = nets.Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES)
        cls.teacher = Teacher(cls.student, str(SHIPPED), "cpu", compiled=False)
        cls.same = copy.deepcopy(cls.teacher.model.state_dict())

    def setUp(self):
        self.student.load_state_dict(self.same)

    def test_a_student_that_is_its_teacher_has_nothing_to_make_up_for(self):
        batch = batch_of(("card", "receipt"))
        forward(self.student, batch)
        loss, parts = self.teacher.loss(batch)
        self.assertEqual(float(parts["known"]), 1.0)
        self.assertLess(float(loss.detach()), 1e-9)

    def test_a_changed_student_is_drawn_back(self):
        batch = batch_of(("card",))
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in self.student.parameters():
                parameter.add_(0.1 * parameter.std() * torch.randn_like(parameter))
        forward(self.student, batch)
        loss, _ = self.teacher.loss(batch)
        loss.backward()
        before = float(loss.detach())
        with torch.no_grad():
            for parameter in self.student.parameters():
                if parameter.grad is not None:
                    parameter.sub_(1e-3 * parameter.grad)
        forward(self.student, batch)
        after, _ = self.teacher.loss(batch)
        self.assertLess(float(after.detach()), 0.98 * before)

    def test_a_page_that_the_teacher_misreads_teaches_nothing(self):
        batch = batch_of(("card", "receipt"))
        labels = batch.labels.clone()
        labels[0][labels[0] != IGNORED] = 1
        batch = batch._replace(labels=labels)
        forward(self.student, batch)
        self.assertEqual(float(self.teacher.loss(batch)[1]["known"]), 0.5)
        labels[1][labels[1] != IGNORED] = 1
        loss, parts = self.teacher.loss(batch)
        self.assertEqual((float(loss.detach()), float(parts["known"])), (0.0, 0.0))

    def test_the_distance_is_relative_to_each_target(self):
        targets = torch.tensor([[1.0, 0.0], [0.0, 100.0]])
        self.assertAlmostEqual(float(distance(targets * 1.1, targets)), 0.01, places=5)


    def test_a_page_without_labels_has_a_teacher_and_teaches_no_answer(self):
        batch = batch_of(("card",))
        labels = torch.full_like(batch.labels, IGNORED)
        batch = batch._replace(labels=labels, weights=torch.zeros_like(batch.weights))
        forward(self.student, batch)
        self.assertEqual(float(self.teacher.loss(batch)[1]["known"]), 1.0)
        hidden = torch.zeros((*batch.ids.shape, 256))
        self.assertEqual(float(answer_loss(self.student, hidden, batch)[0].detach()), 0.0)


class Jumbled(unittest.TestCase):
    def test_names_numbers_and_marks_stay_and_most_small_words_do(self):
        draw, said = random.Random(0), "how much did the Juice of 2021 cost, roughly speaking?"
        changed = [jumble(said, draw) for _ in range(300)]
        for text in changed:
            self.assertIn("Juice", text)
            self.assertIn("2021", text)
        kept = sum("much" in text.split() for text in changed) / len(changed)
        self.assertTrue(0.55 < kept < 0.8, kept)
        self.assertGreater(len(set(changed)), 250)

    def test_only_worlds_that_the_teacher_knows_are_jumbled(self):
        stage = Stage(VARIED, blank_drop=1.0, learning_rate=0, vision_rate=0, jumbled=1.0)
        pages, seen = QuestionPages(stage, 0), set()
        for seed in seeds.TRAINING[:24]:
            known = worlds.sample(seed, style=VARIED).world in worlds.WORLDS
            sequence = pages.example(seed)[0].sequence
            self.assertEqual(all(label == IGNORED for label in sequence.labels), known)
            self.assertEqual(any(weight > 0 for weight in sequence.weights), not known)
            seen.add(known)
        self.assertEqual(seen, {True, False})


class Recipe(unittest.TestCase):
    def test_the_log_tells_how_far_the_student_is_from_its_teacher(self):
        with tempfile.TemporaryDirectory() as folder:
            arguments = [
                *("recall", "--run", folder, "--start", str(SHIPPED), "--teacher", str(SHIPPED)),
                *("--steps", "1", "--batch", "4", "--pages", "1", "--workers", "0"),
                *("--dense-workers", "0", "--threads", "1", "--compile", "0", "--log-every", "1"),
            ]
            with (
                contextlib.redirect_stdout(io.StringIO()),
                mock.patch.object(train.time, "time_ns", return_value=0),
            ):
                sprint.main(arguments)
            line = json.loads((Path(folder) / "log.jsonl").read_text())
            self.assertLess(line["hints"], 1e-6)
            self.assertGreaterEqual(line["known"], 0.5)


if __name__ == "__main__":
    unittest.main()
