"""The files of a SmolVLM directory on the Hub, as JavaScript and Python readers expect them.

`save_pretrained` of transformers 5 writes a newer layout than Transformers.js 4 reads: the image
processor nested in processor_config.json, the chat template only in chat_template.jinja, and the
rotary base only in `rope_parameters`. `write_hub_layout` adds the older forms beside them.
"""

import json
import sys
from pathlib import Path

sys.modules["torchvision"] = None  # a broken torchvision stops the import of transformers' vision

from transformers import Idefics3ImageProcessorPil, Idefics3Processor, PreTrainedTokenizerFast

# SmolVLM's template: a user turn that starts with an image has no space after its colon.
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}"
    "{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def make_processor(
    tokenizer_object, *, tile: int, longest_edge: int, image_tokens: int, pad: str, context: int
) -> Idefics3Processor:
    """SmolVLM's processor around a `tokenizers.Tokenizer`.

    `tile`: side of the square that the vision tower sees; `longest_edge`: pictures are scaled to it
    and cut into tiles if it is larger than one; `image_tokens`: visual tokens per tile.
    """
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer_object,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token=pad,
        unk_token="<|endoftext|>",
        additional_special_tokens=["<fake_token_around_image>", "<image>", "<end_of_utterance>"],
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": longest_edge},
        max_image_size={"longest_edge": tile},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        do_image_splitting=longest_edge > tile,
        do_pad=True,
        do_convert_rgb=True,
    )
    return Idefics3Processor(
        images, tokenizer, image_seq_len=image_tokens, chat_template=CHAT_TEMPLATE
    )


def question_prompt(processor: Idefics3Processor, question: str) -> str:
    """The prompt of a conversation that opens with one image and one question."""
    content = [{"type": "image"}, {"type": "text", "text": question}]
    return processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )


def write_hub_layout(directory: Path) -> None:
    """Rewrites what transformers 5 saved in `directory` so that older readers understand it too."""
    processor = _read(directory / "processor_config.json")
    images = processor.pop("image_processor", None)
    if images:
        images["processor_class"] = processor["processor_class"]
        images.setdefault("do_rescale", True)
        _write(directory / "preprocessor_config.json", images)
        _write(directory / "processor_config.json", processor)

    tokenizer = _read(directory / "tokenizer_config.json")
    tokenizer["tokenizer_class"] = "GPT2Tokenizer"
    tokenizer["chat_template"] = (directory / "chat_template.jinja").read_text()
    _write(directory / "tokenizer_config.json", tokenizer)
    _write(directory / "chat_template.json", {"chat_template": tokenizer["chat_template"]})
    special = ("bos_token", "eos_token", "pad_token", "unk_token")
    _write(directory / "special_tokens_map.json", {key: tokenizer[key] for key in special})

    config = _read(directory / "config.json")
    text = config["text_config"]
    text["rope_theta"] = (text.get("rope_parameters") or {}).get("rope_theta", 10_000.0)
    _write(directory / "config.json", config)
    (directory / "model.safetensors").chmod(0o644)


def _read(path: Path) -> dict:
    return json.loads(path.read_text())


def _write(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
