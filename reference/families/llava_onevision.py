"""LLaVA-OneVision: a SigLIP tower, up to nine tiles' worth of rows, Qwen2."""

import torch

from . import templates, vocabularies
from .family import Family
from .llava import CLIP_MEAN, CLIP_STD

SIDE, PATCH = 19, 5


def llava_onevision() -> Family:
    """llava-onevision-qwen2-0.5b-ov-hf: float16, tied."""
    words = vocabularies.qwen("<image>", "<video>")
    rows = words.size + 4
    pinpoints = [[down * SIDE, across * SIDE] for down in range(1, 7) for across in range(1, 7)]
    config = {
        "architectures": ["LlavaOnevisionForConditionalGeneration"],
        "ignore_index": -100,
        "image_grid_pinpoints": pinpoints,
        "image_token_index": words.id("<image>"),
        "model_type": "llava_onevision",
        "projector_hidden_act": "gelu",
        "text_config": {
            "_name_or_path": "Qwen/Qwen2-0.5B-Instruct",
            "architectures": ["Qwen2ForCausalLM"],
            "bos_token_id": words.id("<|endoftext|>"),
            "eos_token_id": words.id("<|im_end|>"),
            "hidden_size": 60,
            "intermediate_size": 76,
            "max_window_layers": 24,
            "model_type": "qwen2",
            "num_attention_heads": 5,
            "num_hidden_layers": 3,
            "num_key_value_heads": 1,
            "rope_theta": 1000000.0,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "vocab_size": rows,
        },
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "transformers_version": "4.45.0.dev0",
        "use_image_newline_parameter": True,
        "video_token_index": words.id("<video>"),
        "vision_aspect_ratio": "anyres_max_9",
        "vision_config": {
            "hidden_size": 36,
            "image_size": SIDE,
            "intermediate_size": 58,
            "model_type": "siglip_vision_model",
            "num_attention_heads": 3,
            "num_hidden_layers": 3,
            "patch_size": PATCH,
            "vision_use_head": False,
        },
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "full",
    }
    preprocessor = {
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_pad": True,
        "do_rescale": True,
        "do_resize": True,
        "image_grid_pinpoints": pinpoints,
        "image_mean": CLIP_MEAN,
        "image_processor_type": "LlavaOnevisionImageProcessor",
        "image_std": CLIP_STD,
        "processor_class": "LlavaOnevisionProcessor",
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"height": SIDE, "width": SIDE},
    }
    return Family(
        name="llava-onevision",
        config=config,
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
            "processor_class": "LlavaOnevisionProcessor",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
        template=templates.ONEVISION,
        template_files=("chat_template.json", "chat_template.jinja"),
        preprocessor=preprocessor,
        processor={
            "image_token": "<image>",
            "num_image_tokens": (SIDE // PATCH) ** 2,
            "processor_class": "LlavaOnevisionProcessor",
            "video_token": "<video>",
            "vision_aspect_ratio": "anyres_max_9",
            "vision_feature_select_strategy": "full",
        },
        stored=torch.float16,
        layouts=True,
    )
