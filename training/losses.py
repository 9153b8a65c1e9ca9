"""What the model is taught: answers, where to look for them, and what every patch shows."""

import torch
import torch.nn.functional as F

from data import Batch, embed
from nets import HEAD_DIM
from packing import IGNORED
from vocabulary import CHARACTER_CLASSES, SHAPE_CLASSES

# Layers in which a head is taught where to look: from an answer to the patch that shows its next
# token (head 0), from an answer's start to the word of the question that it is about (head 1), and
# from that word to the patch where the page shows it (head 2).
TAPS = {"copy": (0, (2, 4, 6)), "about": (1, (2, 4)), "named": (2, (1, 3))}
# Each patch is four slots of a character each, and at most one shape.
DENSE_CLASSES = 4 * CHARACTER_CLASSES + SHAPE_CLASSES
BLANK_WEIGHT = 0.2
MASKED = -1e4


def tap_layers(model) -> None:
    """Makes the blocks in TAPS record queries and keys."""
    for _, layers in TAPS.values():
        for layer in layers:
            model.decoder.blocks[layer].tapped = True


def dense_loss(logits, characters, shapes):
    """Loss and accuracy of the labels of every patch.

    logits [B, 576, DENSE_CLASSES], characters [B, 48, 48], shapes [B, 24, 24]. The accuracy counts
    slots that show a character.
    """
    batch = len(logits)
    slots = logits[..., : 4 * CHARACTER_CLASSES].reshape(batch, 24, 24, 2, 2, CHARACTER_CLASSES)
    slots = slots.permute(0, 1, 3, 2, 4, 5).reshape(-1, CHARACTER_CLASSES)
    target = characters.reshape(-1)
    weight = torch.ones(CHARACTER_CLASSES, device=logits.device)
    weight[0] = BLANK_WEIGHT
    shape_logits = logits[..., 4 * CHARACTER_CLASSES :].reshape(-1, SHAPE_CLASSES)
    loss = F.cross_entropy(slots, target, weight=weight)
    loss = loss + F.cross_entropy(shape_logits, shapes.reshape(-1))
    return loss, (slots.argmax(-1) == target)[target > 0].float().mean()


def attention_loss(tap, targets):
    """Cross-entropy of one head's attention against the places where it should look.

    tap: (q, k) [B, T, D] each; targets [B, T'] with T' ≤ T, negative where nothing is taught.
    All scores [B, T, T] are computed, most for nothing: a loop over rows keeps a GPU waiting.
    """
    queries, keys = tap
    row, place = (targets >= 0).nonzero(as_tuple=True)
    if not len(row):
        return queries.sum() * 0
    scores = torch.bmm(queries, keys.transpose(1, 2))[row, place].float() * HEAD_DIM**-0.5
    future = torch.arange(keys.shape[1], device=scores.device)[None] > place[:, None]
    return F.cross_entropy(scores.masked_fill(future, MASKED), targets[row, place])


def answer_loss(model, hidden, batch: Batch):
    """Weighted cross-entropy of the answers' tokens, 0 without any, and the share that is right."""
    asked = batch.labels[:, 1:] != IGNORED
    logits = F.linear(hidden[:, :-1][asked], model.decoder.embedding.weight).float()
    target, weight = batch.labels[:, 1:][asked], batch.weights[:, 1:][asked]
    losses = F.cross_entropy(logits, target, reduction="none")
    loss = (losses * weight).sum() / weight.sum().clamp(min=1e-6)
    return loss, (logits.argmax(-1) == target).float().mean()


def joint_loss(model, batch: Batch, characters, shapes, *, look: float, dense: float):
    """The whole loss of one step, and its parts for the log.

    `batch.pixels` [B', 3, 384, 384] in [-1, 1] may hold more images than there are sequences: dense
    pages without questions.
    `compiled`: the vision tower and the decoder's `hidden`, perhaps compiled.
    """
    features = model.vision(batch.pixels)
    asked = features[: len(batch.ids)]
    hidden = model.decoder.hidden(embed(model, asked, batch), batch.positions)
    answer, token_accuracy = answer_loss(model, hidden, batch)
    targets = {"copy": batch.copied[:, 1:], "about": batch.about[:, 1:], "named": batch.named}
    looks = {
        name: sum(attention_loss(model.decoder.blocks[i].tap[head], targets[name]) for i in layers)
        / len(layers)
        for name, (head, layers) in TAPS.items()
    }
    seen, character_accuracy = dense_loss(model.dense_head(features).float(), characters, shapes)
    total = answer + look * sum(looks.values()) + dense * seen
    parts = {
        "answer": answer,
        **looks,
        "dense": seen,
        "tokenAccuracy": token_accuracy,
        "characterAccuracy": character_accuracy,
    }
    return total, {name: value.detach() for name, value in parts.items()}
