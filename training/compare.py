"""Exact match of several weights on the same held-out pages: seconds on a GPU.

    python3 compare.py OLD NEW … --styles narrow wide photo rich spoken talk --pages 60 --out FOLDER

Weights are checkpoints, runs or exported directories; `A+B@0.8` is A moved 0.8 of the way to B, and
`A+B@0.7+C@0.5` also half of the way to C (average.py). Pages are drawn once, by several processes.
A turn is scored as by evaluate.py. The questions of alone.py are asked in a conversation of their
own each: `talk`, `talk-validation`, `gallery`, `reading`, `validation`. FOLDER receives
`scores.json` and, for the first weights (`--generate`), `answers-N.jsonl`: the answers to such
questions, as by evaluate.py.
"""

import argparse
import json
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F

import alone
import average
import data
import nets
import worlds
from evaluate import MAX_TEXT, share
from losses import DENSE_CLASSES
from packing import Packer
from style import STYLES
from tokens import END, load_tokenizer
from turn import Turn

# An answer is cut off after so many tokens.
MAX_ANSWER = 64


class Scored(NamedTuple):
    """One conversation of a set of questions."""

    kind: str
    world: str
    example: data.Example
    turns: tuple[Turn, ...]


def page_of(task: tuple[str, str, int]) -> Scored:
    style, world, index = task
    seed = worlds.test_seed(world, index)
    page = worlds.sample(seed, world, STYLES[style])
    return conversation(style, page, seed)


def conversation(kind: str, page: worlds.Page, seed: int = 0) -> Scored:
    torch.set_num_threads(1)
    packer = Packer(load_tokenizer(), max_text=MAX_TEXT)
    example = data.make_example(packer, page, seed, blank_drop=0.0)
    return Scored(kind, page.world, example, tuple(page.turns))


def single_questions(kind: str) -> Iterator[Scored]:
    for page, turn, meaning in alone.KINDS[kind]():
        yield conversation(kind, page._replace(turns=[turn], meanings={turn.question: meaning}))


def draw(styles: list[str], pages: int, workers: int) -> list[Scored]:
    tasks = [
        (style, world, index)
        for style in styles
        if style not in alone.KINDS
        for world in worlds.names(STYLES[style])
        for index in range(pages)
    ]
    if workers:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            drawn = pool.map(page_of, tasks, chunksize=8)
    else:
        drawn = [page_of(task) for task in tasks]
    return drawn + [s for kind in alone.KINDS if kind in styles for s in single_questions(kind)]


def load(source: str) -> dict:
    """Weights, or those that `A+B@share` names."""
    base, *runs = source.split("+")
    return average.load(base, runs)


def batches(
    scored: list[Scored], batch: int, device: str
) -> Iterator[tuple[list[Scored], data.Batch]]:
    for start in range(0, len(scored), batch):
        part = scored[start : start + batch]
        rows = data.collate([entry.example for entry in part])
        yield part, data.Batch(*(tensor.to(device) for tensor in rows))


@torch.no_grad()
def score(model, scored: list[Scored], batch: int, device: str) -> list[list[bool]]:
    """Per conversation, whether each of its answers is right."""
    rights = []
    for part, rows in batches(scored, batch, device):
        predicted = predict(model, rows)
        wrong = predicted[:, :-1] != rows.ids[:, 1:]
        for entry, flags in zip(part, wrong.tolist()):
            spans = entry.example.sequence.answers
            rights.append([not any(flags[span.start - 1 : span.end - 1]) for span in spans])
    return rights


def predict(model, rows: data.Batch) -> torch.Tensor:
    """[B, T] the most likely next id at every place."""
    features = model.vision(data.normalise(rows.pixels))
    hidden = model.decoder.hidden(data.embed(model, features, rows), rows.positions)
    return F.linear(hidden, model.decoder.embedding.weight).argmax(-1)


def answers(model, scored: list[Scored], batch: int, device: str) -> list[dict]:
    """Greedy answers to the first question of each conversation, with log-probabilities."""
    tokenizer, told = load_tokenizer(), []
    for part, rows in batches(scored, batch, device):
        starts = torch.tensor([e.example.sequence.answers[0].start for e in part], device=device)
        for entry, tokens in zip(part, generate(model, rows, starts)):
            ids, chances = zip(*tokens)
            told.append(
                {
                    "kind": entry.kind,
                    "world": entry.world,
                    "turns": [entry.turns[0]._asdict()],
                    "generated": tokenizer.decode(list(ids), skip_special_tokens=True).strip(),
                    "logProbabilities": list(chances),
                }
            )
    return told


@torch.no_grad()
def generate(model, rows: data.Batch, starts: torch.Tensor) -> list[list[tuple[int, float]]]:
    """Per row, the greedy ids from its place in `starts` [B] on, each with its log-probability.

    An answer ends with END, which it includes, or after MAX_ANSWER ids.
    """
    features = model.vision(data.normalise(rows.pixels))
    count, width = rows.ids.shape
    room = int(starts.max()) + MAX_ANSWER
    ids = F.pad(rows.ids, (0, max(0, room - width)))[:, :room]
    patches = F.pad(rows.patches, (0, max(0, room - width)), value=-1)[:, :room]
    positions = torch.arange(room, device=ids.device).expand(count, room)
    every = torch.arange(count, device=ids.device)
    generated: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for step in range(MAX_ANSWER):
        filled = rows._replace(ids=ids, patches=patches, positions=positions)
        hidden = model.decoder.hidden(data.embed(model, features, filled), positions)
        last = F.linear(hidden[every, starts + step - 1], model.decoder.embedding.weight)
        chances, chosen = last.float().log_softmax(-1).max(-1)
        if step < MAX_ANSWER - 1:
            ids[every, starts + step] = chosen
        for tokens, token, chance in zip(generated, chosen.tolist(), chances.tolist()):
            if not tokens or tokens[-1][0] != END:
                tokens.append((token, round(chance, 4)))
        if all(tokens[-1][0] == END for tokens in generated):
            break
    return generated


def table(scored: list[Scored], rights: list[list[bool]]) -> dict:
    """{kind: {"all": [share, turns], world: [share, turns]}}"""
    flags: dict = defaultdict(lambda: defaultdict(list))
    for entry, right in zip(scored, rights):
        flags[entry.kind]["all"] += right
        flags[entry.kind][entry.world] += right
    return {
        kind: {world: [share(f), len(f)] for world, f in by_world.items()}
        for kind, by_world in flags.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--styles", nargs="+", default=["narrow", "wide", "photo", "rich", "talk"])
    parser.add_argument("--pages", type=int, default=60, help="pages per world")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--generate", type=int, default=0, help="so many weights also answer")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    scored = draw(options.styles, options.pages, options.workers)
    device = "cuda" if torch.cuda.is_available() else "cpu"  # after the drawing processes
    print(f"{len(scored)} conversations drawn in {time.time() - began:.0f} s", flush=True)
    model = nets.Keepsight(load_tokenizer().get_vocab_size(), DENSE_CLASSES).to(device).eval()
    scores = {}
    for number, source in enumerate(options.models):
        model.load_state_dict(load(source))
        scores[source] = table(scored, score(model, scored, options.batch, device))
        print(json.dumps({source: scores[source]}), f"{time.time() - began:.0f} s", flush=True)
        (options.out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
        if number < options.generate:
            single = [entry for entry in scored if entry.kind in alone.KINDS]
            told = answers(model, single, options.batch, device)
            lines = "".join(f"{json.dumps(answer)}\n" for answer in told)
            (options.out / f"answers-{number}.jsonl").write_text(lines)
            print(f"{len(told)} answers, {time.time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
