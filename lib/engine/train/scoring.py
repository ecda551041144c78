"""How well a model says what examples teach: loss and token accuracy over the trained positions only.

It knows a model and a corpus, no optimizer and no job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lib.engine.model import Model
from lib.engine.train.batches import Indices, runs
from lib.engine.train.corpus import UNTRAINED, Corpus


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over trained positions: cross entropy in nats, tokens guessed right, tokens."""

    loss: float = 0.0
    right: int = 0
    tokens: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.loss + other.loss, self.right + other.right, self.tokens + other.tokens)

    def metrics(self, prefix: str) -> dict[str, float]:
        """Mean loss and token accuracy under OpenAI's names; not a number where nothing was trained on."""
        if not self.tokens:
            return {f"{prefix}_loss": float("nan"), f"{prefix}_mean_token_accuracy": float("nan")}
        return {
            f"{prefix}_loss": self.loss / self.tokens,
            f"{prefix}_mean_token_accuracy": self.right / self.tokens,
        }


def score(model: Model, corpus: Corpus, examples: Indices, pad: int) -> tuple[Tensor, Score]:
    """The summed loss as a tensor with its graph, and the same as numbers, of examples read at once."""
    read, said = (torch.from_numpy(array).to(model.device) for array in corpus.batch(examples, pad))
    taught = said != UNTRAINED
    targets = said[taught]
    # The vocabulary is the widest thing in a model, so only the positions that count are scored.
    logits = model.logits(model.read(read)[taught])
    loss = functional.cross_entropy(logits, targets, reduction="sum")
    right = int((logits.detach().argmax(dim=-1) == targets).sum())
    return loss, Score(float(loss.detach()), right, len(targets))


def validate(
    model: Model, corpus: Corpus, examples: Sequence[int] | Indices, pad: int, between: Callable[[], None]
) -> Score:
    """The score of any number of examples, without learning from them. `between` is called between runs."""
    total = Score()
    with torch.no_grad():
        for group in runs(examples, corpus.lengths):
            between()
            total += score(model, corpus, group, pad)[1]
    return total
