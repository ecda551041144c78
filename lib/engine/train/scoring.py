"""What a model says of rows of a corpus, and how scores of many are added up.

It knows a model and a corpus, no optimizer and no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lib.engine.model import Model
from lib.engine.train.batches import Indices
from lib.engine.train.corpus import UNTRAINED, Corpus


@dataclass(frozen=True, slots=True)
class Score:
    """Means that are not divided yet: each name has a sum, and over how many it is the mean."""

    sums: Mapping[str, tuple[float, float]]

    def __add__(self, other: Score) -> Score:
        pairs = ((name, self.sums[name], other.sums[name]) for name in self.sums)
        return Score({name: (one[0] + two[0], one[1] + two[1]) for name, one, two in pairs})

    def metrics(self, prefix: str) -> dict[str, float]:
        """The means under their names; not a number where there was nothing to be a mean of."""
        return {
            f"{prefix}_{name}": total / count if count else float("nan") for name, (total, count) in self.sums.items()
        }

    def numbers(self) -> Tensor:
        """All sums and counts in one row, so that they can be added to those of another process."""
        return torch.tensor([number for pair in self.sums.values() for number in pair], dtype=torch.float64)

    def with_numbers(self, numbers: Tensor) -> Score:
        """A score of the same names with what `numbers` gave."""
        pairs = numbers.view(-1, 2).tolist()
        return Score({name: (total, count) for name, (total, count) in zip(self.sums, pairs, strict=True)})


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of rows: the cross entropy of each in nats, summed over its trained positions, with its graph;
    and how many of those tokens it would have guessed right."""

    losses: Tensor
    right: Tensor


def said(model: Model, corpus: Corpus, rows: Indices) -> Said:
    """Read rows at once."""
    read, targets = (torch.from_numpy(array).to(model.device) for array in corpus.batch(rows, model.template.pad))
    taught = targets != UNTRAINED
    # The vocabulary is the widest thing in a model, so only the positions that count are scored.
    logits = model.logits(model.read(read)[taught]).float()
    losses = functional.cross_entropy(logits, targets[taught], reduction="none")
    right = logits.detach().argmax(dim=-1) == targets[taught]
    return Said(_by_row(losses, taught), _by_row(right.to(losses.dtype), taught))


def _by_row(values: Tensor, taught: Tensor) -> Tensor:
    # Adding by index would be in another order each time on a GPU.
    return values.new_zeros(taught.shape).masked_scatter(taught, values).sum(dim=1)
