"""The model in plain PyTorch: a vision tower and a Llama decoder, as small as they read well."""

import math

import torch
import torch.nn.functional as F
from torch import nn

HEAD_DIM = 64
ROTARY_BASE = 10_000.0
PATCH, PATCHES = 16, 576
# Heads whose scores are supervised: see train.py.
TAPPED_HEADS = 3

# Attention as batched matrix products: faster than the fused kernel on CPUs with bf16 units.
explicit_attention = False


def attend(q, k, v, causal: bool = False):
    """[B, H, T, D] queries, [B, G, T, D] keys and values → [B, H, T, D]"""
    batch, heads, length, width = q.shape
    group = heads // k.shape[1]
    if not explicit_attention:
        if group > 1:
            k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = (q * width**-0.5).reshape(batch, -1, group * length, width) @ k.transpose(-1, -2)
    if causal:
        future = torch.full((length, length), -1e4, dtype=scores.dtype, device=q.device).triu(1)
        scores = (scores.view(batch, -1, group, length, length) + future).view(scores.shape)
    return (scores.softmax(-1) @ v).reshape(batch, heads, length, width)


class VisionBlock(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, HEAD_DIM)
        mixed = attend(*qkv.permute(2, 0, 3, 1, 4))
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class VisionTower(nn.Module):
    """[B, 3, 384, 384] in [-1, 1] → [B, 576, width]: one vector per 16-pixel patch, row by row."""

    def __init__(self, width: int = 192, layers: int = 6, heads: int = 3):
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, width, PATCH, PATCH)
        self.positions = nn.Parameter(torch.randn(PATCHES, width) * 0.02)
        self.blocks = nn.ModuleList(VisionBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, pixels):
        x = self.patch_embedding(pixels).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def rms_norm(x, weight, epsilon: float = 1e-5):
    if x.is_cuda:  # one kernel instead of five
        return F.rms_norm(x, (x.shape[-1],), weight.to(x.dtype), epsilon)
    wide = x.float()
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
    return (wide * scale).to(x.dtype) * weight


def rotate(x, cos, sin):
    half = HEAD_DIM // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class DecoderBlock(nn.Module):
    """Pre-norm attention and SwiGLU. With `tapped`, `tap` holds each tapped head's (q, k) pair of
    the last forward pass, [B, T, D] each."""

    def __init__(self, width: int, heads: int, kv_heads: int, inner: int):
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads
        self.tapped, self.tap = False, None
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.mlp_norm = nn.Parameter(torch.ones(width))
        self.query = nn.Linear(width, heads * HEAD_DIM, bias=False)
        self.key = nn.Linear(width, kv_heads * HEAD_DIM, bias=False)
        self.value = nn.Linear(width, kv_heads * HEAD_DIM, bias=False)
        self.out = nn.Linear(heads * HEAD_DIM, width, bias=False)
        self.gate = nn.Linear(width, inner, bias=False)
        self.up = nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, _ = x.shape
        y = rms_norm(x, self.attention_norm)

        def split(projection, heads):
            return projection(y).view(batch, length, heads, HEAD_DIM).transpose(1, 2)

        q = rotate(split(self.query, self.heads), cos, sin)
        k = rotate(split(self.key, self.kv_heads), cos, sin)
        if self.tapped:
            group = self.heads // self.kv_heads
            self.tap = [(q[:, head], k[:, head // group]) for head in range(TAPPED_HEADS)]
        mixed = attend(q, k, split(self.value, self.kv_heads), causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, -1))
        y = rms_norm(x, self.mlp_norm)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    """Llama with a tied head: logits are `hidden(...) @ embedding.weight.T`."""

    def __init__(
        self, vocabulary, width=256, layers=8, heads=4, kv_heads=2, inner=768, vision_width=192
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.projection = nn.Linear(vision_width, width, bias=False)
        self.blocks = nn.ModuleList(
            DecoderBlock(width, heads, kv_heads, inner) for _ in range(layers)
        )
        self.norm = nn.Parameter(torch.ones(width))
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            for name, weight in block.named_parameters():
                if weight.dim() == 2:
                    residual = name in ("out.weight", "down.weight")
                    nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def hidden(self, x, positions):
        """[B, T, width] embeddings, [B, T] rotary positions → [B, T, width] after the last norm"""
        exponents = torch.arange(0, HEAD_DIM, 2, device=x.device).float() / HEAD_DIM
        angles = positions[..., None].float() * (1 / ROTARY_BASE**exponents)
        angles = torch.cat((angles, angles), -1)[:, None]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        return rms_norm(x, self.norm)


class Keepsight(nn.Module):
    """Tower, decoder, and the head of the dense labels, which only training needs."""

    def __init__(self, vocabulary: int, dense_classes: int):
        super().__init__()
        self.vision = VisionTower()
        self.decoder = Decoder(vocabulary)
        self.dense_head = nn.Linear(192, dense_classes)


def compile_parts(model: Keepsight) -> None:
    """Fuses what is between the matrix products; sequences of any length share the compiled code.

    One minute, then 1.4 times as fast on a CPU with bf16 units.
    """
    model.vision.compile()
    for block in model.decoder.blocks:
        block.compile(dynamic=True)
