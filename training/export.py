"""Checkpoint → a Hub directory that transformers, Transformers.js and the app load.

    python3 export.py runs/finish ../public/models/keepsight-mini

Weights are rounded to float16 first, so that every file holds the same numbers; then PyTorch's
features and logits are compared with this folder's network and with ONNX Runtime.
"""

import argparse
from pathlib import Path

import hub  # before transformers: it keeps a broken torchvision out

# isort: split
import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from transformers import Idefics3Config, Idefics3ForConditionalGeneration

import data
import onnx_export
import weights
import worlds
from evaluate import load_model
from tokens import IMAGE, VISUAL_TOKENS, load_tokenizer

CONTEXT = 8192
# Rounding in float32 and another order of summation; a wrong weight is off by tenths.
MAX_ERROR = 2e-3
# For the page: what the model was made to read. `npm run confidence --write` adds a threshold.
PURPOSE = (
    "This model reads printed pages in English, one image in a conversation: receipts, "
    "bar charts, cards, shapes and words. Its answers about anything else, such as photographs, "
    "tables or handwriting, mean nothing."
)


def make_config(tokenizer) -> Idefics3Config:
    ids = {f"{k}_token_id": getattr(tokenizer, f"{k}_token_id") for k in ("bos", "eos", "pad")}
    return Idefics3Config(
        keepsight={"purpose": PURPOSE},
        vision_config=dict(
            hidden_size=192,
            intermediate_size=768,
            num_hidden_layers=6,
            num_attention_heads=3,
            image_size=384,
            patch_size=16,
            hidden_act="gelu_pytorch_tanh",
            layer_norm_eps=1e-5,
        ),
        text_config=dict(
            model_type="llama",
            hidden_size=256,
            intermediate_size=768,
            num_hidden_layers=8,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=64,
            vocab_size=len(tokenizer),
            max_position_embeddings=CONTEXT,
            rms_norm_eps=1e-5,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            tie_word_embeddings=True,
            **ids,
        ),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=1,
        tie_word_embeddings=True,
        **ids,
    )


def make_model(tokenizer, state: dict) -> Idefics3ForConditionalGeneration:
    """The Hugging Face model in float32 with the checkpoint's weights rounded to float16."""
    model = Idefics3ForConditionalGeneration(make_config(tokenizer)).eval()
    tensors = {k: t.half().float() for k, t in weights.to_hugging_face(state).items()}
    tensors["lm_head.weight"] = tensors["model.text_model.embed_tokens.weight"]
    model.load_state_dict(tensors, strict=True)
    for kind in ("bos", "eos", "pad"):
        name = f"{kind}_token_id"
        setattr(model.generation_config, name, getattr(tokenizer, name))
    return model


def export(source: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    processor = hub.make_processor(
        load_tokenizer(),
        tile=384,
        longest_edge=384,
        image_tokens=VISUAL_TOKENS,
        pad="<pad>",
        context=4096,
    )
    state = weights.load(source)
    model = make_model(processor.tokenizer, state)
    model.half().save_pretrained(out)
    # Not .float(): the rotary frequencies were rounded with the weights.
    model = Idefics3ForConditionalGeneration.from_pretrained(out, dtype=torch.float32).eval()
    processor.save_pretrained(out)
    hub.write_hub_layout(out)
    onnx_export.export_vision(model, out / "onnx" / "vision_encoder.onnx", half=True)
    onnx_export.export_embedding(model, out / "onnx" / "embed_tokens.onnx", half=True)
    onnx_export.export_decoder(model, out / "onnx" / "decoder_model_merged.onnx", half=True)
    check(model, processor, out)


@torch.no_grad()
def check(model, processor, out: Path) -> None:
    """Raises if the directory, transformers and this folder's network disagree on one page."""
    page = worlds.sample(worlds.validation_seed("receipt", 0), "receipt")
    question = page.turns[0].question
    prompt = hub.question_prompt(processor, question)
    inputs = processor(text=prompt, images=[page.canvas.image], return_tensors="pt")
    pixels, mask = inputs["pixel_values"], inputs["pixel_attention_mask"].bool()
    features = model.get_image_features(pixels, mask).pooler_output
    logits = model(**inputs).logits[0, -1]

    session = onnxruntime.InferenceSession(
        out / "onnx" / "vision_encoder.onnx", providers=["CPUExecutionProvider"]
    )
    feeds = {"pixel_values": pixels.numpy(), "pixel_attention_mask": mask.numpy()}
    report("vision_encoder.onnx", session.run(None, feeds)[0], features.numpy())

    ours = load_model(str(out), "cpu")
    ids = inputs["input_ids"]
    visual = torch.where(ids == IMAGE, (ids == IMAGE).cumsum(1) - 1, -1)
    empty = torch.zeros(0)
    batch = data.Batch(empty, ids, empty, empty, empty, visual, empty, empty, empty)
    seen = ours.vision(
        data.normalise(torch.from_numpy(page.canvas.pixels()).permute(2, 0, 1)[None])
    )
    hidden = ours.decoder.hidden(data.embed(ours, seen, batch), torch.arange(ids.shape[1])[None])
    report("training network", F.linear(hidden[0, -1], ours.decoder.embedding.weight), logits)


def report(name: str, values, expected) -> None:
    error = float(np.abs(np.asarray(values) - np.asarray(expected)).max())
    print(f"{name}: off by {error:.1e} from transformers")
    if not error <= MAX_ERROR:
        raise SystemExit(f"{name} disagrees with transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="a run's folder, a .pt, or an exported directory")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    export(options.source, options.out)


if __name__ == "__main__":
    main()
