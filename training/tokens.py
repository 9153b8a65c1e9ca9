"""The tokenizer and the ids that have a meaning of their own."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import seeds
import worlds

TOKENIZER_FILE = Path(__file__).resolve().parent / "tokenizer.json"
VOCABULARY_SIZE = 768
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
    "<pad>",
]
BEGIN, END, IMAGE, FRAME, GLOBAL = 1, 2, 3, 4, 5
VISUAL_TOKENS = 576


def load_tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER_FILE))


def train_tokenizer(pages: int = 4000) -> Tokenizer:
    """Byte-level BPE of 768 entries, digits one by one, from the questions and answers of pages."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = list(worlds.WORLDS)

    def texts():
        for index in range(pages):
            page = worlds.sample(seeds.TOKENIZER[index], names[index % len(names)])
            yield from (turn.question for turn in page.turns)
            yield from (f" {turn.answer}" for turn in page.turns[:3])

    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=20,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


if __name__ == "__main__":
    train_tokenizer().save(str(TOKENIZER_FILE))
