"""A teacher holds the student to itself, and only on the pages that it reads."""

import contextlib
import copy
import io
import json
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
from losses import DENSE_CLASSES
from packing import IGNORED, Packer
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
