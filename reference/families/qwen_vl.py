"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL: pictures of any size, positions in three axes."""

import torch

from . import templates, vocabularies
from .family import Family
from .llava import CLIP_MEAN, CLIP_STD


def _tokenizer() -> dict:
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "additional_special_tokens": [
            "<|im_start|>",
            "<|im_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|vision_pad|>",
            "<|image_pad|>",
            "<|video_pad|>",
        ],
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 32768,
        "pad_token": "<|endoftext|>",
        "padding_side": "left",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }


def _generation(words: vocabularies.Vocabulary, penalty: float) -> dict:
    return {
        "bos_token_id": words.id("<|endoftext|>"),
        "do_sample": True,
        "eos_token_id": [words.id("<|im_end|>"), words.id("<|endoftext|>")],
        "pad_token_id": words.id("<|endoftext|>"),
        "repetition_penalty": penalty,
        "temperature": 0.01,
        "top_k": 1,
        "top_p": 0.001,
    }


def _preprocessor(patch: int, limits: dict, mean: list[float], std: list[float], kind: str) -> dict:
    return {
        **limits,
        "image_mean": mean,
        "image_processor_type": kind,
        "image_std": std,
        "merge_size": 2,
        "patch_size": patch,
        "temporal_patch_size": 2,
    }


def _ids(words: vocabularies.Vocabulary) -> dict:
    return {
        "image_token_id": words.id("<|image_pad|>"),
        "video_token_id": words.id("<|video_pad|>"),
        "vision_end_token_id": words.id("<|vision_end|>"),
        "vision_start_token_id": words.id("<|vision_start|>"),
    }


def _flat_text(words: vocabularies.Vocabulary, sections: list[int]) -> dict:
    """The text's settings where Qwen2-VL and Qwen2.5-VL have them: at the top."""
    return {
        "attention_dropout": 0.0,
        "bos_token_id": words.id("<|endoftext|>"),
        "eos_token_id": words.id("<|im_end|>"),
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-06,
        "rope_scaling": {"mrope_section": sections, "type": "mrope"},
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.41.2",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": words.size + 6,
    }


def qwen2_vl() -> Family:
    """Qwen2-VL-2B-Instruct: LayerNorm, quick GELU, full attention over the picture; tied."""
    words = vocabularies.qwen_vl()
    config = {
        "architectures": ["Qwen2VLForConditionalGeneration"],
        **_flat_text(words, [2, 2, 2]),
        **_ids(words),
        "hidden_size": 60,
        "intermediate_size": 76,
        "max_window_layers": 3,
        "model_type": "qwen2_vl",
        "num_attention_heads": 5,
        "num_hidden_layers": 3,
        "num_key_value_heads": 1,
        "tie_word_embeddings": True,
        "vision_config": {
            "depth": 3,
            "embed_dim": 40,
            "hidden_size": 60,
            "in_chans": 3,
            "mlp_ratio": 2,
            "num_heads": 2,
            "patch_size": 6,
            "spatial_merge_size": 2,
            "spatial_patch_size": 6,
            "temporal_patch_size": 2,
        },
        "vision_token_id": words.id("<|vision_pad|>"),
    }
    return Family(
        name="qwen2-vl",
        config=config,
        generation=_generation(words, 1.0),
        vocabulary=words,
        tokenizer=_tokenizer(),
        template=templates.QWEN_VL,
        template_files=("tokenizer_config.json", "chat_template.json"),
        preprocessor=_preprocessor(
            6,
            {"max_pixels": 12 * 12 * 30, "min_pixels": 24 * 24},
            CLIP_MEAN,
            CLIP_STD,
            "Qwen2VLImageProcessor",
        )
        | {"processor_class": "Qwen2VLProcessor"},
        stored=torch.bfloat16,
        layouts=True,
    )


def qwen2_5_vl() -> Family:
    """Qwen2.5-VL-7B-Instruct: RMSNorm, SwiGLU, windows of 3 × 3 merged patches in all layers but
    one; not tied."""
    words = vocabularies.qwen_vl()
    config = {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        **_flat_text(words, [2, 4, 4]),
        **_ids(words),
        "hidden_size": 60,
        "intermediate_size": 68,
        "max_window_layers": 2,
        "model_type": "qwen2_5_vl",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "tie_word_embeddings": False,
        "vision_config": {
            "depth": 3,
            "fullatt_block_indexes": [1],
            "hidden_act": "silu",
            "hidden_size": 36,
            "in_chans": 3,
            "intermediate_size": 52,
            "num_heads": 3,
            "out_hidden_size": 60,
            "patch_size": 7,
            "spatial_merge_size": 2,
            "spatial_patch_size": 7,
            "temporal_patch_size": 2,
            "tokens_per_second": 2,
            "window_size": 42,
        },
    }
    return Family(
        name="qwen2.5-vl",
        config=config,
        generation=_generation(words, 1.05),
        vocabulary=words,
        tokenizer=_tokenizer(),
        template=templates.QWEN_VL,
        template_files=("tokenizer_config.json", "chat_template.json"),
        preprocessor=_preprocessor(
            7,
            {"max_pixels": 14 * 14 * 36, "min_pixels": 28 * 28},
            CLIP_MEAN,
            CLIP_STD,
            "Qwen2VLImageProcessor",
        )
        | {"processor_class": "Qwen2_5_VLProcessor"},
        stored=torch.bfloat16,
        layouts=True,
    )


def qwen3_vl() -> Family:
    """Qwen3-VL-2B-Instruct: interpolated learned positions, features for three decoder layers."""
    words = vocabularies.qwen_vl()
    config = {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        **_ids(words),
        "model_type": "qwen3_vl",
        "text_config": {
            "attention_bias": False,
            "attention_dropout": 0.0,
            "bos_token_id": words.id("<|endoftext|>"),
            "dtype": "bfloat16",
            "eos_token_id": words.id("<|im_end|>"),
            "head_dim": 28,
            "hidden_act": "silu",
            "hidden_size": 48,
            "initializer_range": 0.02,
            "intermediate_size": 76,
            "max_position_embeddings": 262144,
            "model_type": "qwen3_vl_text",
            "num_attention_heads": 3,
            "num_hidden_layers": 3,
            "num_key_value_heads": 1,
            "rms_norm_eps": 1e-06,
            "rope_scaling": {
                "mrope_interleaved": True,
                "mrope_section": [6, 4, 4],
                "rope_type": "default",
            },
            "rope_theta": 5000000,
            "tie_word_embeddings": True,
            "use_cache": True,
            "vocab_size": words.size + 6,
        },
        "tie_word_embeddings": True,
        "transformers_version": "4.57.0.dev0",
        "vision_config": {
            "deepstack_visual_indexes": [0, 2],
            "depth": 4,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 24,
            "in_channels": 3,
            "initializer_range": 0.02,
            "intermediate_size": 44,
            "model_type": "qwen3_vl",
            "num_heads": 2,
            "num_position_embeddings": 25,
            "out_hidden_size": 48,
            "patch_size": 6,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    }
    return Family(
        name="qwen3-vl",
        config=config,
        generation=_generation(words, 1.0),
        vocabulary=words,
        tokenizer=_tokenizer(),
        template=templates.QWEN3_VL,
        template_files=("tokenizer_config.json", "chat_template.json"),
        preprocessor=_preprocessor(
            6,
            {"size": {"longest_edge": 12 * 12 * 24, "shortest_edge": 24 * 24}},
            [0.5] * 3,
            [0.5] * 3,
            "Qwen2VLImageProcessorFast",
        )
        | {"processor_class": "Qwen3VLProcessor"},
        stored=torch.bfloat16,
    )
