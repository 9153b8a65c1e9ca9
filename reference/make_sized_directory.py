"""Writes a model directory of SmolVLM-256M's shape with random weights, 513 MB, to measure loading.

    python3 reference/make_sized_directory.py OUT

Shape and number format are those of HuggingFaceTB/SmolVLM-256M-Instruct; tokenizer and processor are those of the
tiny SmolVLM of fixtures/families, whose ids lie within the vocabulary. Its answers mean nothing.
"""

import json
import shutil
import sys
from pathlib import Path

sys.modules["torchvision"] = None

import torch
from transformers import Idefics3Config, Idefics3ForConditionalGeneration

SMALL = Path(__file__).resolve().parent.parent / "fixtures" / "families" / "smolvlm"
BESIDE = ["chat_template.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
TEXT = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49280,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": False,
}
VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 512,
    "patch_size": 16,
}


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    small = json.loads((SMALL / "config.json").read_text())
    config = Idefics3Config(
        text_config={**TEXT, "eos_token_id": small["text_config"]["eos_token_id"]},
        vision_config=VISION,
        image_token_id=small["image_token_id"],
        scale_factor=4,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = Idefics3ForConditionalGeneration(config).to(torch.bfloat16)
    model.save_pretrained(out, max_shard_size="2GB")
    for name in BESIDE:
        shutil.copy(SMALL / name, out / name)
    sizes = json.loads((SMALL / "preprocessor_config.json").read_text())
    sizes |= {"size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}}
    (out / "preprocessor_config.json").write_text(json.dumps(sizes, indent=1) + "\n")
    processor = json.loads((SMALL / "processor_config.json").read_text())
    (out / "processor_config.json").write_text(json.dumps(processor | {"image_seq_len": 64}) + "\n")
    print(f"{(out / 'model.safetensors').stat().st_size / 1e6:.0f} MB")


main()
