"""SmolVLM (Idefics3) and SmolVLM2: SigLIP, pixel shuffle, tiles with row and column tokens."""

import copy
from dataclasses import replace

import torch

from . import templates, vocabularies
from .family import Family


def _preprocessor(kind: str, longest: int, tile: int) -> dict:
    return {
        "do_convert_rgb": True,
        "do_image_splitting": True,
        "do_normalize": True,
        "do_pad": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": f"{kind}ImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "max_image_size": {"longest_edge": tile},
        "processor_class": f"{kind}Processor",
        "resample": 1,
        "rescale_factor": 1 / 255,
        "size": {"longest_edge": longest},
    }


def _tokenizer(kind: str) -> dict:
    return {
        "additional_special_tokens": [
            "<fake_token_around_image>",
            "<image>",
            "<end_of_utterance>",
        ],
        "bos_token": "<|im_start|>",
        "clean_up_tokenization_spaces": False,
        "eos_token": "<end_of_utterance>",
        "model_max_length": 8192,
        "pad_token": "<|im_end|>",
        "processor_class": f"{kind}Processor",
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": "<|endoftext|>",
    }


def _generation(words: vocabularies.Vocabulary) -> dict:
    return {
        "_from_model_config": True,
        "bos_token_id": words.id("<|im_start|>"),
        "eos_token_id": [words.id("<end_of_utterance>")],
        "pad_token_id": words.id("<|im_end|>"),
    }


def smolvlm() -> Family:
    """SmolVLM-256M-Instruct and SmolDocling: model type idefics3, BF16."""
    words = vocabularies.smollm()
    config = {
        "architectures": ["Idefics3ForConditionalGeneration"],
        "image_token_id": words.id("<image>"),
        "model_type": "idefics3",
        "pad_token_id": words.id("<|im_end|>"),
        "scale_factor": 3,
        "text_config": {
            "architectures": ["VLlama3ForCausalLM"],
            "bos_token_id": words.id("<|im_start|>"),
            "eos_token_id": words.id("<end_of_utterance>"),
            "head_dim": 16,
            "hidden_size": 60,
            "intermediate_size": 76,
            "is_llama_config": True,
            "max_position_embeddings": 8192,
            "model_type": "llama",
            "num_attention_heads": 5,
            "num_hidden_layers": 3,
            "num_key_value_heads": 1,
            "pad_token_id": words.id("<|im_end|>"),
            "rms_norm_eps": 1e-05,
            "rope_interleaved": False,
            "rope_scaling": None,
            "rope_theta": 100000,
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
            "vocab_size": words.size,
        },
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vision_config": {
            "hidden_size": 36,
            "image_size": 50,
            "intermediate_size": 60,
            "max_image_size": {"longest_edge": 50},
            "model_type": "idefics3_vision",
            "num_attention_heads": 3,
            "num_hidden_layers": 3,
            "patch_size": 8,
            "size": {"longest_edge": 100},
        },
        "vocab_size": words.size,
    }
    return Family(
        name="smolvlm",
        config=config,
        generation=_generation(words),
        vocabulary=words,
        tokenizer=_tokenizer("Idefics3"),
        template=templates.SMOLVLM,
        template_files=("tokenizer_config.json", "chat_template.json"),
        preprocessor=_preprocessor("Idefics3", longest=100, tile=50),
        processor={"image_seq_len": 4, "processor_class": "Idefics3Processor"},
        stored=torch.bfloat16,
    )


def smolvlm2() -> Family:
    """SmolVLM2-256M-Video-Instruct: float32 in the file, tied embeddings, no head size stated."""
    words = vocabularies.smollm()
    config = {
        "architectures": ["SmolVLMForConditionalGeneration"],
        "image_token_id": words.id("<image>"),
        "model_type": "smolvlm",
        "pad_token_id": words.id("<|im_end|>"),
        "scale_factor": 2,
        "text_config": {
            "architectures": ["VLlama3ForCausalLM"],
            "bos_token_id": words.id("<|im_start|>"),
            "eos_token_id": words.id("<end_of_utterance>"),
            "hidden_size": 48,
            "intermediate_size": 60,
            "max_position_embeddings": 8192,
            "model_type": "llama",
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "num_key_value_heads": 1,
            "pad_token_id": words.id("<|im_end|>"),
            "rms_norm_eps": 1e-05,
            "rope_theta": 130000,
            "torch_dtype": "float32",
            "vocab_size": words.size,
        },
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "use_cache": True,
        "vision_config": {
            "hidden_size": 24,
            "image_size": 46,
            "intermediate_size": 52,
            "max_image_size": {"longest_edge": 46},
            "model_type": "smolvlm_vision",
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "patch_size": 7,
            "size": {"longest_edge": 138},
        },
        "vocab_size": words.size,
    }
    return Family(
        name="smolvlm2",
        config=config,
        generation=_generation(words),
        vocabulary=words,
        tokenizer=_tokenizer("SmolVLM"),
        template=templates.SMOLVLM,
        template_files=("chat_template.json",),
        preprocessor=_preprocessor("SmolVLM", longest=138, tile=46),
        processor={"image_seq_len": 9, "processor_class": "SmolVLMProcessor"},
        stored=torch.float32,
        values=torch.float16,
    )


def smolvlm_mlx() -> Family:
    """An MLX conversion of SmolVLM: 4 bits, one matrix in 8; one is too narrow for groups of 32."""
    family = smolvlm()
    config = copy.deepcopy(family.config)
    config["scale_factor"] = 2
    config["text_config"] |= {
        "head_dim": 20,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
    }
    config["vision_config"] |= {
        "hidden_size": 32,
        "image_size": 32,
        "intermediate_size": 64,
        "max_image_size": {"longest_edge": 32},
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "size": {"longest_edge": 64},
    }
    down = {"language_model.layers.0.mlp.down_proj": {"group_size": 32, "bits": 8}}
    return replace(
        family,
        name="smolvlm-mlx",
        config=config,
        preprocessor=_preprocessor("Idefics3", longest=64, tile=32),
        mlx={"group_size": 32, "bits": 4} | down,
    )
