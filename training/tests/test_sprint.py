"""A sprint: pages are seen again while none is ready, and an interrupted run goes on."""

import contextlib
import io
import itertools
import json
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock

import torch

import nets
import recipes
import seeds
import sprint
import supply
import weights
import worlds
from light import vary_light
from losses import DENSE_CLASSES
from stages import Stage
from style import NARROW, RICH, RICH_PHOTOGRAPHED, WIDE
from supervision import READ_ALL
from tokens import load_tokenizer


class Streams(unittest.TestCase):
    def test_a_batch_is_seen_again_only_while_none_is_ready_and_not_too_often(self):
        more = threading.Event()

        def source():
            yield from (torch.tensor(n) for n in range(3))
            more.wait()
            yield torch.tensor(3)

        stream = supply.Stream(source(), "cpu", uses=2, least=1)
        while stream.ready.qsize() < 3:
            time.sleep(0.01)
        self.assertEqual([int(stream.next()) for _ in range(3)], [0, 1, 2])
        self.assertEqual(sorted(int(stream.next()) for _ in range(3)), [0, 1, 2])
        self.assertEqual((stream.fresh, stream.again), (3, 3))
        threading.Timer(0.1, more.set).start()
        self.assertEqual(int(stream.next()), 3)  # it waited: the others were seen often enough
        stream.close()

    def test_only_so_many_are_kept(self):
        stream = supply.Stream((torch.tensor(n) for n in range(9)), "cpu", memory=2, least=99)
        for _ in range(9):
            stream.next()
        self.assertEqual([int(batch) for batch, _ in stream.kept[-2:]], [7, 8])
        self.assertLessEqual(len(stream.kept), 3)
        stream.close()

    def test_an_error_while_drawing_ends_the_run(self):
        def source():
            yield torch.tensor(0)
            raise ValueError("page 7")

        stream = supply.Stream(source(), "cpu", least=99)
        stream.next()
        with self.assertRaisesRegex(ValueError, "page 7"):
            stream.next()
        stream.close()

    def test_a_closed_stream_ends_although_nobody_takes(self):
        stream = supply.Stream((torch.tensor(n) for n in itertools.count()), "cpu", ready=1)
        stream.close()
        self.assertFalse(stream.thread.is_alive())


class Pages(unittest.TestCase):
    def test_styles_are_mixed_as_stated(self):
        stage = Stage(RICH, blank_drop=0.9, learning_rate=0.0, vision_rate=0.0)
        pages = supply.MixedPages(stage, 0, supply.BROAD, supply.shared_drop(0.9))
        counts = Counter(pages.style_of(seed) for seed in seeds.TRAINING[:4000])
        expected = ((NARROW, 0.20), (WIDE, 0.25), (RICH, 0.47), (RICH_PHOTOGRAPHED, 0.08))
        for style, share in expected:
            self.assertAlmostEqual(counts[style] / 4000, share, delta=0.03)

    def test_new_worlds_and_old_ones_are_mixed_and_some_are_read_first(self):
        stage = Stage(RICH, blank_drop=0.9, learning_rate=0.0, vision_rate=0.0, reads_first=0.5)
        pages = supply.MixedPages(stage, 0, supply.VARY, supply.shared_drop(0.9))
        seen = seeds.TRAINING[:60]
        drawn = [worlds.sample(seed, style=pages.style_of(seed)) for seed in seen]
        new = sum(page.world in worlds.MORE_WORLDS for page in drawn)
        self.assertAlmostEqual(new / len(drawn), 0.43, delta=0.15)
        firsts = [pages.packer.choose_turns(page, seed)[0] for page, seed in zip(drawn, seen)]
        reading = sum(p.meaning(t.question) == READ_ALL for p, t in zip(drawn, firsts))
        self.assertGreater(reading, 15)

    def test_the_end_of_a_run_rehearses_more(self):
        varied = {
            name: sum(style.varied for style in self.styles_of(mixture)) / 1000
            for name, mixture in recipes.MIXTURES.items()
        }
        self.assertAlmostEqual(varied["vary"], 0.7, delta=0.05)
        self.assertAlmostEqual(varied["settle"], 0.3, delta=0.05)
        self.assertAlmostEqual(varied["recall"], 0.26, delta=0.05)

    def styles_of(self, mixture):
        stage = Stage(RICH, blank_drop=0.9, learning_rate=0.0, vision_rate=0.0)
        pages = supply.MixedPages(stage, 0, mixture, supply.shared_drop(0.9))
        return [pages.style_of(seed) for seed in seeds.TRAINING[:1000]]

    def test_without_a_gpu_steps_are_small(self):
        for has_gpu, batch in ((False, 8), (True, 192)):
            with mock.patch.object(torch.cuda, "is_available", lambda has=has_gpu: has):
                options = [sprint.parse([name, "--run", "r"]) for name in recipes.ON_CPU]
            self.assertEqual({each.batch for each in options}, {batch})
            self.assertEqual({each.frozen_vision for each in options}, {0})
            self.assertEqual([each.reads_first for each in options], [0.1, 0.05, 0.05])

    def test_blank_patches_are_left_out_until_the_shared_value_says_otherwise(self):
        stage = Stage(RICH, blank_drop=0.9, learning_rate=0.0, vision_rate=0.0)
        drop = supply.shared_drop(1.0)
        pages = iter(supply.MixedPages(stage, 0, supply.BROAD, drop))
        self.assertLess(len(next(pages)[0].kept), 500)
        drop.value = 0.0
        self.assertEqual(len(next(pages)[0].kept), 576)


class Light(unittest.TestCase):
    def test_a_third_of_the_images_stays_and_all_stay_in_range(self):
        pixels = torch.randint(0, 256, (300, 3, 4, 4), dtype=torch.uint8)
        seen = vary_light(pixels, torch.Generator().manual_seed(0))
        self.assertLessEqual(seen.abs().max().item(), 1.0)
        plain = pixels.float() / 127.5 - 1
        same = ((seen - plain).abs().amax((1, 2, 3)) < 1e-6).float().mean().item()
        self.assertAlmostEqual(same, 0.33, delta=0.1)
        self.assertGreater(torch.corrcoef(torch.stack((seen.ravel(), plain.ravel())))[0, 1], 0.9)


class Runs(unittest.TestCase):
    def test_an_interrupted_sprint_goes_on_and_a_frozen_tower_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            start = Path(folder) / "start.pt"
            torch.manual_seed(0)
            model = nets.Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES)
            torch.save({name: t.half() for name, t in model.state_dict().items()}, start)
            run = f"{folder}/run"
            self.train("talk", run, 2, "--start", str(start))
            self.train("talk", run, 1)
            lines = [json.loads(line) for line in Path(f"{run}/log.jsonl").read_text().splitlines()]
            self.assertEqual([line["step"] for line in lines], [1, 2, 3])
            self.assertGreater(lines[1]["fresh"] + lines[1]["again"], 2)
            before, after = weights.load(start), weights.load(run)
            for name, tensor in before.items():
                same = torch.equal(tensor, after[name])
                self.assertEqual(same, not name.startswith("decoder."), name)

    def test_the_rate_warms_up_stays_and_falls_and_patches_come_back(self):
        with tempfile.TemporaryDirectory() as folder:
            made = sprint.Sprint(sprint.parse(["broad", "--run", folder, "--threads", "1"]))

            def at(step: int, done: float) -> tuple[float, float]:
                made.progress.step = step
                made.set_learning_rate(done)
                rates = {group["lr"] / group["peak"] for group in made.optimizer.param_groups}
                self.assertLess(max(rates) - min(rates), 1e-9)
                return round(max(rates), 6), made.drop.value

            self.assertEqual(at(49, 0.01), (0.5, 0.9))
            self.assertEqual(at(500, 0.45), (1.0, 0.9))
            self.assertEqual(at(900, 0.725), (0.5, 0.0))
            self.assertEqual(at(2000, 1.0), (0.005, 0.0))

    @staticmethod
    def train(recipe: str, run: str, steps: int, *more: str) -> None:
        arguments = [
            *(recipe, "--run", run, "--steps", str(steps), "--batch", "2", "--workers", "0"),
            *("--dense-workers", "0", "--threads", "1", "--log-every", "1", "--rate", "0.1", *more),
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            sprint.main(arguments)


if __name__ == "__main__":
    unittest.main()
