"""Writes fixtures/policy-e2e/: attention of whole prompts, reduced as policies want it, by PyTorch.

    python3 reference/make_policy_fixtures.py

Attention probabilities come from transformers' eager attention in float32; the reductions run in
float64. The format is described in fixtures/policy-e2e/README.md.
"""

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

import hub
import numpy as np
import torch
from features import hashed_features
from make_decoder_fixtures import embed, write_sections
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

OUT = ROOT / "fixtures" / "policy-e2e"
DECODER_FIXTURES = ROOT / "fixtures" / "decoder"
EMBEDDED = "public/models/keepsight-mini"
PAGE = "public/samples/receipt.png"
QUESTION = "What is the total?"
TINY = ("tiny-6over2-f32", "tiny-4over4-f16")
TINY_ROWS = 600
WINDOW_ROWS = 32


def main() -> None:
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    cases = [tiny_case(name) for name in TINY]
    cases.append(page_case())
    lines = ",\n".join(f"  {json.dumps(case)}" for case in cases)
    (OUT / "index.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')


def tiny_case(name: str) -> dict:
    """The prompt of 600 rows of fixtures/decoder, features by rule."""
    models = json.loads((DECODER_FIXTURES / "index.json").read_text())["models"]
    entry = next(model for model in models if model["name"] == name)
    prompt = next(case for case in entry["cases"] if case["rows"] == TINY_ROWS)
    model = load(entry["path"])
    spans, scale = prompt["imageSpans"], prompt["featureScale"]
    rows = sum(end - start for start, end in spans)
    features = hashed_features(rows, model.config.text_config.hidden_size, scale)
    case = {"name": name, "featureScale": scale}
    return write_case(case, entry["path"], model, torch.tensor(prompt["ids"]), features, {})


def page_case() -> dict:
    """The embedded model on a sample page; its features are stored and test vision encoders too."""
    model = load(EMBEDDED)
    processor = AutoProcessor.from_pretrained(ROOT / EMBEDDED)
    prompt = hub.question_prompt(processor, QUESTION)
    inputs = processor(text=prompt, images=[Image.open(ROOT / PAGE)], return_tensors="pt")
    with torch.no_grad():
        features = model.get_image_features(
            inputs["pixel_values"], inputs["pixel_attention_mask"].bool()
        ).pooler_output.flatten(0, 1)
    features = features.numpy()
    case = {"name": "keepsight-mini-receipt", "image": PAGE, "question": QUESTION}
    ids = inputs["input_ids"][0]
    return write_case(case, EMBEDDED, model, ids, features, {"features": features})


def load(path: str):
    return AutoModelForImageTextToText.from_pretrained(
        ROOT / path, dtype=torch.float32, attn_implementation="eager"
    ).eval()


@torch.no_grad()
def write_case(case: dict, path: str, model, ids, features, stored: dict) -> dict:
    """Runs the prompt, writes its reductions, and returns its entry of index.json."""
    embeds = embed(model, ids, features)
    output = model(inputs_embeds=embeds, output_attentions=True, logits_to_keep=1)
    text = model.config.text_config
    groups = text.num_key_value_heads
    is_image = ids == model.config.image_token_id
    attention = [reduce_groups(layer, groups) for layer in output.attentions]
    sections = {
        "columnSum": np.stack([a.sum(1) for a in attention]),
        "windowSum": np.stack([a[:, -WINDOW_ROWS:].sum(1) for a in attention]),
        "lastRow": np.stack([a[:, -1] for a in attention]),
        "logits": output.logits[0, -1].numpy(),
        **stored,
    }
    file = f"{case['name']}.bin"
    return {
        **case,
        "model": path,
        "safetensorsSha256": hashlib.sha256(
            (ROOT / path / "model.safetensors").read_bytes()
        ).hexdigest(),
        "layers": text.num_hidden_layers,
        "kvHeads": groups,
        "rows": len(ids),
        "windowRows": WINDOW_ROWS,
        "imageSpans": spans_of(is_image.tolist()),
        "ids": ids.tolist(),
        "file": file,
        "sections": write_sections(OUT / file, sections),
    }


def reduce_groups(attention: torch.Tensor, groups: int) -> np.ndarray:
    """[1, heads, N, N] → [groups, N, N]: mean over the query heads that share a KV head."""
    heads, rows = attention.shape[1:3]
    grouped = attention[0].double().reshape(groups, heads // groups, rows, rows)
    return grouped.mean(1).numpy()


def spans_of(flags: list[bool]) -> list[list[int]]:
    """Half-open ranges where `flags` is true."""
    padded = [False, *flags, False]
    edges = [i for i in range(len(flags) + 1) if padded[i] != padded[i + 1]]
    return [list(span) for span in zip(edges[::2], edges[1::2])]


if __name__ == "__main__":
    main()
