"""A checkpoint as MLX stores it: matrices in 4 or 8 bits, channels last, mlx-vlm's names."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def quantised(weight: torch.Tensor, group: int, bits: int) -> dict[str, torch.Tensor]:
    """Codes, scales and biases by the formula of mlx.core.quantize: each group of columns spans its
    smallest and its largest weight. A word holds its first code in its lowest bits."""
    rows, columns = weight.shape
    groups = weight.float().reshape(rows, columns // group, group)
    low, high = groups.amin(2, keepdim=True), groups.amax(2, keepdim=True)
    scales = ((high - low) / (2**bits - 1)).to(weight.dtype)
    biases = low.to(weight.dtype)
    codes = ((groups - biases.float()) / scales.float()).round().clamp(0, 2**bits - 1)
    words = codes.long().reshape(rows, -1, 32 // bits)
    packed = (words << (torch.arange(32 // bits) * bits)).sum(2)
    return {
        "weight": packed.to(torch.uint32),
        "scales": scales.squeeze(2),
        "biases": biases.squeeze(2),
    }


def dequantised(parts: dict[str, torch.Tensor], group: int, bits: int) -> torch.Tensor:
    """code × scale + bias."""
    rows = parts["weight"].shape[0]
    words = parts["weight"].to(torch.int64).unsqueeze(2)
    codes = (words >> (torch.arange(32 // bits) * bits)) & (2**bits - 1)
    scales, biases = parts["scales"].float(), parts["biases"].float()
    groups = codes.reshape(rows, -1, group).float()
    return (groups * scales.unsqueeze(2) + biases.unsqueeze(2)).reshape(rows, -1)


def renamed(name: str) -> str:
    """mlx-vlm's name of a tensor of Idefics3 or SmolVLM."""
    name = name.removeprefix("model.")
    if name.startswith("text_model."):
        return "language_model." + name.removeprefix("text_model.")
    return f"language_model.{name}" if name.startswith("lm_head.") else name


def convert(directory: Path, settings: dict) -> dict[str, torch.Tensor]:
    """Returns the tensors as MLX stores them, and leaves in the directory what they stand for."""
    path = directory / "model.safetensors"
    stored: dict[str, torch.Tensor] = {}
    meant: dict[str, torch.Tensor] = {}
    for name, tensor in load_file(path).items():
        module = renamed(name).removesuffix(".weight")
        own = settings | settings.get(module, {})
        group, bits = own["group_size"], own["bits"]
        if tensor.dim() == 2 and tensor.shape[1] % group == 0 and "position" not in name:
            parts = quantised(tensor, group, bits)
            stored |= {f"{module}.{part}": value for part, value in parts.items()}
            exact = dequantised(parts, group, bits)
            # The engine's vision encoder has matrices of one type.
            meant[name] = exact if module.startswith("language_model.") else exact.half()
            continue
        last = tensor.dim() == 4
        stored[renamed(name)] = tensor.permute(0, 2, 3, 1).contiguous() if last else tensor
        meant[name] = tensor.half() if tensor.dim() > 1 else tensor
    save_file(meant, path, metadata={"format": "pt"})
    return stored


def write(directory: Path, tensors: dict[str, torch.Tensor], settings: dict) -> None:
    """Replaces the directory's weights, and says so in its config.json."""
    path = directory / "config.json"
    config = json.loads(path.read_text())
    config |= {"quantization": settings, "quantization_config": settings}
    path.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")
    save_file(tensors, directory / "model.safetensors", metadata={"format": "mlx"})
    (directory / "model.safetensors").chmod(0o644)
