"""LLaVA-1.5 and LLaVA-NeXT: a CLIP tower without its last layer; NeXT cuts pictures into tiles."""

import torch

from . import templates, vocabularies
from .family import Family

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


def _clip(hidden: int, heads: int, layers: int, mlp: int, image: int, patch: int) -> dict:
    return {
        "hidden_size": hidden,
        "image_size": image,
        "intermediate_size": mlp,
        "model_type": "clip_vision_model",
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "patch_size": patch,
        "projection_dim": 768,
        "vocab_size": 32000,
    }


def _preprocessor(kind: str, processor: str, side: int) -> dict:
    return {
        "crop_size": {"height": side, "width": side},
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": CLIP_MEAN,
        "image_processor_type": kind,
        "image_std": CLIP_STD,
        "processor_class": processor,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": side},
    }


def _processor(kind: str, patch: int) -> dict:
    return {
        "image_token": "<image>",
        "num_additional_image_tokens": 1,
        "patch_size": patch,
        "processor_class": kind,
        "vision_feature_select_strategy": "default",
    }


def _tokenizer(processor: str, legacy: bool) -> dict:
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": "<s>",
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "legacy": legacy,
        "model_max_length": 2048,
        "pad_token": "<pad>",
        "padding_side": "left",
        "processor_class": processor,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
        "use_default_system_prompt": False,
    }


def _generation(words: vocabularies.Vocabulary) -> dict:
    return {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": words.id("<pad>")}


def llava() -> Family:
    """llava-1.5-7b-hf: float16 in shards; the text's config states little."""
    words = vocabularies.sentencepiece(["<image>", "<pad>"], legacy=False)
    rows = words.size + 6  # the table is longer than the vocabulary
    config = {
        "architectures": ["LlavaForConditionalGeneration"],
        "ignore_index": -100,
        "image_token_index": words.id("<image>"),
        "model_type": "llava",
        "pad_token_id": words.id("<pad>"),
        "projector_hidden_act": "gelu",
        "text_config": {
            "_name_or_path": "lmsys/vicuna-7b-v1.5",
            "architectures": ["LlamaForCausalLM"],
            "hidden_size": 60,
            "intermediate_size": 60,
            "max_position_embeddings": 4096,
            "model_type": "llama",
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "num_key_value_heads": 3,
            "rms_norm_eps": 1e-05,
            "torch_dtype": "float16",
            "vocab_size": rows,
        },
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "transformers_version": "4.36.0.dev0",
        "vision_config": _clip(hidden=36, heads=3, layers=3, mlp=52, image=59, patch=14),
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "default",
        "vocab_size": rows,
    }
    return Family(
        name="llava-1.5",
        config=config,
        generation=_generation(words),
        vocabulary=words,
        tokenizer=_tokenizer("LlavaProcessor", legacy=False),
        template=templates.VICUNA,
        template_files=("chat_template.json",),
        preprocessor=_preprocessor("CLIPImageProcessor", "LlavaProcessor", 59),
        processor=_processor("LlavaProcessor", 14),
        stored=torch.float16,
        shards=2,
        layouts=True,
    )


def _next(name: str, text: dict, template: str, image: int, patch: int, vision: dict) -> Family:
    legacy = text["model_type"] == "mistral"
    words = vocabularies.sentencepiece(["<image>", "<pad>"], legacy)
    rows = words.size + 2
    grid = [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]
    pinpoints = [[down * image, across * image] for down, across in grid]
    config = {
        "architectures": ["LlavaNextForConditionalGeneration"],
        "ignore_index": -100,
        "image_grid_pinpoints": pinpoints,
        "image_token_index": words.id("<image>"),
        "model_type": "llava_next",
        "projector_hidden_act": "gelu",
        "text_config": {**text, "torch_dtype": "float16", "vocab_size": rows},
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "transformers_version": "4.39.0.dev0",
        "use_image_newline_parameter": True,
        "vision_config": _clip(image=image, patch=patch, **vision),
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "default",
        "vocab_size": rows,
    }
    preprocessor = _preprocessor("LlavaNextImageProcessor", "LlavaNextProcessor", image)
    return Family(
        name=name,
        config=config,
        generation=_generation(words),
        vocabulary=words,
        tokenizer=_tokenizer("LlavaNextProcessor", legacy),
        template=template,
        template_files=("chat_template.json",),
        preprocessor=preprocessor | {"do_pad": True, "image_grid_pinpoints": pinpoints},
        processor=_processor("LlavaNextProcessor", patch),
        stored=torch.float16,
        layouts=True,
    )


def llava_next_vicuna() -> Family:
    """llava-v1.6-vicuna-7b-hf."""
    text = {
        "_name_or_path": "lmsys/vicuna-7b-v1.5",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 40,
        "intermediate_size": 68,
        "max_position_embeddings": 4096,
        "model_type": "llama",
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-05,
    }
    vision = dict(hidden=60, heads=5, layers=3, mlp=68)
    return _next("llava-next-vicuna", text, templates.VICUNA, 45, 11, vision)


def llava_next_mistral() -> Family:
    """llava-v1.6-mistral-7b-hf: no sliding window, heads wider than the hidden size."""
    text = {
        "_name_or_path": "mistralai/Mistral-7B-Instruct-v0.2",
        "architectures": ["MistralForCausalLM"],
        "head_dim": 80,
        "hidden_size": 48,
        "intermediate_size": 60,
        "max_position_embeddings": 32768,
        "model_type": "mistral",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "sliding_window": None,
    }
    vision = dict(hidden=48, heads=2, layers=3, mlp=44)
    return _next("llava-next-mistral", text, templates.MISTRAL, 40, 10, vision)
