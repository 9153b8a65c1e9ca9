"""The training checkpoint's names ↔ the Hugging Face names (Idefics3).

They differ in names and in one way of storing: q, k and v of the vision tower are one matrix here.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

DENSE_HEAD = Path(__file__).resolve().parent / "head.pt"
VISION, TEXT = "model.vision_model.", "model.text_model."
VISION_LAYERS, DECODER_LAYERS = 6, 8

VISION_BLOCK = {
    "out": "self_attn.out_proj",
    "up": "mlp.fc1",
    "down": "mlp.fc2",
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
}
DECODER_BLOCK = {
    "query.weight": "self_attn.q_proj.weight",
    "key.weight": "self_attn.k_proj.weight",
    "value.weight": "self_attn.v_proj.weight",
    "out.weight": "self_attn.o_proj.weight",
    "gate.weight": "mlp.gate_proj.weight",
    "up.weight": "mlp.up_proj.weight",
    "down.weight": "mlp.down_proj.weight",
    "attention_norm": "input_layernorm.weight",
    "mlp_norm": "post_attention_layernorm.weight",
}


def names() -> Iterator[tuple[str, list[str]]]:
    """(checkpoint name, the Hugging Face names whose rows are stacked in it)"""
    embeddings = f"{VISION}embeddings."
    yield "vision.patch_embedding.weight", [f"{embeddings}patch_embedding.weight"]
    yield "vision.patch_embedding.bias", [f"{embeddings}patch_embedding.bias"]
    yield "vision.positions", [f"{embeddings}position_embedding.weight"]
    for layer in range(VISION_LAYERS):
        ours, theirs = f"vision.blocks.{layer}.", f"{VISION}encoder.layers.{layer}."
        for kind in ("weight", "bias"):
            yield f"{ours}qkv.{kind}", [f"{theirs}self_attn.{p}_proj.{kind}" for p in "qkv"]
            for name, other in VISION_BLOCK.items():
                yield f"{ours}{name}.{kind}", [f"{theirs}{other}.{kind}"]
    yield "vision.norm.weight", [f"{VISION}post_layernorm.weight"]
    yield "vision.norm.bias", [f"{VISION}post_layernorm.bias"]
    yield "decoder.projection.weight", ["model.connector.modality_projection.proj.weight"]
    yield "decoder.embedding.weight", [f"{TEXT}embed_tokens.weight"]
    yield "decoder.norm", [f"{TEXT}norm.weight"]
    for layer in range(DECODER_LAYERS):
        for name, other in DECODER_BLOCK.items():
            yield f"decoder.blocks.{layer}.{name}", [f"{TEXT}layers.{layer}.{other}"]


def to_hugging_face(state: dict) -> dict:
    """Float32 tensors under Hugging Face names; the dense head is left out."""
    tensors = {}
    for name, others in names():
        for other, part in zip(others, state[name].float().chunk(len(others))):
            tensors[other] = part.contiguous()
    return tensors


def from_hugging_face(tensors: dict) -> dict:
    return {name: torch.cat([tensors[o].float() for o in others]) for name, others in names()}


def load(path: str | Path) -> dict:
    """Float32 weights from a checkpoint (.pt), a run's folder, or a Hugging Face directory.

    The latter holds no dense head; it is taken from head.pt beside this file.
    """
    path = Path(path)
    if (path / "model.safetensors").exists():
        state = from_hugging_face(load_file(path / "model.safetensors"))
        return {**state, **_floats(torch.load(DENSE_HEAD, map_location="cpu"))}
    file = path / "weights.pt" if path.is_dir() else path
    return _floats(torch.load(file, map_location="cpu"))


def _floats(state: dict) -> dict:
    return {name: tensor.float() for name, tensor in state.items()}
