"""InternVL3 (-hf): InternViT with layer scale, pixel shuffle, tiles and a thumbnail, Qwen2."""

import torch

from . import templates, vocabularies
from .family import Family


def _internvl(
    name: str, side: int, patch: int, text: dict, vision: dict, more: dict | None = None
) -> Family:
    words = vocabularies.qwen("<img>", "</img>", "<IMG_CONTEXT>", "<video>")
    shuffled = (side // patch // 2) ** 2
    config = {
        "architectures": ["InternVLForConditionalGeneration"],
        "downsample_ratio": 0.5,
        "image_seq_length": shuffled,
        "image_token_id": words.id("<IMG_CONTEXT>"),
        "model_type": "internvl",
        "projector_hidden_act": "gelu",
        "text_config": {
            "architectures": ["Qwen2ForCausalLM"],
            "attention_dropout": 0.0,
            "bos_token_id": words.id("<|endoftext|>"),
            "eos_token_id": words.id("<|im_end|>"),
            "hidden_act": "silu",
            "max_position_embeddings": 32768,
            "max_window_layers": 70,
            "model_type": "qwen2",
            "rms_norm_eps": 1e-06,
            "rope_scaling": {"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"},
            "rope_theta": 1000000.0,
            "sliding_window": None,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "use_sliding_window": False,
            "vocab_size": words.size,
            **text,
        },
        "torch_dtype": "bfloat16",
        "transformers_version": "4.52.0.dev0",
        **(more or {}),
        "vision_config": {
            "architectures": ["InternVisionModel"],
            "attention_dropout": 0.0,
            "dropout": 0.0,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.0,
            "image_size": [side, side],
            "initializer_factor": 0.1,
            "initializer_range": 1e-10,
            "layer_norm_eps": 1e-06,
            "layer_scale_init_value": 0.1,
            "model_type": "internvl_vision",
            "num_channels": 3,
            "patch_size": [patch, patch],
            "projection_dropout": 0.0,
            "torch_dtype": "bfloat16",
            "use_absolute_position_embeddings": True,
            "use_mask_token": False,
            "use_mean_pooling": True,
            **vision,
        },
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "default",
    }
    tokens = {
        "context_image_token": "<IMG_CONTEXT>",
        "end_image_token": "</img>",
        "start_image_token": "<img>",
        "video_token": "<video>",
    }
    return Family(
        name=name,
        config=config,
        generation={
            "_from_model_config": True,
            "bos_token_id": words.id("<|endoftext|>"),
            "eos_token_id": words.id("<|im_end|>"),
        },
        vocabulary=words,
        tokenizer={
            "add_bos_token": False,
            "add_prefix_space": False,
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "extra_special_tokens": tokens,
            "model_max_length": 8192,
            "pad_token": "<|endoftext|>",
            "processor_class": "InternVLProcessor",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
            **tokens,
        },
        template=templates.INTERNVL,
        template_files=("chat_template.jinja",),
        preprocessor={
            "crop_size": None,
            "crop_to_patches": False,
            "data_format": "channels_first",
            "default_to_square": True,
            "do_center_crop": None,
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.485, 0.456, 0.406],
            "image_processor_type": "GotOcr2ImageProcessorFast",
            "image_std": [0.229, 0.224, 0.225],
            "max_patches": 6,
            "min_patches": 1,
            "processor_class": "InternVLProcessor",
            "resample": 3,
            "rescale_factor": 1 / 255,
            "size": {"height": side, "width": side},
        },
        processor={"image_seq_length": shuffled, "processor_class": "InternVLProcessor"},
        stored=torch.bfloat16,
        layouts=True,
    )


def internvl3() -> Family:
    """InternVL3-1B-hf: only the text's settings say that it is not tied."""
    text = {
        "hidden_size": 36,
        "intermediate_size": 92,
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 1,
        "tie_word_embeddings": False,
    }
    vision = {
        "attention_bias": True,
        "hidden_size": 40,
        "intermediate_size": 60,
        "norm_type": "layer_norm",
        "num_attention_heads": 2,
        "num_hidden_layers": 3,
        "use_qk_norm": False,
    }
    return _internvl("internvl3", 38, 9, text, vision)


def internvl3_qk_norm() -> Family:
    """As the 38B and 78B models have it: RMSNorm, normalised queries and keys, no biases there."""
    text = {
        "hidden_size": 56,
        "intermediate_size": 60,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "tie_word_embeddings": False,
    }
    vision = {
        "attention_bias": False,
        "hidden_size": 60,
        "intermediate_size": 52,
        "norm_type": "rms_norm",
        "num_attention_heads": 5,
        "num_hidden_layers": 2,
        "use_qk_norm": True,
    }
    return _internvl("internvl3-qk-norm", 37, 6, text, vision, {"tie_word_embeddings": False})
