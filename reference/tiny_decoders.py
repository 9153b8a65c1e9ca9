"""Random SmolVLM / Idefics3 checkpoints with awkward decoder shapes, saved like a Hub directory.

Sizes are odd on purpose: a hidden size that is not heads × head size, no power of two, a prime
vocabulary. The vision tower is a stub of a few thousand weights; only the decoder is under test.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

sys.modules["torchvision"] = None  # a broken torchvision stops the import of transformers' vision

import torch
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)

VOCABULARY = 1009
IMAGE_TOKEN, BOS_TOKEN, EOS_TOKEN, PAD_TOKEN = 3, 1, 2, 0


@dataclass(frozen=True)
class TinyDecoder:
    """One checkpoint's shape. `rope_keys`: where config.json states the rotary base."""

    name: str
    model_type: str
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    rope_theta: float
    rope_keys: tuple[str, ...]
    tied: bool
    dtype: torch.dtype
    seed: int
    layers: int = 3


TINY_DECODERS = (
    TinyDecoder(
        "tiny-6over2-f32", "idefics3", 6, 2, 64, 48, 116, 10_000.0,
        ("rope_theta",), tied=True, dtype=torch.float32, seed=11,
    ),
    TinyDecoder(
        "tiny-4over4-f16", "smolvlm", 4, 4, 80, 76, 100, 273_768.0,
        ("rope_parameters",), tied=True, dtype=torch.float16, seed=12,
    ),
    TinyDecoder(
        "tiny-5over1-bf16", "idefics3", 5, 1, 64, 60, 132, 100_000.0,
        ("rope_theta", "rope_parameters"), tied=False, dtype=torch.bfloat16, seed=13,
    ),
)  # fmt: skip


def build(shape: TinyDecoder):
    """The model in float32, its weights already rounded to the precision that the file keeps."""
    smolvlm = shape.model_type == "smolvlm"
    text = dict(
        model_type="llama",
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        vocab_size=VOCABULARY,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        bos_token_id=BOS_TOKEN,
        eos_token_id=EOS_TOKEN,
        pad_token_id=PAD_TOKEN,
        tie_word_embeddings=shape.tied,
    )
    vision = dict(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=1,
        image_size=32,
        patch_size=8,
    )
    config = (SmolVLMConfig if smolvlm else Idefics3Config)(
        vision_config=vision,
        text_config=text,
        image_token_id=IMAGE_TOKEN,
        scale_factor=2,
        tie_word_embeddings=shape.tied,
        pad_token_id=PAD_TOKEN,
    )
    config._attn_implementation = "eager"
    torch.manual_seed(shape.seed)
    kind = SmolVLMForConditionalGeneration if smolvlm else Idefics3ForConditionalGeneration
    model = kind(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale_weights(name, parameter, shape)
            parameter.copy_(parameter.to(shape.dtype).float())
    return model


def scale_weights(name: str, weight: torch.nn.Parameter, shape: TinyDecoder) -> None:
    """Draws one tensor so that attention is peaked, layers matter and logits spread by units."""
    if weight.dim() == 1:
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        weight.normal_(centre, 0.2)
    elif "embed_tokens" in name or "lm_head" in name:
        weight.normal_(0, 0.4)
    elif "q_proj" in name or "k_proj" in name:
        weight.normal_(0, 1.4 / shape.hidden**0.5)
    else:
        weight.normal_(0, 1.5 / weight[0].numel() ** 0.5)


def save(shape: TinyDecoder, directory: Path) -> None:
    """Writes config.json and model.safetensors in the precision of `shape.dtype`."""
    model = build(shape).to(shape.dtype)
    model.save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    path = directory / "config.json"
    config = json.loads(path.read_text())
    text = config["text_config"]
    rope = text.pop("rope_parameters")
    if "rope_parameters" in shape.rope_keys:
        text["rope_parameters"] = rope
    if "rope_theta" in shape.rope_keys:
        text["rope_theta"] = rope["rope_theta"]
    path.write_text(json.dumps(config, indent=2) + "\n")
    (directory / "model.safetensors").chmod(0o644)
