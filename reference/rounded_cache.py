"""A cache that rounds keys and values as `kv_grouped.wgsl` does: codes between the lowest value of a group and
the highest, both held as float16. `q8` has one group per row and head, `q4` one per 32 elements of it."""

import torch
from transformers import DynamicCache

LEVELS = {"q8": 255, "q4": 15}
Q4_GROUP = 32
F16_MAX = 65504.0


def round_rows(rows: torch.Tensor, kv_type: str) -> torch.Tensor:
    """[..., head_dim]: every group of the last axis rounded."""
    group = rows.shape[-1] if kv_type == "q8" else Q4_GROUP
    return torch.cat([round_group(part, LEVELS[kv_type]) for part in rows.split(group, -1)], -1)


def round_group(values: torch.Tensor, levels: int) -> torch.Tensor:
    low = half(values.amin(-1, keepdim=True))
    span = half(values.amax(-1, keepdim=True) - low)
    steps = torch.where(span > 0, levels / span, torch.zeros_like(span))
    codes = torch.floor((values - low) * steps + 0.5).clamp(0, levels)
    return low + codes / levels * span


def half(values: torch.Tensor) -> torch.Tensor:
    return values.clamp(-F16_MAX, F16_MAX).half().to(values.dtype)


class RoundedCache(DynamicCache):
    """Rounds keys, which are rotated by then, and values before attention reads them."""

    def __init__(self, config, kv_type: str):
        super().__init__(config=config)
        self.kv_type = kv_type

    def update(self, key_states, value_states, *args, **kwargs):
        rounded = [round_rows(rows, self.kv_type) for rows in (key_states, value_states)]
        return super().update(*rounded, *args, **kwargs)
