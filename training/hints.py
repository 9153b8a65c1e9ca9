"""A teacher for further training: weights that must not forget what they read.

The teacher is earlier weights of the same network. It teaches pages whose answers it predicts to
the last token, and pages that teach no answer (jumbled.py): the student's features and residual
streams are held to the teacher's (hints: Romero et al., "FitNets", 2015, eq. 3, without a regressor
because both have the same shape), and so are the answers' distributions (Li & Hoiem, "Learning
without Forgetting", 2016, eq. 2 at temperature 1). A page gives some hundred vectors to compare
where its answers give some ten tokens, so rehearsal needs fewer pages.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

import nets
import weights
from data import Batch, embed
from losses import DENSE_CLASSES
from packing import IGNORED


class Trace(NamedTuple):
    """What one forward pass computed: `features` [B', 576, 192] of the tower, `streams` after each
    block [B, T, 256], and `hidden` [B, T, 256] after the last norm."""

    features: torch.Tensor
    streams: list[torch.Tensor]
    hidden: torch.Tensor


class Recorder:
    """Keeps the trace of a model's last forward pass."""

    def __init__(self, model: nets.Keepsight):
        self.model = model
        self.features: torch.Tensor | None = None
        self.streams: list[torch.Tensor | None] = [None] * len(model.decoder.blocks)
        model.vision.register_forward_hook(self.record_features)
        for number, block in enumerate(model.decoder.blocks):
            block.register_forward_hook(self.recorder(number))

    def record_features(self, _module, _inputs, features) -> None:
        self.features = features

    def recorder(self, number: int):
        def record(_module, _inputs, stream) -> None:
            self.streams[number] = stream

        return record

    def trace(self) -> Trace:
        hidden = nets.rms_norm(self.streams[-1], self.model.decoder.norm)
        return Trace(self.features, self.streams, hidden)


class Teacher:
    """Compares a student, after its forward pass, with the weights of `source`."""

    def __init__(self, student: nets.Keepsight, source: str, device: str, compiled: bool):
        vocabulary = student.decoder.embedding.num_embeddings
        self.model = nets.Keepsight(vocabulary, DENSE_CLASSES).to(device)
        self.model.load_state_dict(weights.load(source))
        self.model.requires_grad_(False).eval()
        if compiled:
            nets.compile_parts(self.model)
        self.student, self.own = Recorder(student), Recorder(self.model)

    @torch.no_grad()
    def read(self, batch: Batch) -> Trace:
        features = self.model.vision(batch.pixels[: len(batch.ids)])
        self.model.decoder.hidden(embed(self.model, features, batch), batch.positions)
        return self.own.trace()

    def loss(self, batch: Batch) -> tuple[torch.Tensor, dict]:
        """How far the student is from the teacher, 0 if they are equal, and the parts of it."""
        told, taught = self.student.trace(), self.read(batch)
        table = self.model.decoder.embedding.weight
        asked = batch.labels[:, 1:] != IGNORED
        chances = F.linear(taught.hidden[:, :-1][asked], table).float().log_softmax(-1)
        right = torch.zeros(asked.shape, device=asked.device)
        right[asked] = (chances.argmax(-1) == batch.labels[:, 1:][asked]).float()
        known = right.sum(1) == asked.sum(1)
        if not known.any():
            nothing = told.hidden.sum() * 0
            return nothing, dict.fromkeys(("hints", "sameAnswers", "known"), nothing.detach())
        placed = (batch.positions > 0) & known[:, None]
        features = distance(told.features[: len(known)][known], taught.features[known])
        streams = [distance(a[placed], b[placed]) for a, b in zip(told.streams, taught.streams)]
        hints = features + sum(streams) / len(streams)
        own = self.student.model.decoder.embedding.weight
        logits = F.linear(told.hidden[:, :-1][asked], own).float().log_softmax(-1)
        divergence = (chances.exp() * (chances - logits)).sum(-1)
        shared = known[:, None].expand_as(asked)[asked]
        answers = (divergence * shared).sum() / shared.sum().clamp(min=1)
        parts = {"hints": hints, "sameAnswers": answers, "known": known.float().mean()}
        return hints + answers, {name: value.detach() for name, value in parts.items()}


def distance(vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """[…, D] each → the mean of |a − b|² / |b|²"""
    vectors, targets = vectors.float(), targets.float()
    return ((vectors - targets).square().sum(-1) / targets.square().sum(-1)).mean()
