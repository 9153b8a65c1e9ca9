"""Whether transformers takes an exported directory as it is: no key missing, none too many.

    python3 load_directory.py ../public/models/keepsight-mini

Loads it with the class that its config names, in the element type of the file and in float32, and
answers one held-out page. Exit status 0 only if every tensor found its place.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))

import hub  # before transformers: it keeps a broken torchvision out

# isort: split
import torch
import worlds
from safetensors import safe_open
from transformers import AutoModelForImageTextToText

KINDS = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")
WORLD = "receipt"


def load(directory: Path, dtype: torch.dtype) -> list[str]:
    """Sentences about what did not fit; empty when all of it did."""
    model, found = AutoModelForImageTextToText.from_pretrained(
        directory, dtype=dtype, output_loading_info=True
    )
    complaints = [f"{kind}: {found[kind]}" for kind in KINDS if found.get(kind)]
    with safe_open(directory / "model.safetensors", "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = model.state_dict()
    complaints += [f"not in the model: {name}" for name in stored.keys() - state.keys()]
    complaints += [
        f"changed by loading: {name}"
        for name, tensor in stored.items()
        if name in state and not torch.equal(state[name], tensor.to(dtype))
    ]
    print(f"{type(model).__name__} in {dtype}: {len(stored)} tensors of the file")
    return complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    complaints = [c for dtype in (torch.float16, torch.float32) for c in load(directory, dtype)]
    for complaint in complaints:
        print(complaint)
    if complaints:
        return 1
    from answering import Answerer

    page = worlds.sample(worlds.test_seed(WORLD, 0), WORLD)
    question, expected = page.turns[0]
    given = Answerer(directory).answer(page.canvas.image, question)
    print(f"every key in its place; {question} → {given} (the page says {expected})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
