"""Writes public/models/tiny-smolvlm and fixtures/vision/: a whole random SmolVLM of one megabyte.

    python3 reference/make_tiny_smolvlm.py

Unlike keepsight-mini it cuts pictures into tiles and folds 2 × 2 patches into one token, as the
published SmolVLM checkpoints do, and its weights are BF16 like theirs. Its answers mean nothing.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

import hub
import numpy as np
import onnx_export
import onnxruntime
import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Idefics3Config, Idefics3ForConditionalGeneration

MODEL = ROOT / "public" / "models" / "tiny-smolvlm"
FIXTURE = ROOT / "fixtures" / "vision"
TILE, PATCH, SCALE = 64, 8, 2
CONTEXT = 2048
IMAGE_TOKENS = (TILE // PATCH) ** 2 // SCALE**2
QUESTION = "What is shown in this image?"
NEW_TOKENS = 12
# The restated vision tower and ONNX Runtime against PyTorch: float32 rounding.
MAX_FEATURE_ERROR = 5e-5

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
]
CORPUS = (
    "User: What is shown in this image? Assistant: The image shows a red square and a blue circle "
    "on a white background. Describe the picture. How many objects are there?"
)


def main() -> None:
    torch.set_num_threads(1)
    processor = hub.make_processor(
        train_tokenizer(),
        tile=TILE,
        longest_edge=2 * TILE,
        image_tokens=IMAGE_TOKENS,
        pad="<|im_end|>",
        context=CONTEXT,
    )
    model = build(processor.tokenizer)
    MODEL.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(MODEL)
    # Not .float(): the rotary frequencies were rounded with the weights.
    model = Idefics3ForConditionalGeneration.from_pretrained(MODEL, dtype=torch.float32).eval()
    processor.save_pretrained(MODEL)
    hub.write_hub_layout(MODEL)
    onnx_export.export_vision(model, MODEL / "onnx" / "vision_encoder.onnx", half=False)
    write_fixture(model, processor)


def train_tokenizer() -> Tokenizer:
    """Byte-level BPE in GPT-2's style, digits one by one, as SmolLM2 has it."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=480,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([CORPUS] * 20, trainer)
    return tokenizer


def build(tokenizer) -> Idefics3ForConditionalGeneration:
    """The model in float32, weights already rounded to BF16."""
    ids = {f"{k}_token_id": getattr(tokenizer, f"{k}_token_id") for k in ("bos", "eos", "pad")}
    config = Idefics3Config(
        vision_config=dict(
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=TILE,
            patch_size=PATCH,
        ),
        text_config=dict(
            model_type="llama",
            hidden_size=64,
            intermediate_size=160,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            vocab_size=len(tokenizer),
            max_position_embeddings=CONTEXT,
            rms_norm_eps=1e-5,
            rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
            tie_word_embeddings=False,
            **ids,
        ),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SCALE,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    model = Idefics3ForConditionalGeneration(config).eval()
    with torch.no_grad():  # larger than the default initialisation: outputs must not be degenerate
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.5 if "embed" in name else 0.12)
            elif "bias" in name:
                weight.normal_(0, 0.05)
            weight.copy_(weight.bfloat16().float())
    for name, value in ids.items():
        setattr(model.generation_config, name, value)
    return model


def draw_picture() -> Image.Image:
    """96 × 64: a red square and a blue disc. Scaled to 128 × 128: four tiles and an overview."""
    picture = Image.new("RGB", (96, 64), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((10, 10, 39, 39), fill=(220, 30, 30))
    draw.ellipse((53, 23, 87, 57), fill=(30, 60, 220))
    return picture


@torch.no_grad()
def write_fixture(model, processor) -> None:
    FIXTURE.mkdir(parents=True, exist_ok=True)
    picture = draw_picture()
    picture.save(FIXTURE / "picture.png", optimize=True)
    prompt = hub.question_prompt(processor, QUESTION)
    inputs = processor(text=prompt, images=[picture], return_tensors="pt")
    pixels, mask = inputs["pixel_values"], inputs["pixel_attention_mask"].bool()
    features = model.get_image_features(pixels, mask).pooler_output
    check_onnx(pixels, mask, features)
    logits = model(**inputs).logits[0, -1]
    output = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)
    generated = output[0, inputs["input_ids"].shape[1] :].tolist()
    smaller = smaller_features(model, pixels)
    arrays = {"pixel_values": pixels, "image_features": features, "smaller_features": smaller, "logits": logits}
    for name, values in arrays.items():
        values.numpy().astype("<f4").tofile(FIXTURE / f"{name}.bin")
    reference = {
        "question": QUESTION,
        "prompt": prompt,
        "inputIds": inputs["input_ids"][0].tolist(),
        "shapes": {name: list(values.shape) for name, values in arrays.items()},
        "pixelAttentionMask": {"shape": list(mask.shape), "allOnes": bool(mask.all())},
        "greedyIds": generated,
        "greedyText": processor.tokenizer.decode(generated),
    }
    (FIXTURE / "reference.json").write_text(json.dumps(reference) + "\n")
    print(reference["shapes"], repr(reference["greedyText"]))


@torch.no_grad()
def smaller_features(model, pixels) -> torch.Tensor:
    """Of each tile's upper left nine sixteenths, as if it were a tile of its own."""
    side = TILE * 3 // 4
    part = pixels[..., :side, :side]
    mask = torch.ones(1, pixels.shape[1], side, side, dtype=torch.bool)
    return model.get_image_features(part, mask).pooler_output


def check_onnx(pixels, mask, features) -> None:
    """The exported file must give PyTorch's features."""
    session = onnxruntime.InferenceSession(
        MODEL / "onnx" / "vision_encoder.onnx", providers=["CPUExecutionProvider"]
    )
    feeds = {"pixel_values": pixels.numpy(), "pixel_attention_mask": mask.numpy()}
    error = np.abs(session.run(None, feeds)[0] - features.numpy()).max()
    if error > MAX_FEATURE_ERROR:
        raise RuntimeError(f"vision_encoder.onnx is off by {error}")
    print("vision_encoder.onnx against PyTorch:", error)


if __name__ == "__main__":
    main()
