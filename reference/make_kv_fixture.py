"""Writes fixtures/decoder/rounded.json and rounded.bin: what PyTorch answers with a cache in 8 and 4 bits.

    python3 reference/make_kv_fixture.py

For the checkpoints in fixtures/decoder/index.json, in float32 but for the cache.
"""

import json

import torch
from make_decoder_fixtures import OUT, ROOT, draw_ids, write_sections
from rounded_cache import LEVELS, RoundedCache
from transformers import AutoModelForImageTextToText

STEPS = 4
# A key between two codes may take either, and every later layer follows it. Some short prompts have none; the fewer
# the layers, the longer.
ROWS = {3: 8, 8: 3}  # by layers
PROMPTS = 4


def main() -> None:
    torch.set_num_threads(1)
    cases, sections = [], {}
    for entry in json.loads((OUT / "index.json").read_text())["models"]:
        model = AutoModelForImageTextToText.from_pretrained(
            ROOT / entry["path"], dtype=torch.float32, attn_implementation="eager"
        ).eval()
        for kv_type in LEVELS:
            prompts = []
            for seed in range(PROMPTS):
                ids = draw_ids(model, ROWS[len(model.model.text_model.layers)], [], seed)
                answer = run(model, ids, kv_type)
                prompts.append({"ids": ids.tolist(), "greedyIds": answer["greedy"]})
                for part in ("prefill", "decode"):
                    sections[f"{entry['name']} {kv_type} {seed} {part}"] = answer[part].numpy()
            cases.append({"name": entry["name"], "kvType": kv_type, "prompts": prompts})
    table = write_sections(OUT / "rounded.bin", sections)
    (OUT / "rounded.json").write_text(json.dumps({"cases": cases, "sections": table}) + "\n")


@torch.no_grad()
def run(model, ids: torch.Tensor, kv_type: str) -> dict:
    """Prefill, then greedy tokens; the last forward pass is the one of the last token."""
    text = model.config.text_config
    embeds = model.get_input_embeddings()(ids)[None]
    cache = RoundedCache(text, kv_type)
    step = model(inputs_embeds=embeds, past_key_values=cache, use_cache=True, logits_to_keep=1)
    prefill = logits = step.logits[0, -1]
    greedy = []
    for _ in range(STEPS):
        greedy.append(int(logits.argmax()))
        token = torch.tensor([[greedy[-1]]])
        step = model(input_ids=token, past_key_values=cache, use_cache=True)
        logits = step.logits[0, -1]
    return {"greedy": greedy, "prefill": prefill, "decode": logits}


if __name__ == "__main__":
    main()
