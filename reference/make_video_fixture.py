"""Writes fixtures/families/video.json: prompts of videos, and pooled features, as transformers makes them.

    python3 reference/make_video_fixture.py

Video processors need torchvision; prompts and pooling do not. The processors' own methods get the number of
frames and their times.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.modules["torchvision"] = None

import torch
from families.oracle import chat_template
from transformers import AutoTokenizer
from transformers.models.internvl.processing_internvl import InternVLProcessor
from transformers.models.llava_onevision.modeling_llava_onevision import LlavaOnevisionModel
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
from transformers.models.smolvlm import processing_smolvlm as smolvlm

FAMILIES = Path(__file__).resolve().parent.parent / "fixtures" / "families"
TIMES = [0.5, 61.2, 3725.0]
DURATION = 3800.9
QUESTION = "What happens?"
ROWS = 4  # of a tile or a frame; other numbers change nothing but lengths
IMAGE_ROWS = 3
NUMBERS = {3: "three"}  # num2words


def main() -> None:
    smolvlm.num2words = NUMBERS.__getitem__
    metadata = [SimpleNamespace(fps=1, timestamps=TIMES, duration=DURATION)]
    pixels = torch.zeros(1, len(TIMES), 3, 2, 2)
    videos = {"pixel_values": pixels, "pixel_values_videos": pixels, "video_metadata": metadata}
    sizes = {"image_seq_len": ROWS, "image_seq_length": ROWS, "num_image_tokens": 16}
    internvl = {"start_image_token": "<img>", "end_image_token": "</img>", "image_token": "<IMG_CONTEXT>"}
    idefics = {"fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>", "image_token": "<image>"}
    prompts = [
        ("smolvlm2", smolvlm.SmolVLMProcessor, idefics, smolvlm.DEFAULT_CHAT_TEMPLATE),
        ("internvl3", InternVLProcessor, internvl, None),
        ("llava-onevision", LlavaOnevisionProcessor, {"video_token": "<video>"}, None),
    ]
    written, beside = {}, {}
    for name, processor, tokens, template in prompts:
        fields = SimpleNamespace(**sizes, **tokens)
        expanded = processor.replace_video_token(fields, videos, 0)
        written[name] = prompt(name, expanded, template)
        if name == "llava-onevision":
            # Its template writes images before videos.
            beside[name] = prompt(name, expanded, template, image="<image>" * IMAGE_ROWS)
    document = {"seconds": TIMES, "duration": DURATION, "question": QUESTION, "rows": ROWS, "imageRows": IMAGE_ROWS}
    document |= {"prompts": written, "besideImage": beside, "pooling": pooling()}
    (FAMILIES / "video.json").write_text(json.dumps(document) + "\n")


def prompt(name: str, expanded: str, template: str | None, image: str | None = None) -> list[int]:
    """@param image what stands for an image behind the video; none if absent"""
    directory = FAMILIES / name
    images = [{"type": "image"}] if image else []
    content = [{"type": "video"}, *images, {"type": "text", "text": QUESTION}]
    tokenizer = AutoTokenizer.from_pretrained(directory)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}],
        chat_template=template or chat_template(directory),
        tokenize=False,
        add_generation_prompt=True,
    )
    assert text.count("<video>") == 1, text
    # The video's rows may have the image's token: the image first.
    written = text.replace("<image>", image) if image else text
    return tokenizer(written.replace("<video>", expanded)).input_ids


def pooling() -> dict:
    """LLaVA-OneVision's pooling of a frame of 5 × 5 features of width 2, newline row not included."""
    side = 5
    config = SimpleNamespace(vision_config=SimpleNamespace(image_size=side, patch_size=1))
    features = torch.rand(1, side * side, 2, generator=torch.Generator().manual_seed(0))
    pooled = LlavaOnevisionModel.apply_pooling(SimpleNamespace(config=config), features)
    return {"side": side, "features": features.flatten().tolist(), "pooled": pooled.flatten().tolist()}


main()
