"""Writes fixtures/families/visionzip.json: what VisionZip's release keeps and merges of a picture.

    python3 reference/make_visionzip_fixture.py

Attention and keys of the encoder's last layer that is used, by hooks on PyTorch's model; choice and merging in the
order of https://github.com/dvlab-research/VisionZip (`CLIPVisionTower_VisionZip.forward`). There the mean of the merged
rows is added to their target before the connector; so it is here for LLaVA. SmolVLM's connector folds patches: rows are
merged behind it.
"""

import json
from pathlib import Path

import torch
from families import pictures
from families.oracle import Oracle

FAMILIES = Path(__file__).resolve().parent.parent / "fixtures" / "families"
PICTURE = "busy"
# Kept and contextual rows.
COUNTS = {"llava-1.5": (8, 3), "smolvlm2": (5, 2)}
DECIMALS = 6


def main() -> None:
    torch.set_num_threads(1)
    drawn = pictures.write(FAMILIES / "pictures")
    document = {name: record(name, drawn) for name in COUNTS}
    text = json.dumps({"picture": PICTURE, "cases": document}, separators=(",", ":"))
    (FAMILIES / "visionzip.json").write_text(text + "\n")


@torch.no_grad()
def record(name: str, drawn: dict) -> dict:
    oracle = Oracle(FAMILIES / name, drawn)
    model = oracle.model.model
    tower = model.vision_tower if hasattr(model, "vision_tower") else model.vision_model
    tower.set_attn_implementation("eager")
    content = [{"type": "image", "picture": PICTURE}, {"type": "text", "text": "?"}]
    _, inputs = oracle.inputs([{"role": "user", "content": content}])
    layer = next(
        each[getattr(model.config, "vision_feature_layer", -1)]
        for path, each in tower.named_modules()
        if path.endswith("encoder.layers")
    )
    seen = {}
    layer.self_attn.k_proj.register_forward_hook(lambda _, __, out: seen.update(keys=out))
    layer.self_attn.register_forward_hook(lambda _, __, out: seen.update(weights=out[1]))
    layer.register_forward_hook(lambda _, __, out: seen.update(hidden=out))
    given = ("pixel_values", "pixel_attention_mask")
    features = model.get_image_features(**{key: inputs[key] for key in given if key in inputs})
    keys, weights = seen["keys"], seen["weights"]  # [tiles, rows, hidden], [tiles, heads, rows, rows]
    tiles, rows, _ = keys.shape
    keys = keys.view(tiles, rows, weights.shape[1], -1).mean(2)
    if name == "llava-1.5":  # attention of the class token
        received, keys = weights[:, :, 0, 1:].mean(1), keys[:, 1:]
    else:
        received = weights.mean((1, 2))
    fold = getattr(model.config, "scale_factor", 1)
    received, keys = folded(received[..., None], fold)[..., 0], folded(keys, fold)
    chosen = choose(received[0], keys[0], *COUNTS[name])
    if name == "llava-1.5":
        added = model.multi_modal_projector(merge(seen["hidden"][0, 1:], chosen["into"]))
    else:
        added = merge(features.pooler_output[0], chosen["into"])
    return {
        "attention": rounded(received),
        "keys": rounded(keys),
        "width": keys.shape[-1],
    } | chosen | {"merged": rounded(added)}


def rounded(values: torch.Tensor) -> list[float]:
    return [round(value, DECIMALS) for value in values.flatten().tolist()]


def folded(values: torch.Tensor, fold: int) -> torch.Tensor:
    """[tiles, rows / fold², width]: the sums over fold × fold neighbouring patches."""
    tiles, rows, width = values.shape
    side = round(rows**0.5)
    blocks = values.view(tiles, side // fold, fold, side // fold, fold, width)
    return blocks.sum((2, 4)).reshape(tiles, -1, width)


def merge(rows: torch.Tensor, into: list[int]) -> torch.Tensor:
    """[targets, width]: each target, in order, plus the mean of the rows that it takes in."""
    targets = sorted(set(into) - {-1})
    return torch.stack(
        [rows[target] + rows[[row for row, to in enumerate(into) if to == target]].mean(0) for target in targets]
    )


def choose(received: torch.Tensor, metric: torch.Tensor, count: int, contextual: int) -> dict:
    """Of one tile: the rows that are kept, and the target of each row that is merged."""
    dominant = received.topk(count - contextual).indices
    others = torch.tensor([row for row in range(len(received)) if row not in dominant.tolist()])
    unit = metric[others] / metric[others].norm(dim=-1, keepdim=True)
    step = max(1, len(others) // contextual)
    targets = torch.arange(0, len(others), step)[:contextual]
    merged = [row for row in range(len(others)) if row not in targets.tolist()]
    nearest = (unit[merged] @ unit[targets].T).argmax(dim=1)
    into = [-1] * len(received)
    for row, target in zip(merged, nearest.tolist()):
        into[int(others[row])] = int(others[targets[target]])
    keep = sorted(dominant.tolist() + others[targets].tolist())
    return {"counts": [count - contextual, contextual], "keep": keep, "into": into}


main()
