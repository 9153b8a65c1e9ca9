"""Answers of an exported directory as the app gives them: greedy, full cache, float32."""

import sys
from pathlib import Path

sys.modules["torchvision"] = None  # a broken torchvision stops the import of transformers' vision

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

import hub

MAX_NEW_TOKENS = 128


class Answerer:
    """One question per conversation; weights of the file, upcast."""

    def __init__(self, directory: Path | str, device: str = "cpu"):
        self.processor = AutoProcessor.from_pretrained(directory)
        self.model = AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32)
        self.model.eval().to(device)
        self.device = device

    def answer(self, image: Image.Image, question: str) -> str:
        """The generated text without special tokens, outer spaces removed."""
        return self.answer_with_probabilities(image, question)[0]

    @torch.no_grad()
    def answer_with_probabilities(
        self, image: Image.Image, question: str
    ) -> tuple[str, list[float]]:
        """`answer`, and the natural logarithm of each token's probability."""
        prompt = hub.question_prompt(self.processor, question)
        inputs = self.processor(text=prompt, images=[image], return_tensors="pt").to(self.device)
        output = self.model.generate(
            **inputs,
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
        generated = output.sequences[0, inputs["input_ids"].shape[1] :]
        text = self.processor.tokenizer.decode(generated, skip_special_tokens=True).strip()
        steps = zip(generated.tolist(), output.logits)
        return text, [float(logits[0].log_softmax(-1)[token]) for token, logits in steps]
