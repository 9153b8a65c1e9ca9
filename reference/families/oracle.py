"""A family's processor and model as transformers runs them, and what one prompt gives."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

sys.modules["torchvision"] = None  # the PIL processors are the reference, not torchvision's

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer
from transformers import AutoImageProcessor, AutoTokenizer, processing_utils
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
from transformers.models.llava_next.modeling_llava_next import image_size_to_num_patches
from transformers.models.smolvlm import processing_smolvlm

from . import checkpoint

# No video here: its processors need torchvision, and SmolVLM's spells numbers for it.
processing_utils.ProcessorMixin.check_argument_for_proper_class = lambda *_: None
processing_smolvlm.num2words = processing_smolvlm.num2words or str

NEW_TOKENS = 24
# The stored bytes, normalised in float32, against the processor's pixel values.
MAX_PIXEL_ERROR = 2e-6


@dataclass(frozen=True)
class Picture:
    """One picture of a prompt. `tiles` [tiles, 3, height, width] bytes before normalisation;
    `features` [rows of the prompt, hidden]; `deepstack` [layers, rows, hidden] or None."""

    name: str
    tiles: np.ndarray
    features: np.ndarray
    deepstack: np.ndarray | None


@dataclass(frozen=True)
class Answer:
    prompt: str
    ids: list[int]
    pictures: list[Picture]
    logits: np.ndarray
    greedy: list[int]
    margin: float
    positions: np.ndarray | None
    next_position: int


class Oracle:
    """Reads nothing but the directory's own files."""

    def __init__(self, directory: Path, pictures: dict[str, Image.Image]):
        self.name = directory.name
        self.pictures = pictures
        self.config = read_json(directory / "config.json")
        self.model_type = self.config["model_type"]
        self.template = chat_template(directory)
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        self.file = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.processor = None
        if "vision_config" in self.config:
            self.processor = _processor(directory, self.model_type, self.tokenizer)
        self.model = checkpoint.load(directory, pictures=self.processor is not None)

    def render(self, messages: list[dict]) -> str:
        if self.processor is None:
            messages = [_plain(message) for message in messages]
        return self.tokenizer.apply_chat_template(
            messages, chat_template=self.template, add_generation_prompt=True, tokenize=False
        )

    def inputs(self, messages: list[dict]) -> tuple[str, dict]:
        prompt = self.render(messages)
        if self.processor is None:  # the template has written the first token
            return prompt, self.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        turns = [
            [self.pictures[part["picture"]] for part in message["content"] if "picture" in part]
            for message in messages
        ]
        turns = [turn for turn in turns if turn]
        # LLaVA-OneVision counts the pictures of a turn, not of the whole prompt.
        per_turn = self.model_type == "llava_onevision"
        images = turns if per_turn else [image for turn in turns for image in turn]
        inputs = self.processor(text=[prompt], images=images or None, return_tensors="pt")
        return prompt, inputs

    @torch.no_grad()
    def answer(self, messages: list[dict], negative: bool = False) -> Answer:
        """`negative`: with all pixel values negated, to see whether the picture matters."""
        prompt, inputs = self.inputs(messages)
        names = [
            part["picture"]
            for message in messages
            for part in message["content"]
            if "picture" in part
        ]
        if negative:
            inputs["pixel_values"] = -inputs["pixel_values"]
        pictures = [] if negative or not names else self._pictures(names, inputs)
        ids = inputs["input_ids"][0].tolist()
        self._check_tokens(prompt)
        self._check_rows(ids, pictures)
        logits = self.model(**inputs).logits[0, -1].numpy()
        greedy, margin = greedy_answer(self.model, inputs)
        positions = self._positions(inputs) if self._three_axes() else None
        return Answer(
            prompt,
            ids,
            pictures,
            logits,
            greedy,
            margin,
            positions,
            len(ids) if positions is None else int(positions.max()) + 1,
        )

    def _three_axes(self) -> bool:
        return self.model_type in ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")

    def _positions(self, inputs: dict) -> np.ndarray:
        """[3, rows]: time, height and width of every row of the prompt."""
        rows = inputs["input_ids"].shape[1]
        if "image_grid_thw" not in inputs:
            return np.broadcast_to(np.arange(rows, dtype=np.int32), (3, rows)).copy()
        positions, delta = self.model.model.get_rope_index(
            inputs["input_ids"],
            mm_token_type_ids=inputs["mm_token_type_ids"],
            image_grid_thw=inputs["image_grid_thw"],
            attention_mask=inputs["attention_mask"],
        )
        if int(delta) + rows != int(positions.max()) + 1:
            raise RuntimeError("the next position is not one above the greatest")
        return positions[:, 0].numpy().astype(np.int32)

    def _check_tokens(self, prompt: str) -> None:
        """tokenizer.json read as it stands must agree with the class that transformers chose."""
        own = self.file.encode(prompt).ids
        theirs = self.tokenizer(prompt)["input_ids"]
        if own != theirs:
            raise RuntimeError(f"{self.name}: tokenizer.json gives {own}, not {theirs}")

    def _check_rows(self, ids: list[int], pictures: list[Picture]) -> None:
        image = self.config.get("image_token_id", self.config.get("image_token_index"))
        if pictures and ids.count(image) != sum(len(picture.features) for picture in pictures):
            raise RuntimeError(f"{self.name}: image tokens and features differ in number")

    def _pictures(self, names: list[str], inputs: dict) -> list[Picture]:
        given = {
            key: inputs[key]
            for key in (
                "pixel_values",
                "pixel_attention_mask",
                "image_sizes",
                "image_grid_thw",
                "batch_num_images",
            )
            if key in inputs
        }
        output = self.model.get_image_features(**given)
        pixels = [
            _bytes(values, self.processor.image_processor) for values in self._tiles(names, inputs)
        ]
        features = output.pooler_output
        counts = [len(tiles) for tiles in pixels]
        if isinstance(features, torch.Tensor) and features.dim() == 3:  # [tiles, rows, hidden]
            features = [part.flatten(0, 1) for part in features.split(counts)]
        deep = getattr(output, "deepstack_features", None)
        return [
            Picture(
                name,
                pixels[index],
                features[index].numpy(),
                None if deep is None else np.stack([layer[index].numpy() for layer in deep]),
            )
            for index, name in enumerate(names)
        ]

    def _tiles(self, names: list[str], inputs: dict) -> list[np.ndarray]:
        """The pixel values of each picture as [tiles, 3, height, width]."""
        pixels = inputs["pixel_values"]
        if "image_grid_thw" in inputs:
            grids = inputs["image_grid_thw"].tolist()
            parts = pixels.split([rows * columns for _, rows, columns in grids])
            merge = self.processor.image_processor.merge_size
            return [
                _unpatched(part.numpy(), rows, columns, merge)
                for part, (_, rows, columns) in zip(parts, grids)
            ]
        if "image_sizes" in inputs:  # [pictures, most tiles, 3, height, width]
            counts = self._any_resolution(inputs)
            return [part[:count].numpy() for part, count in zip(pixels, counts)]
        if "pixel_attention_mask" in inputs:
            pixels = pixels[0]
        options = {"crop_to_patches": True} if self.model_type == "internvl" else {}
        counts = []
        for name in names:
            alone = self.processor.image_processor(self.pictures[name], **options)["pixel_values"]
            counts.append(len(alone[0] if "pixel_attention_mask" in inputs else alone))
        return [part.numpy() for part in pixels.split(counts)]

    def _any_resolution(self, inputs: dict) -> list[int]:
        """Tiles of each picture; LLaVA-OneVision has one where a turn has several pictures."""
        side = self.config["vision_config"]["image_size"]
        grid = self.config["image_grid_pinpoints"]
        sizes = inputs["image_sizes"].tolist()
        groups = [int(count) for count in inputs.get("batch_num_images", [1] * len(sizes))]
        alone = [count == 1 for count in groups for _ in range(count)]
        return [
            image_size_to_num_patches(size, grid, side) if single else 1
            for size, single in zip(sizes, alone)
        ]


def greedy_answer(model, inputs: dict) -> tuple[list[int], float]:
    """Token ids, and the smallest distance of the two best logits at any of them."""
    output = model.generate(
        **inputs,
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        repetition_penalty=1.0,
        temperature=None,
        top_p=None,
        top_k=None,
        return_dict_in_generate=True,
        output_logits=True,
    )
    best = torch.stack(output.logits).squeeze(1).topk(2).values
    prompt = inputs["input_ids"].shape[1]
    return output.sequences[0, prompt:].tolist(), float((best[:, 0] - best[:, 1]).min())


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())


def chat_template(directory: Path) -> str:
    """The chat template from whichever file has it."""
    plain = directory / "chat_template.jinja"
    if plain.exists():
        return plain.read_text()
    for name in ("chat_template.json", "tokenizer_config.json"):
        if (directory / name).exists() and "chat_template" in (found := read_json(directory / name)):
            return found["chat_template"]
    raise RuntimeError(f"{directory.name} has no chat template")


def _processor(directory: Path, model_type: str, tokenizer):
    images = AutoImageProcessor.from_pretrained(directory, backend="pil")
    kind = getattr(transformers, PROCESSOR_MAPPING_NAMES[model_type])
    path = directory / "processor_config.json"
    stated = read_json(path) if path.exists() else {}
    settings = {
        key: value for key, value in stated.items() if key not in ("processor_class", "auto_map")
    }
    if "video_processor" in kind.get_attributes():
        settings["video_processor"] = None
    return kind(images, tokenizer, **settings)


def _plain(message: dict) -> dict:
    return {"role": message["role"], "content": message["content"][0]["text"]}


def _unpatched(patches: np.ndarray, rows: int, columns: int, merge: int) -> np.ndarray:
    """[1, 3, height, width] from Qwen-VL's patches, whose two frames are the same picture."""
    side = int((patches.shape[1] // 6) ** 0.5)
    blocks = patches.reshape(rows // merge, columns // merge, merge, merge, 3, 2, side, side)
    if not np.array_equal(blocks[..., 0, :, :], blocks[..., 1, :, :]):
        raise RuntimeError("the two frames of a still picture differ")
    blocks = blocks[..., 0, :, :].transpose(4, 0, 2, 5, 1, 3, 6)
    return blocks.reshape(1, 3, rows * side, columns * side)


def _bytes(values: np.ndarray, processor) -> np.ndarray:
    """The 8-bit values before normalisation, checked to give the pixel values again."""
    mean = np.array(processor.image_mean, np.float64).reshape(3, 1, 1)
    std = np.array(processor.image_std, np.float64).reshape(3, 1, 1)
    pixels = np.rint((values * std + mean) * 255)
    if pixels.min() < 0 or pixels.max() > 255:
        raise RuntimeError("pixel values outside of 8 bits")
    error = np.abs((pixels / 255 - mean) / std - values).max()
    if error > MAX_PIXEL_ERROR:
        raise RuntimeError(f"pixel values are off by {error}")
    return pixels.astype(np.uint8)
