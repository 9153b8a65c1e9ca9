"""Exact match on held-out pages.

    python3 evaluate.py MODEL --pages 24
    python3 evaluate.py DIR --generate --questions 200 --out FOLDER
    python3 evaluate.py DIR --style talk --out FOLDER

MODEL is a checkpoint, a run's folder or an exported directory. The first form asks every turn of a
page with the right answers before it; a turn is right when each token of its answer is the most
likely one, which is what greedy decoding would have produced. The second form generates text, one
question per conversation, and needs an exported directory. So does the third, for the 300 questions
of talk.txt. FOLDER receives 384 × 384 PNG files, `questions.jsonl` for the app's command line
(`npm run eval -- --data FOLDER`), and `answers.jsonl` to compare with.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F

import data
import talk
import weights
import worlds
from losses import DENSE_CLASSES
from nets import Keepsight
from packing import Packer
from style import NARROW, STYLES, Style
from tokens import VISUAL_TOKENS, load_tokenizer

MAX_TEXT = 400
# Question types with fewer turns than this are not listed.
MIN_TURNS = 8


@torch.no_grad()
def score_page(model, packer: Packer, page: worlds.Page, seed: int, blank_drop: float) -> list:
    """[(question, right)] of one page."""
    device = next(model.parameters()).device
    example = data.make_example(packer, page, seed, blank_drop)
    batch = data.Batch(*(t.to(device) for t in data.collate([example])))
    features = model.vision(data.normalise(batch.pixels))
    hidden = model.decoder.hidden(data.embed(model, features, batch), batch.positions)
    logits = F.linear(hidden[0, :-1], model.decoder.embedding.weight)
    wrong = (logits.argmax(-1) != batch.ids[0, 1:]).tolist()
    dropped = VISUAL_TOKENS - len(example.kept)
    return [
        (span.question, not any(wrong[span.start - dropped - 1 : span.end - dropped - 1]))
        for span in example.sequence.answers
    ]


def exact_match(
    model, seed_of, pages: int, *, style: Style = NARROW, blank_drop: float = 0.0
) -> dict:
    """{"worlds": {name: [share, turns]}, "all": share, "questions": {"world: four words": …}}

    `seed_of(world, page)`: worlds.test_seed or worlds.validation_seed.
    """
    packer = Packer(load_tokenizer(), max_text=MAX_TEXT)
    by_world, by_question = defaultdict(list), defaultdict(list)
    for world in worlds.names(style):
        for index in range(pages):
            seed = seed_of(world, index)
            page = worlds.sample(seed, world, style)
            for question, right in score_page(model, packer, page, seed, blank_drop):
                by_world[world].append(right)
                by_question[f"{world}: {' '.join(question.split()[:4])}"].append(right)
    everything = [right for rights in by_world.values() for right in rights]
    return {
        "all": share(everything),
        "turns": len(everything),
        "worlds": {world: [share(r), len(r)] for world, r in by_world.items()},
        "questions": {
            name: [share(r), len(r)] for name, r in by_question.items() if len(r) >= MIN_TURNS
        },
    }


def share(flags: list[bool]) -> float:
    return round(sum(flags) / len(flags), 4)


def load_model(source: str, device: str) -> Keepsight:
    model = Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES)
    model.load_state_dict(weights.load(source))
    return model.to(device).eval()


def generate(source: str, out: Path, questions: Iterable, device: str) -> dict:
    """`ask_all` for pages of the worlds: `questions` are (file name, page, turn) each."""
    asked = ((name, page.canvas.image, turn, page.world) for name, page, turn in questions)
    return ask_all(source, out, asked, device)


def ask_all(source: str, out: Path, questions: Iterable, device: str) -> dict:
    """Asks the same questions that the app will be asked; returns exact match per world.

    `questions`: (file name, image, turn, world) each.
    """
    from answering import Answerer

    answerer = Answerer(source, device)
    out.mkdir(parents=True, exist_ok=True)
    per_world = defaultdict(list)
    with (out / "questions.jsonl").open("w") as asked, (out / "answers.jsonl").open("w") as given:
        for name, image, turn, world in questions:
            if not (out / name).exists():
                image.save(out / name, optimize=True)
            answer, probabilities = answerer.answer_with_probabilities(image, turn.question)
            per_world[world].append(answer == turn.answer)
            line = {"image": name, "turns": [turn._asdict()]}
            print(json.dumps(line), file=asked)
            rounded = [round(value, 4) for value in probabilities]
            told = {**line, "generated": answer, "logProbabilities": rounded}
            print(json.dumps(told), file=given, flush=True)
    everything = [right for rights in per_world.values() for right in rights]
    scores = {world: [share(rights), len(rights)] for world, rights in per_world.items()}
    return {"all": share(everything), "turns": len(everything), "worlds": scores}


def page_questions(count: int, style: Style, seed_of=worlds.test_seed, turns_per_page: int = 5):
    """Yields (file name, page, turn): the worlds in equal parts, the first turns of each page."""
    names = worlds.names(style)
    quota = count // len(names)
    for world in names:
        for index in range(quota):
            page_index, turn_index = divmod(index, turns_per_page)
            if turn_index == 0:
                page = worlds.sample(seed_of(world, page_index), world, style)
            yield f"{world}-{page_index:02d}.png", page, page.turns[turn_index]


def print_scores(scores: dict) -> None:
    for world, (right, turns) in scores["worlds"].items():
        print(f"{world:8} {right:6.1%} of {turns}")
    print(f"{'all':8} {scores['all']:6.1%} of {scores['turns']}")
    for name, (right, turns) in sorted(scores.get("questions", {}).items()):
        print(f"    {right:4.0%} of {turns:3}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--pages", type=int, default=24, help="pages per world")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument(
        "--style",
        choices=(*STYLES, "talk"),
        default="narrow",
        help="look of the pages; talk: the questions of talk.txt, generated",
    )
    parser.add_argument("--blank-drop", type=float, default=0.0, help="1: without blank patches")
    parser.add_argument("--generate", action="store_true")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("evaluation"))
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    seed_of = worlds.test_seed if options.split == "test" else worlds.validation_seed
    if options.style == "talk":
        questions = ((asked.image, asked.page, asked.turn) for asked in talk.questions())
        scores = generate(options.model, options.out, questions, device)
    elif options.generate:
        questions = page_questions(options.questions, STYLES[options.style], seed_of)
        scores = generate(options.model, options.out, questions, device)
    else:
        model = load_model(options.model, device)
        scores = exact_match(
            model,
            seed_of,
            options.pages,
            style=STYLES[options.style],
            blank_drop=options.blank_drop,
        )
    print_scores(scores)
    if options.json:
        options.json.write_text(json.dumps(scores, indent=2) + "\n")


if __name__ == "__main__":
    main()
