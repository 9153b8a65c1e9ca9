"""The distance of foreign pictures: what it measures, and what is written for the app."""

import contextlib
import io
import json
import random
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image

import familiar
import foreign_pictures
from evaluate import load_model

PUBLIC = Path(__file__).resolve().parents[2] / "public"
SHIPPED, GALLERY = PUBLIC / "models" / "keepsight-mini", PUBLIC / "samples"
CARD = '  "keepsight": {\n    "purpose": "Reads – pages."\n  },\n'
CONFIG = f'{{\n  "a": 0.0,\n{CARD}  "b": 1e-05\n}}\n'


def features(count: int = 4000) -> torch.Tensor:
    """Width 6: much variance in two directions, little in three, none in one."""
    scales = torch.tensor([5.0, 3.0, 0.1, 0.2, 0.3, 0.0])
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(0)) * scales + 1


class Distance(unittest.TestCase):
    def test_it_is_one_for_what_was_seen_and_grows_off_its_subspace_only(self):
        seen = features()
        fitted = familiar.fit(seen, 3)
        self.assertEqual(fitted.directions.shape, (3, 6))
        usual = fitted.distance(seen)
        self.assertAlmostEqual(usual, 1.0, delta=0.1)
        along = torch.tensor([9.0, 0, 0, 0, 0, 0])
        off = torch.tensor([0, 0, 0.0, 0, 2.0, 0])
        self.assertAlmostEqual(fitted.distance(seen + along), usual, delta=0.1)
        self.assertGreater(fitted.distance(seen + off), 3)

    def test_pictures_are_scaled_as_the_app_scales_them(self):
        for size, between in (((640, 420), (384, 252)), ((390, 845), (178, 384))):
            noise = np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), "u1")
            image = Image.fromarray(noise)
            lanczos = Image.Resampling.LANCZOS
            expected = image.resize(between, lanczos).resize((384, 384), lanczos)
            self.assertEqual(familiar.squared(image).tobytes(), expected.tobytes())


class Written(unittest.TestCase):
    def test_the_file_has_the_mean_then_the_directions_and_the_card_the_threshold(self):
        fitted = familiar.fit(features(), 2)
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "config.json")
            config.write_text(CONFIG)
            for threshold in (1.5, 1.25):
                familiar.write(Path(folder), fitted, threshold)
            rows = np.frombuffer(Path(folder, "familiar.bin").read_bytes(), "<f4").reshape(3, 6)
            text = config.read_text()
        np.testing.assert_array_equal(rows[0], fitted.mean.numpy())
        np.testing.assert_array_equal(rows[1:], fitted.directions.numpy())
        card = {"purpose": "Reads – pages.", "familiarBelow": 1.25}
        self.assertEqual(json.loads(text), {"a": 0.0, "keepsight": card, "b": 1e-5})
        self.assertTrue(text.endswith('  },\n  "b": 1e-05\n}\n'))

    def test_the_number_of_directions_is_the_one_that_tells_most_pictures(self):
        """Foreign pictures differ along the fourth direction from the least."""
        near = features(800).reshape(8, 100, 6)
        far = near + torch.tensor([0, 6.0, 0, 0, 0, 0])
        with (
            mock.patch.object(familiar, "features_of", lambda *_: next(parts)),
            mock.patch.object(familiar, "foreign_pictures", lambda: [("a", None)] * 8),
            mock.patch.object(familiar, "DIRECTIONS", (1, 2, 4)),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            parts = iter((features()[None], near, far))
            chosen, threshold = familiar.choose(None)
        self.assertEqual(len(chosen.directions), 4)
        self.assertGreater(min(chosen.distance(f) for f in far), threshold)


class Shipped(unittest.TestCase):
    def test_the_gallery_is_familiar_and_photographs_are_not(self):
        torch.set_num_threads(1)
        fitted, threshold = familiar.stored(SHIPPED)
        scenes = (foreign_pictures.landscape, foreign_pictures.still_life)
        photographs = [draw(random.Random(seed)).image for draw in scenes for seed in (501, 502)]
        gallery = [Image.open(file) for file in sorted(GALLERY.glob("*.png"))]
        model = load_model(str(SHIPPED), "cpu")
        for images, expected in ((gallery, True), (photographs, False)):
            for features in familiar.features_of(model, images):
                self.assertEqual(fitted.distance(features) < threshold, expected)


if __name__ == "__main__":
    unittest.main()
