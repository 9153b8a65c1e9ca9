"""Random weights for a family's config.json, written as the Hub has them and read back."""

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from .family import Family

# Rows of special tokens: so small that greedy decoding never chooses one.
SPECIAL_ROW = 0.05


def write(family: Family, seed: int, directory: Path) -> dict[str, str]:
    """Writes the whole directory. Returns the newer name of each tensor, if there are two."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    _write_texts(family, directory)
    model = build(family, seed, directory)
    with tempfile.TemporaryDirectory() as scratch:
        older, newer = Path(scratch, "older"), Path(scratch, "newer")
        model.save_pretrained(older)
        tensors = {
            _published(family, name): tensor
            for name, tensor in load_file(older / "model.safetensors").items()
        }
        _write_weights(tensors, directory, family.shards)
        if not family.layouts:
            return {}
        model.save_pretrained(newer, save_original_format=False)
        return _renamed(tensors, load_file(newer / "model.safetensors"))


def build(family: Family, seed: int, directory: Path):
    config = AutoConfig.from_pretrained(directory)
    stated = family.config.get("text_config", family.config).get("tie_word_embeddings")
    if stated is not None:  # InternVL's default above it says otherwise; its files decide
        config.tie_word_embeddings = stated
    kind = AutoModelForImageTextToText if family.preprocessor else AutoModelForCausalLM
    torch.manual_seed(seed)
    model = kind.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            _draw(name, weight)
        for table in (model.get_input_embeddings(), model.get_output_embeddings()):
            table.weight[list(family.vocabulary.special)] *= SPECIAL_ROW
            table.weight[family.vocabulary.size :] *= SPECIAL_ROW
            if config.tie_word_embeddings:
                break
        if config.tie_word_embeddings:  # else a token's own logit would win: answers of one word
            for name, weight in model.named_parameters():
                if "embed_tokens" in name:
                    weight *= 0.5
                elif name.endswith("model.norm.weight"):
                    weight *= 2
        if family.values:
            model.to(family.values)
    return model.to(family.stored)


def load(directory: Path, pictures: bool):
    """The model in float32 from its files; every tensor of the files must be used, and no other."""
    kind = AutoModelForImageTextToText if pictures else AutoModelForCausalLM
    model, report = kind.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True, attn_implementation="eager"
    )
    wrong = {key: value for key, value in report.items() if value}
    if wrong:
        raise RuntimeError(f"{directory.name}: {wrong}")
    return model.eval()


def _draw(name: str, weight: torch.nn.Parameter) -> None:
    """Attention is peaked, layers matter, and logits spread by units."""
    if "position_embedding" in name or "pos_embed" in name:
        weight.normal_(0, 0.3)
    elif any(part in name for part in ("class_embedding", "cls_token", "image_newline")):
        weight.normal_(0, 0.5)
    elif "lambda_" in name:  # InternViT's layer scale
        weight.normal_(0.6, 0.1)
    elif weight.dim() == 1:
        weight.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
    elif "embed_tokens" in name or "lm_head" in name:
        weight.normal_(0, 0.4)
    elif any(part in name for part in ("q_proj", "k_proj", "qkv")):
        weight.normal_(0, 1.4 / weight[0].numel() ** 0.5)
    else:
        weight.normal_(0, 1.5 / weight[0].numel() ** 0.5)


def _published(family: Family, name: str) -> str:
    """LLaVA's towers are one level deeper on the Hub than transformers 5 writes them."""
    if family.model_type.startswith("llava"):
        return re.sub(r"^vision_tower\.", "vision_tower.vision_model.", name)
    return name


def _renamed(older: dict, newer: dict) -> dict[str, str]:
    """Pairs the names of two layouts by the tensors' bytes."""
    names = {_digest(tensor): name for name, tensor in newer.items()}
    renamed = {name: names[_digest(tensor)] for name, tensor in older.items()}
    if set(renamed.values()) != set(newer):
        raise RuntimeError("the two layouts hold different tensors")
    return {old: new for old, new in sorted(renamed.items()) if old != new}


def _digest(tensor: torch.Tensor) -> bytes:
    return hashlib.sha256(tensor.contiguous().view(torch.uint8).numpy().tobytes()).digest()


def _write_weights(tensors: dict[str, torch.Tensor], directory: Path, shards: int) -> None:
    names = sorted(tensors)
    if shards == 1:
        _save(tensors, directory / "model.safetensors")
        return
    total = sum(tensor.nbytes for tensor in tensors.values())
    parts: list[dict[str, torch.Tensor]] = [{} for _ in range(shards)]
    seen = 0
    for name in names:
        parts[seen * shards // total][name] = tensors[name]
        seen += tensors[name].nbytes
    index = {}
    for number, part in enumerate(parts, 1):
        file = f"model-{number:05}-of-{shards:05}.safetensors"
        _save(part, directory / file)
        index |= dict.fromkeys(part, file)
    _json(
        directory / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": index},
    )


def _save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)


def _write_texts(family: Family, directory: Path) -> None:
    _json(directory / "config.json", family.config)
    _json(directory / "generation_config.json", family.generation)
    tokenizer = json.loads(family.vocabulary.tokenizer.to_str())
    (directory / "tokenizer.json").write_text(
        json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n"
    )
    settings = family.tokenizer | {
        "added_tokens_decoder": {str(token.pop("id")): token for token in tokenizer["added_tokens"]}
    }
    for file in family.template_files:
        if file == "tokenizer_config.json":
            settings |= {"chat_template": family.template}
        elif file.endswith(".jinja"):
            (directory / file).write_text(family.template)
        else:
            _json(directory / file, {"chat_template": family.template})
    _json(directory / "tokenizer_config.json", settings)
    if family.preprocessor:
        _json(directory / "preprocessor_config.json", family.preprocessor)
    if family.processor:
        _json(directory / "processor_config.json", family.processor)


def _json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
