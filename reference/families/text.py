"""Llama, Qwen2 and Qwen3 without pictures."""

import torch

from . import templates, vocabularies
from .family import Family


def llama() -> Family:
    """Llama-3.2-1B-Instruct: scaled rotary frequencies, several end tokens, tied."""
    words = vocabularies.llama3()
    ends = [words.id(token) for token in ("<|end_of_text|>", "<|eot_id|>")]
    config = {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": words.id("<|begin_of_text|>"),
        "eos_token_id": ends,
        "head_dim": 44,
        "hidden_act": "silu",
        "hidden_size": 40,
        "initializer_range": 0.02,
        "intermediate_size": 60,
        "max_position_embeddings": 131072,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": 5,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "factor": 32.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        },
        "rope_theta": 500000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0",
        "use_cache": True,
        "vocab_size": words.size,
    }
    return Family(
        name="llama",
        config=config,
        generation={
            "bos_token_id": words.id("<|begin_of_text|>"),
            "do_sample": True,
            "eos_token_id": ends,
            "temperature": 0.6,
            "top_p": 0.9,
        },
        vocabulary=words,
        tokenizer={
            "bos_token": "<|begin_of_text|>",
            "clean_up_tokenization_spaces": True,
            "eos_token": "<|eot_id|>",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": 131072,
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
        template=templates.LLAMA3,
        template_files=("tokenizer_config.json",),
        stored=torch.bfloat16,
    )


def _qwen(name: str, template: str, config: dict) -> Family:
    words = vocabularies.qwen()
    common = {
        "attention_dropout": 0.0,
        "bos_token_id": words.id("<|endoftext|>"),
        "eos_token_id": words.id("<|im_end|>"),
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": words.size + 6,
    }
    return Family(
        name=name,
        config=config | common,
        generation={
            "bos_token_id": words.id("<|endoftext|>"),
            "do_sample": True,
            "eos_token_id": [words.id("<|im_end|>"), words.id("<|endoftext|>")],
            "pad_token_id": words.id("<|endoftext|>"),
            "repetition_penalty": 1.1,
            "temperature": 0.7,
            "top_k": 20,
            "top_p": 0.8,
        },
        vocabulary=words,
        tokenizer={
            "add_prefix_space": False,
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "model_max_length": 32768,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
        template=template,
        template_files=("tokenizer_config.json",),
        stored=torch.bfloat16,
    )


def qwen2() -> Family:
    """Qwen2-0.5B-Instruct and Qwen2.5: biases on queries, keys and values."""
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "hidden_size": 36,
        "intermediate_size": 84,
        "max_position_embeddings": 32768,
        "max_window_layers": 24,
        "model_type": "qwen2",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 1,
        "sliding_window": 32768,
        "transformers_version": "4.40.1",
    }
    return _qwen("qwen2", templates.QWEN2, config)


def qwen3() -> Family:
    """Qwen3-0.6B: normalised queries and keys, no biases, a head size of its own."""
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "attention_bias": False,
        "head_dim": 36,
        "hidden_size": 52,
        "intermediate_size": 76,
        "max_position_embeddings": 40960,
        "max_window_layers": 28,
        "model_type": "qwen3",
        "num_attention_heads": 5,
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "rope_scaling": None,
        "sliding_window": None,
        "transformers_version": "4.51.0",
    }
    return _qwen("qwen3", templates.QWEN3, config)
