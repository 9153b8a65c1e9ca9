"""Writes fixtures/decoder/: checkpoints, prompts, and what PyTorch `transformers` answers to them.

    python3 reference/make_decoder_fixtures.py

Every number is computed in float32 with the weights as the file stores them, upcast. The format is
described in fixtures/decoder/README.md.
"""

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import tiny_decoders
import torch
from features import hashed_features
from transformers import AutoModelForImageTextToText

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "fixtures" / "decoder"
EMBEDDED = "public/models/keepsight-mini"
GREEDY_TOKENS = 32
# A greedy step whose best two logits are closer than this could flip within the tolerance.
MIN_TOP2_GAP = 0.02
# Spans of image rows [start, end) of each prompt, by model and prompt length.
TINY_PROMPTS = {40: [], 600: [(9, 45)], 1500: [(130, 706)]}
EMBEDDED_PROMPTS = {40: [], 600: [(6, 582)], 1500: [(6, 582), (620, 1196)]}


def main() -> None:
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for shape in tiny_decoders.TINY_DECODERS:
        tiny_decoders.save(shape, OUT / shape.name)
    models = [
        (f"fixtures/decoder/{s.name}", TINY_PROMPTS, 2.0) for s in tiny_decoders.TINY_DECODERS
    ]
    models.append((EMBEDDED, EMBEDDED_PROMPTS, 0.5))
    index = [write_model(path, prompts, scale) for path, prompts, scale in models]
    lines = ",\n".join(f"  {json.dumps(model)}" for model in index)
    (OUT / "index.json").write_text(f'{{"models": [\n{lines}\n]}}\n')


def write_model(path: str, prompts: dict, feature_scale: float) -> dict:
    """Writes one `.bin` per prompt and returns the model's entry of index.json."""
    model = AutoModelForImageTextToText.from_pretrained(
        ROOT / path, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    name = Path(path).name
    cases = []
    for rows, spans in prompts.items():
        case, sections = solve(model, rows, spans, feature_scale)
        file = f"{name}-{rows}.bin"
        case["file"] = file
        case["sections"] = write_sections(OUT / file, sections)
        cases.append(case)
        print(name, rows, "gap", case["minTop2Gap"], "tokens", case["greedyIds"])
    digest = hashlib.sha256((ROOT / path / "model.safetensors").read_bytes()).hexdigest()
    return {"name": name, "path": path, "safetensorsSha256": digest, "cases": cases}


def solve(model, rows: int, spans: list, feature_scale: float) -> tuple[dict, dict]:
    """The first prompt, by seed, whose greedy continuation is clear enough to be tested."""
    for seed in range(1000):
        ids = draw_ids(model, rows, spans, seed)
        features = hashed_features(
            sum(end - start for start, end in spans), model.config.text_config.hidden_size,
            feature_scale,
        )  # fmt: skip
        answer = run(model, ids, features)
        if answer["gap"] >= MIN_TOP2_GAP and len(set(answer["greedy"])) >= 3:
            break
    else:
        raise RuntimeError(f"no clear prompt of {rows} rows")
    case = {
        "rows": rows,
        "seed": seed,
        "imageSpans": spans,
        "featureScale": feature_scale,
        "ids": ids.tolist(),
        "greedyIds": answer["greedy"],
        "minTop2Gap": round(answer["gap"], 4),
    }
    return case, {k: answer[k] for k in ("prefillLogits", "decodeLogits", "prefillHidden")}


def draw_ids(model, rows: int, spans: list, seed: int) -> torch.Tensor:
    """[rows] ids: ordinary tokens, and the image token in the image rows."""
    text = model.config.text_config
    draw = random.Random(seed * 10_007 + rows)
    ids = torch.tensor([draw.randrange(7, text.vocab_size) for _ in range(rows)])
    ids[0] = text.bos_token_id
    for start, end in spans:
        ids[start:end] = model.config.image_token_id
    return ids


def embed(model, ids: torch.Tensor, features: np.ndarray) -> torch.Tensor:
    """[1, rows, hidden]: token embeddings with the image rows replaced by `features`, in order."""
    embeds = model.get_input_embeddings()(ids).clone()
    embeds[ids == model.config.image_token_id] = torch.from_numpy(features)
    return embeds[None]


@torch.no_grad()
def run(model, ids: torch.Tensor, features: np.ndarray) -> dict:
    """Prefill, then 32 greedy tokens; the last forward pass is the one of the 32nd token."""
    hidden = []
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out: hidden.append(first(out)[0, -1].clone()))
        for layer in model.model.text_model.layers
    ]
    embeds = embed(model, ids, features)
    step = model(inputs_embeds=embeds, use_cache=True, logits_to_keep=1)
    for hook in hooks:
        hook.remove()
    prefill = logits = step.logits[0, -1]
    greedy, gaps = [], []
    for _ in range(GREEDY_TOKENS):
        best = logits.topk(2)
        greedy.append(int(best.indices[0]))
        gaps.append(float(best.values[0] - best.values[1]))
        token = torch.tensor([[greedy[-1]]])
        step = model(input_ids=token, past_key_values=step.past_key_values, use_cache=True)
        logits = step.logits[0, -1]
    return {
        "greedy": greedy,
        "gap": min(gaps),
        "prefillLogits": prefill.numpy(),
        "decodeLogits": logits.numpy(),
        "prefillHidden": torch.stack([embeds[0, -1], *hidden]).numpy(),
    }


def first(output):
    return output[0] if isinstance(output, tuple) else output


def write_sections(path: Path, sections: dict) -> dict:
    """Concatenates arrays as little-endian float32; returns offset (floats) and shape of each."""
    table, offset = {}, 0
    with path.open("wb") as file:
        for name, values in sections.items():
            table[name] = {"offset": offset, "shape": list(values.shape)}
            file.write(np.ascontiguousarray(values, dtype="<f4").tobytes())
            offset += values.size
    return table


if __name__ == "__main__":
    main()
