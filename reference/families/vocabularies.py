"""Small real tokenizers: each family's algorithm and special tokens, a few dozen merges."""

import json
from dataclasses import dataclass

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

CORPUS = (
    "What is shown in this image? The image shows a red square and a blue circle on a white "
    "background. Describe the picture. How many objects are there? You are a helpful assistant. "
    "user User USER: assistant Assistant ASSISTANT: system"
)
MERGES = 48


@dataclass(frozen=True)
class Vocabulary:
    """`special`: ids that a random model must not answer with."""

    tokenizer: Tokenizer
    special: tuple[int, ...]

    def id(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return found

    @property
    def size(self) -> int:
        return self.tokenizer.get_vocab_size()


def byte_level(first: list[str], last: list[str], before: list, nfc: bool = False) -> Vocabulary:
    """GPT-2's byte-level BPE. `first` and `last`: special tokens before and after the others;
    `before`: pre-tokenizers that run before the mapping of bytes."""
    tokenizer = Tokenizer(models.BPE())
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    # GPT-2's own pattern splits only if nothing has split before.
    bytes_only = any(isinstance(step, pre_tokenizers.Split) for step in before)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*before, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not bytes_only)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(first) + 256 + MERGES,
        special_tokens=first,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([CORPUS] * 20, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in last])
    return _vocabulary(tokenizer, first + last)


def sentencepiece(last: list[str], legacy: bool) -> Vocabulary:
    """Llama 2's BPE: spaces as ▁, bytes for unknown characters. A ▁ is put in front of the text,
    and with `legacy` after every special token, too."""
    draft = Tokenizer(models.BPE())
    draft.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=60 + MERGES, show_progress=False)
    draft.train_from_iterator([CORPUS] * 20, trainer)
    trained = json.loads(draft.to_str())["model"]
    first = ["<unk>", "<s>", "</s>"]
    merges = [tuple(pair) for pair in trained["merges"]]
    joined = ["".join(pair) for pair in merges]
    letters = sorted(set(trained["vocab"]) - set(joined))
    words = [*first, *(f"<0x{byte:02X}>" for byte in range(256)), *joined, *letters]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    if legacy:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in first + last])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return _vocabulary(tokenizer, first + last)


def _vocabulary(tokenizer: Tokenizer, special: list[str]) -> Vocabulary:
    return Vocabulary(tokenizer, tuple(tokenizer.token_to_id(token) for token in special))


def smollm() -> Vocabulary:
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    return byte_level(
        first=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        last=[
            "<global-img>",
            *tiles,
            "<fake_token_around_image>",
            "<image>",
            "<end_of_utterance>",
        ],
        before=[pre_tokenizers.Digits(individual_digits=True)],
    )


QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def qwen(*more: str) -> Vocabulary:
    """`more`: special tokens after Qwen2's three."""
    return byte_level(
        first=[],
        last=["<|endoftext|>", "<|im_start|>", "<|im_end|>", *more],
        before=[pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated")],
        nfc=True,
    )


def qwen_vl() -> Vocabulary:
    vision = ["start", "end", "pad"]
    return qwen(*(f"<|vision_{part}|>" for part in vision), "<|image_pad|>", "<|video_pad|>")


LLAMA3_SPLIT = QWEN_SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def llama3() -> Vocabulary:
    vocabulary = byte_level(
        first=[],
        last=[
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
        ],
        before=[pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated")],
    )
    begin = "<|begin_of_text|>"
    vocabulary.tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{begin} $A",
                pair=f"{begin} $A {begin}:1 $B:1",
                special_tokens=[(begin, vocabulary.id(begin))],
            ),
        ]
    )
    return vocabulary
