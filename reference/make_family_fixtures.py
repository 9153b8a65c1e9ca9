"""Writes fixtures/families: one tiny random checkpoint per family and what PyTorch answers.

    python3 reference/make_family_fixtures.py [NAME …]

Without names it writes all of them. Output is the same to the byte on every run.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.modules["torchvision"] = None  # the PIL processors are the reference, not torchvision's

import numpy as np
import record_directory
import torch
import transformers
from families import (
    checkpoint,
    internvl,
    llava,
    llava_onevision,
    mlx,
    pictures,
    qwen_vl,
    smolvlm,
    text,
)
from families.family import Family
from families.oracle import Answer, Oracle, Picture
from safetensors.numpy import save_file

OUT = ROOT / "fixtures" / "families"

FAMILIES = [
    make()
    for make in (
        smolvlm.smolvlm,
        smolvlm.smolvlm2,
        smolvlm.smolvlm_mlx,
        llava.llava,
        llava.llava_next_vicuna,
        llava.llava_next_mistral,
        llava_onevision.llava_onevision,
        internvl.internvl3,
        internvl.internvl3_qk_norm,
        qwen_vl.qwen2_vl,
        qwen_vl.qwen2_5_vl,
        qwen_vl.qwen3_vl,
        text.llama,
        text.qwen2,
        text.qwen3,
    )
]


# The first seed of each family whose weights pass the checks below.
SEEDS = {
    "smolvlm": 16,
    "smolvlm2": 2,
    "smolvlm-mlx": 2,
    "llava-1.5": 2,
    "llava-next-vicuna": 14,
    "llava-next-mistral": 1,
    "llava-onevision": 6,
    "internvl3": 5,
    "internvl3-qk-norm": 6,
    "qwen2-vl": 2,
    "qwen2.5-vl": 13,
    "qwen3-vl": 9,
    "llama": 1,
    "qwen2": 1,
    "qwen3": 2,
}


# The directory that carries a recording for `npm run ask -- --verify`.
VERIFIED = "qwen2.5-vl"


def asked(text: str, *names: str) -> dict:
    images = [{"type": "image", "picture": name} for name in names]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def said(text: str) -> dict:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


FIRST = asked("What is shown in this image?", "busy")
REPLY = said("A grid of dots & a red disc.")
PICTURE_CASES = {
    "one": [FIRST],
    "two": [asked("How do these 2 pictures differ?", "busy", "second")],
    "tall": [asked("Read it from top to bottom: 1, 23, 456.", "tall")],
    "wide": [asked("What is on the far right?", "wide")],
    "turns": [FIRST, REPLY, asked("And what is behind it?")],
    "turns-pictures": [FIRST, REPLY, asked("Is this one larger?", "second")],
}
TEXT_CASES = {
    "text": [asked("Où est le café n° 7 ? Answer in 12 words. 🙂")],
    "text-turns": [asked("Name 3 colours."), said("Red, blue & white."), asked("Which is first?")],
}

# Below this, rounding in another order of additions could choose the other token.
MIN_MARGIN = 0.005
MIN_DISTINCT = 8
# Features of one picture in two cases: float32 rounding in batches of another size.
MAX_DIFFERENCE = 2e-5


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*")
    options.add_argument("--search", type=int, default=0, help="try this many more seeds")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    drawn = pictures.write(OUT / "pictures")
    failed = []
    for family in FAMILIES:
        if chosen.names and family.name not in chosen.names:
            continue
        first = SEEDS[family.name]
        for seed in range(first, first + chosen.search + 1):
            problem = write(family, seed, drawn)
            print(family.name, "seed", seed, problem or "good")
            if not problem:
                break
        else:
            failed.append(family.name)
    write_index()
    if failed:
        raise RuntimeError(f"no good seed: {failed}")


def write(family: Family, seed: int, drawn: dict) -> str | None:
    """Writes a family's directory and recording. Returns what is wrong with the seed."""
    renamed = checkpoint.write(family, seed, OUT / family.name)
    packed = mlx.convert(OUT / family.name, family.mlx) if family.mlx else None
    oracle = Oracle(OUT / family.name, drawn)
    cases = (PICTURE_CASES if family.preprocessor else {}) | TEXT_CASES
    if family.mlx:  # its weights are the only difference from SmolVLM's
        cases = {name: cases[name] for name in ("one", "text")}
    answers = {}
    for name, messages in cases.items():
        answers[name] = oracle.answer(messages)
        if problem := weakness(family, answers[name]):
            return f"{name}: {problem}"
    if family.preprocessor:
        negative = oracle.answer(PICTURE_CASES["one"], negative=True)
        if negative.greedy == answers["one"].greedy:
            return "the answer does not depend on the picture"
    record(family, cases, answers, renamed)
    if packed:
        mlx.write(OUT / family.name, packed, family.mlx)
    if family.name == VERIFIED:
        record_directory.record(OUT / family.name)
    return None


def weakness(family: Family, answer: Answer) -> str | None:
    if answer.margin < MIN_MARGIN:
        return f"margin {answer.margin:.4f}"
    if len(set(answer.greedy)) < MIN_DISTINCT:
        return f"only {len(set(answer.greedy))} different tokens"
    if len(answer.greedy) < 24 or set(answer.greedy) & set(family.vocabulary.special):
        return "a special token in the answer"
    return None


def record(
    family: Family, cases: dict, answers: dict[str, Answer], renamed: dict[str, str]
) -> None:
    arrays: dict[str, np.ndarray] = {}
    recorded = []
    for name, answer in answers.items():
        images = [store(arrays, family, picture) for picture in answer.pictures]
        arrays[f"logits/{name}"] = answer.logits
        if answer.positions is not None:
            arrays[f"positions/{name}"] = answer.positions
        recorded.append(
            {
                "name": name,
                "messages": cases[name],
                "prompt": answer.prompt,
                "images": images,
                "inputIds": answer.ids,
                "nextPosition": answer.next_position,
                "greedyIds": answer.greedy,
                "smallestMargin": round(answer.margin, 4),
            }
        )
    save_file(dict(sorted(arrays.items())), OUT / f"{family.name}.safetensors")
    (OUT / f"{family.name}.safetensors").chmod(0o644)
    reference = {
        "family": family.name,
        "modelType": family.model_type,
        "directory": family.name,
        "arrays": f"{family.name}.safetensors",
        "cases": recorded,
        **({"newerNames": renamed} if renamed else {}),
    }
    text = json.dumps(reference, ensure_ascii=False, separators=(",", ":"))
    (OUT / f"{family.name}.json").write_text(text + "\n")


def store(arrays: dict[str, np.ndarray], family: Family, picture: Picture) -> str:
    """Adds a picture's arrays unless they are there; returns its key."""
    key = picture.name
    if family.model_type == "llava_onevision" and len(picture.tiles) == 1:
        key += "-base"
    if f"pixels/{key}" in arrays:
        if not np.array_equal(arrays[f"pixels/{key}"], picture.tiles):
            raise RuntimeError(f"{key}: other pixels in other company")
        if not np.allclose(arrays[f"features/{key}"], picture.features, atol=MAX_DIFFERENCE):
            raise RuntimeError(f"{key}: other features in other company")
        return key
    arrays[f"pixels/{key}"] = picture.tiles
    arrays[f"features/{key}"] = picture.features
    if picture.deepstack is not None:
        arrays[f"deepstack/{key}"] = picture.deepstack
    return key


def write_index() -> None:
    index = {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "pictures": [
            {"name": name, "file": f"pictures/{name}.png", "width": width, "height": height}
            for name, (width, height) in pictures.SIZES.items()
        ],
        "families": [
            f"{family.name}.json" for family in FAMILIES if (OUT / f"{family.name}.json").exists()
        ],
    }
    (OUT / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
