"""Writes fixtures/families/qwen-video.{json,safetensors}: what Qwen-VL answers about a video in PyTorch.

    python3 reference/make_qwen_video_fixture.py

Three frames, so that the last temporal patch holds one frame twice. Their size needs no scaling: video processors scale with
torchvision, which is absent here; what they do otherwise is theirs.
"""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

sys.modules["torchvision"] = None

import numpy as np
import torch
from families import checkpoint
from families.oracle import chat_template, greedy_answer, read_json
from PIL import Image
from safetensors.numpy import save_file
from transformers import AutoTokenizer
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
from transformers.models.qwen2_vl.processing_qwen2_vl import Qwen2VLProcessor
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor

# The video processors import torchvision for the scaling that is not used here.
for module in ("torchvision", "torchvision.transforms", "torchvision.transforms.v2"):
    sys.modules[module] = ModuleType(module)
sys.modules["torchvision.transforms.v2"].functional = None
sys.modules["torchvision.transforms.v2.functional"] = ModuleType("functional")
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import smart_resize

FAMILIES = Path(__file__).resolve().parent.parent / "fixtures" / "families"
QUESTION = "What happens?"
# A frame is a part of a picture: its left and top.
PICTURE = "busy"
FRAMES = [(0, 0), (27, 19), (9, 4)]
DURATION = 3.2
SECONDS = [0.5, 1.5, 2.25]
SIZES = {"qwen2-vl": (60, 36), "qwen2.5-vl": (70, 42), "qwen3-vl": (36, 24)}
PROCESSORS = {
    "qwen2-vl": Qwen2VLProcessor,
    "qwen2.5-vl": Qwen2_5_VLProcessor,
    "qwen3-vl": Qwen3VLProcessor,
}


def main() -> None:
    torch.set_num_threads(1)
    arrays, cases = {}, {}
    for name in SIZES:
        cases[name] = answer(name, arrays)
        print(name, cases[name]["smallestMargin"])
    save_file(dict(sorted(arrays.items())), FAMILIES / "qwen-video.safetensors")
    (FAMILIES / "qwen-video.safetensors").chmod(0o644)
    frames = [{"left": left, "top": top} for left, top in FRAMES]
    document = {"picture": PICTURE, "frames": frames, "seconds": SECONDS, "duration": DURATION, "question": QUESTION}
    document |= {"cases": cases, "sizes": sizes()}
    (FAMILIES / "qwen-video.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


@torch.no_grad()
def answer(name: str, arrays: dict) -> dict:
    directory = FAMILIES / name
    width, height = SIZES[name]
    settings = read_json(directory / "preprocessor_config.json")
    pixels = torch.stack([frame(part, width, height, settings) for part in FRAMES])
    patches, *grid = Qwen2VLVideoProcessor.patchify(
        None, pixels[None], settings["patch_size"], settings["merge_size"], settings["temporal_patch_size"]
    )
    grids = torch.tensor([grid])
    model = checkpoint.load(directory, pictures=True)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    ids = torch.tensor([prompt(name, tokenizer, grids, settings)])
    video = model.config.video_token_id
    given = {"pixel_values_videos": patches[0], "video_grid_thw": grids}
    inputs = given | {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": 2 * (ids == video).int(),
    }
    if name == "qwen2.5-vl":
        # As its processor computes it from the sampled frames' rate.
        inputs["second_per_grid_ts"] = torch.tensor([2 / (len(FRAMES) / DURATION)])
    output = model.get_video_features(**given)
    features = torch.cat(list(output.pooler_output)).numpy()
    arrays[f"{name}/features"] = features
    if (levels := getattr(output, "deepstack_features", None)) is not None:
        arrays[f"{name}/deepstack"] = np.stack([torch.cat(list(level)).numpy() for level in levels])
    arrays[f"{name}/logits"] = model(**inputs).logits[0, -1].numpy()
    placed = {key: value for key, value in inputs.items() if key != "pixel_values_videos"}
    positions, _ = model.model.get_rope_index(**placed)
    arrays[f"{name}/positions"] = positions[:, 0].numpy().astype(np.int32)
    greedy, margin = greedy_answer(model, inputs)
    return {
        "size": [width, height],
        "inputIds": ids[0].tolist(),
        "greedyIds": greedy,
        "smallestMargin": round(margin, 4),
    }


def frame(part: tuple[int, int], width: int, height: int, settings: dict) -> torch.Tensor:
    """[3, height, width], normalized"""
    left, top = part
    image = Image.open(FAMILIES / "pictures" / f"{PICTURE}.png").convert("RGB")
    bytes_ = np.asarray(image.crop((left, top, left + width, top + height)), np.float32)
    mean, std = (np.array(settings[field], np.float32) for field in ("image_mean", "image_std"))
    return torch.from_numpy((bytes_ / 255 - mean) / std).permute(2, 0, 1)


def prompt(name: str, tokenizer, grids: torch.Tensor, settings: dict) -> list[int]:
    content = [{"type": "video"}, {"type": "text", "text": QUESTION}]
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}],
        chat_template=chat_template(FAMILIES / name),
        tokenize=False,
        add_generation_prompt=True,
    )
    kind = PROCESSORS[name]
    fields = SimpleNamespace(
        video_processor=SimpleNamespace(**settings),
        video_token="<|video_pad|>",
        vision_start_token="<|vision_start|>",
        vision_end_token="<|vision_end|>",
        _calculate_timestamps=lambda *given: Qwen3VLProcessor._calculate_timestamps(None, *given),
    )
    # Frame indices at a thousand frames per second are the times in milliseconds.
    metadata = SimpleNamespace(fps=1000, frames_indices=[round(1000 * time) for time in SECONDS])
    video = {"video_grid_thw": grids, "video_metadata": [metadata]}
    expanded = kind.replace_video_token(fields, video, 0)
    assert text.count("<|video_pad|>") == 1, text
    return tokenizer(text.replace("<|video_pad|>", expanded)).input_ids


def sizes() -> list[dict]:
    """Sizes of frames by Qwen3-VL's rule, whose limits are those of all frames together."""
    cases = [(1280, 720, 8), (720, 1280, 3), (40, 20, 5), (300, 200, 2), (1920, 1080, 64)]
    limits = {"factor": 32, "temporal_factor": 2, "min_pixels": 4096, "max_pixels": 25165824 // 8}
    return [
        {"width": width, "height": height, "frames": frames, "fitting": fitting[::-1]}
        for width, height, frames in cases
        for fitting in [smart_resize(frames, height, width, **limits)]
    ]


main()
