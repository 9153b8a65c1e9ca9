"""Records in a model directory what PyTorch answers about one picture.

    python3 reference/record_directory.py DIR [--picture FILE] [--question TEXT]

DIR has the files of a Hub repository. Writes DIR/recorded.json, with which
`npm run ask -- --model DIR --verify` compares the engine's prompt and its greedy answer.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

sys.modules["torchvision"] = None  # the PIL processors are the reference, not torchvision's

import torch
import transformers
from families.oracle import Oracle
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "public" / "samples" / "receipt.png"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("directory", type=Path)
    options.add_argument("--picture", type=Path, default=PICTURE)
    options.add_argument("--question", default="What is shown in this image?")
    chosen = options.parse_args()
    oracle = Oracle(chosen.directory, {"picture": Image.open(chosen.picture).convert("RGB")})
    image = [{"type": "image", "picture": "picture"}] if oracle.processor else []
    content = [*image, {"type": "text", "text": chosen.question}]
    answer = oracle.answer([{"role": "user", "content": content}])
    recorded = {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "picture": {
            "file": chosen.picture.name,
            "sha256": hashlib.sha256(chosen.picture.read_bytes()).hexdigest(),
        },
        "question": chosen.question,
        "inputIds": answer.ids,
        "greedyIds": answer.greedy,
        "smallestMargin": round(answer.margin, 4),
    }
    (chosen.directory / "recorded.json").write_text(json.dumps(recorded) + "\n")
    print(
        repr(oracle.tokenizer.decode(answer.greedy)), "smallest margin", recorded["smallestMargin"]
    )


if __name__ == "__main__":
    main()
