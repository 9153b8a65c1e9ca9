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


QUESTION = "What is shown in this image?"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("directory", type=Path)
    options.add_argument("--picture", type=Path, default=PICTURE)
    options.add_argument("--question", default=QUESTION)
    chosen = options.parse_args()
    print(record(chosen.directory, chosen.picture, chosen.question))


def record(directory: Path, picture: Path = PICTURE, question: str = QUESTION) -> str:
    """Writes DIR/recorded.json. Returns the answer in words."""
    oracle = Oracle(directory, {"picture": Image.open(picture).convert("RGB")})
    image = [{"type": "image", "picture": "picture"}] if oracle.processor else []
    content = [*image, {"type": "text", "text": question}]
    answer = oracle.answer([{"role": "user", "content": content}])
    recorded = {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "picture": {
            "file": picture.name,
            "sha256": hashlib.sha256(picture.read_bytes()).hexdigest(),
        },
        "question": question,
        "inputIds": answer.ids,
        "greedyIds": answer.greedy,
        "smallestMargin": round(answer.margin, 4),
    }
    (directory / "recorded.json").write_text(json.dumps(recorded) + "\n")
    words = oracle.tokenizer.decode(answer.greedy)
    return f"{words!r}, smallest margin {recorded['smallestMargin']}"


if __name__ == "__main__":
    main()
