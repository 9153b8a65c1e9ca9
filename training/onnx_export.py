"""ONNX files of an Idefics3 model, with the names that Transformers.js binds to.

`get_image_features` of transformers does not trace (its patch bookkeeping is data-dependent), so
the modules here restate the forward pass on the model's own weights; `export.py` compares the two.
"""

import math
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

MASKED = -1e9
# Smaller float32 constants stay as they are: halving them saves nothing and costs a node each.
MIN_HALVED_ELEMENTS = 256


class VisionEncoder(nn.Module):
    """Tiles of full size → visual tokens. A patch with no valid pixel is masked as a key."""

    def __init__(self, model):
        super().__init__()
        config = model.config.vision_config
        self.tower = model.model.vision_model
        self.connector = model.model.connector
        self.patch = config.patch_size
        positions = torch.arange((config.image_size // config.patch_size) ** 2)[None]
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, pixel_values, pixel_attention_mask):
        """[B, N, 3, S, S], bool [B, N, S, S] → [B·N, visual tokens, decoder's hidden size]"""
        batch, tiles, channels, height, width = pixel_values.shape
        pixels = pixel_values.reshape(batch * tiles, channels, height, width)
        embeddings = self.tower.embeddings
        x = embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        x = x + embeddings.position_embedding(self.positions)
        valid = pixel_attention_mask.reshape(batch * tiles, 1, height, width).to(torch.float32)
        valid = F.max_pool2d(valid, self.patch).flatten(1)
        bias = ((1.0 - valid) * MASKED)[:, None, None, :]
        for layer in self.tower.encoder.layers:
            x = x + self.attend(layer.self_attn, layer.layer_norm1(x), bias)
            x = x + layer.mlp(layer.layer_norm2(x))
        return self.connector(self.tower.post_layernorm(x))

    @staticmethod
    def attend(attention, x, bias):
        heads = (attention.num_heads, attention.head_dim)
        projections = (attention.q_proj, attention.k_proj, attention.v_proj)
        q, k, v = (p(x).unflatten(-1, heads).transpose(1, 2) for p in projections)
        weights = torch.softmax(q @ k.transpose(-1, -2) * attention.scale + bias, -1)
        return attention.out_proj((weights @ v).transpose(1, 2).flatten(2))


class TokenEmbedding(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.embedding = model.model.text_model.embed_tokens

    def forward(self, input_ids):
        return self.embedding(input_ids)


class Decoder(nn.Module):
    """Embeddings and a past of any length, also 0 → logits and the whole cache."""

    def __init__(self, model):
        super().__init__()
        text = model.config.text_config
        self.text = model.model.text_model
        self.head = model.lm_head
        self.heads, self.kv_heads = text.num_attention_heads, text.num_key_value_heads
        self.head_dim = text.head_dim
        exponents = torch.arange(0, self.head_dim, 2).float() / self.head_dim
        inverse = 1.0 / text.rope_parameters["rope_theta"] ** exponents
        self.register_buffer("inverse_frequencies", inverse, persistent=False)

    def forward(self, inputs_embeds, attention_mask, position_ids, *past):
        x, length, total = inputs_embeds, inputs_embeds.shape[1], attention_mask.shape[1]
        angles = position_ids[..., None].float() * self.inverse_frequencies
        angles = torch.cat((angles, angles), -1)[:, None]
        cos, sin = angles.cos(), angles.sin()
        queries = (torch.arange(length) + (total - length))[:, None]
        allowed = (torch.arange(total)[None] <= queries)[None, None]
        bias = torch.where(allowed & (attention_mask[:, None, None, :] > 0), 0.0, MASKED)
        present = []
        for index, layer in enumerate(self.text.layers):
            y = layer.input_layernorm(x)
            q, k, v = self.project(layer.self_attn, y, cos, sin)
            k = torch.cat((past[2 * index], k), 2)
            v = torch.cat((past[2 * index + 1], v), 2)
            present += [k, v]
            scores = q @ self.repeat(k).transpose(-1, -2) / math.sqrt(self.head_dim)
            mixed = torch.softmax(scores + bias, -1) @ self.repeat(v)
            x = x + layer.self_attn.o_proj(mixed.transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        return (self.head(self.text.norm(x)), *present)

    def project(self, attention, x, cos, sin):
        def split(projection, heads):
            return projection(x).unflatten(-1, (heads, self.head_dim)).transpose(1, 2)

        def rotate(z):
            half = self.head_dim // 2
            return z * cos + torch.cat((-z[..., half:], z[..., :half]), -1) * sin

        q = rotate(split(attention.q_proj, self.heads))
        k = rotate(split(attention.k_proj, self.kv_heads))
        return q, k, split(attention.v_proj, self.kv_heads)

    def repeat(self, x):
        """[B, KV heads, T, D] → [B, heads, T, D]"""
        group = self.heads // self.kv_heads
        return x[:, :, None].expand(-1, -1, group, -1, -1).flatten(1, 2)


@torch.no_grad()
def export_vision(model, path: Path, *, half: bool) -> None:
    size = model.config.vision_config.image_size
    example = (torch.randn(1, 2, 3, size, size), torch.ones(1, 2, size, size, dtype=torch.bool))
    tiles = {0: "batch_size", 1: "num_images"}
    axes = {
        "pixel_values": tiles,
        "pixel_attention_mask": tiles,
        "image_features": {0: "total_images"},
    }
    inputs = ["pixel_values", "pixel_attention_mask"]
    _export(VisionEncoder(model), example, path, inputs, ["image_features"], axes, half)


@torch.no_grad()
def export_embedding(model, path: Path, *, half: bool) -> None:
    row = {0: "batch_size", 1: "sequence_length"}
    axes = {"input_ids": row, "inputs_embeds": row}
    example = (torch.ones(1, 5, dtype=torch.long),)
    _export(TokenEmbedding(model), example, path, ["input_ids"], ["inputs_embeds"], axes, half)


@torch.no_grad()
def export_decoder(model, path: Path, *, half: bool) -> None:
    """Transformers.js sizes the empty cache from metadata: the batch axis must be `batch_size`."""
    text = model.config.text_config
    past_length, length = 4, 5
    pairs = [(i, kind) for i in range(text.num_hidden_layers) for kind in ("key", "value")]
    past_names = [f"past_key_values.{i}.{kind}" for i, kind in pairs]
    present_names = [f"present.{i}.{kind}" for i, kind in pairs]
    row = {0: "batch_size", 1: "sequence_length"}
    axes = {"inputs_embeds": row, "position_ids": row, "logits": row}
    axes["attention_mask"] = {0: "batch_size", 1: "total_sequence_length"}
    axes |= {name: {0: "batch_size", 2: "past_sequence_length"} for name in past_names}
    axes |= {name: {0: "batch_size", 2: "total_sequence_length"} for name in present_names}
    cache = [
        torch.randn(1, text.num_key_value_heads, past_length, text.head_dim) for _ in past_names
    ]
    example = (
        torch.randn(1, length, text.hidden_size),
        torch.ones(1, past_length + length, dtype=torch.long),
        torch.arange(past_length, past_length + length)[None],
        *cache,
    )
    inputs = ["inputs_embeds", "attention_mask", "position_ids", *past_names]
    _export(Decoder(model), example, path, inputs, ["logits", *present_names], axes, half)


def _export(module, example, path: Path, inputs, outputs, axes, half: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module.eval(),
        example,
        path,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=18,
        dynamo=False,
        do_constant_folding=True,
    )
    if half:
        halve_weights(path)
    onnx.checker.check_model(str(path))


def halve_weights(path: Path) -> None:
    """Stores float32 weights as float16 and casts them back when the session loads: half the bytes,
    float32 arithmetic."""
    model = onnx.load(path)
    graph = model.graph
    initializers, casts = [], []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < MIN_HALVED_ELEMENTS:
            initializers.append(tensor)
            continue
        name = f"{tensor.name}_f16"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        initializers.append(numpy_helper.from_array(values, name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initializers)
    graph.node.extend(casts + nodes)
    onnx.save(model, path)
