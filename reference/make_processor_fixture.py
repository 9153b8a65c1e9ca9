"""Writes fixtures/processor/: the tiles that `transformers` makes of busy images of awkward sizes.

python3 reference/make_processor_fixture.py
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import Idefics3ImageProcessorPil

OUT = Path(__file__).resolve().parent.parent / "fixtures" / "processor"
TILE = 24
LONGEST = 72
SIZES = ((72, 48), (61, 37), (37, 61), (200, 31), (29, 173), (50, 50), (23, 24))


def busy_image(width: int, height: int) -> Image.Image:
    """Noise that depends on the coordinates alone, the same in `processor.test.ts`."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(((x * x * 7 + y * y * 13 + x * y * 5 + c * 91) % 256).astype(np.uint8))


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    cases, pixels = [], []
    for splits in (True, False):
        processor = Idefics3ImageProcessorPil(
            size={"longest_edge": LONGEST},
            max_image_size={"longest_edge": TILE},
            do_image_splitting=splits,
            do_normalize=False,
            do_rescale=False,
        )
        for width, height in SIZES if splits else SIZES[1:4]:
            output = processor(
                [[busy_image(width, height)]], return_tensors="np", return_row_col_info=True
            )
            tiles = output["pixel_values"][0]
            rows, columns = output["rows"][0][0], output["cols"][0][0]
            cases.append(dict(width=width, height=height, splits=splits, rows=rows, columns=columns))
            pixels.append(np.rint(tiles).astype(np.uint8))
            cases[-1]["tiles"] = len(tiles)
    (OUT / "pixels.bin").write_bytes(b"".join(each.tobytes() for each in pixels))
    (OUT / "cases.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
