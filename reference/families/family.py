"""What defines one checkpoint of a family, in the words of its Hub repository."""

from dataclasses import dataclass

import torch

from .vocabularies import Vocabulary


@dataclass(frozen=True)
class Family:
    """`config` is config.json itself. `template_files`: where the directory states its template.

    `preprocessor` and `processor` are preprocessor_config.json and processor_config.json, or None
    for a text model. `stored`: the type in the file; with `values`, the weights are rounded to
    that narrower type first. `layouts`: transformers 5 knows a newer set of names, too. `mlx`:
    `quantization` of an MLX conversion, as which the weights are written.
    """

    name: str
    config: dict
    generation: dict
    vocabulary: Vocabulary
    tokenizer: dict
    template: str
    template_files: tuple[str, ...]
    stored: torch.dtype
    preprocessor: dict | None = None
    processor: dict | None = None
    values: torch.dtype | None = None
    shards: int = 1
    layouts: bool = False
    mlx: dict | None = None

    @property
    def model_type(self) -> str:
        return self.config["model_type"]
