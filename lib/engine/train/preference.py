"""The objective of preference training (DPO): to prefer the one answer to the other, staying near the starting weights.

The loss of a pair is -log sigmoid(beta × margin), where the margin is how much more than the starting weights the model
favours the preferred answer (Rafailov and others 2023, arXiv 2305.18290). It knows a model and a corpus in which each
pair has two rows, the preferred first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lib.dataset.example import NON_PREFERRED, PREFERRED, raw_messages
from lib.engine.model import ChatTemplate, Model
from lib.engine.template import Rendered
from lib.engine.train.batches import MOST_TOKENS, Indices, filled, runs
from lib.engine.train.corpus import Corpus
from lib.engine.train.scoring import Said, Score, said
from lib.errors import DataError

# The learning rate as a share of that of supervised training: preferences are learned from a model that can answer
# already, and too high a rate takes that from it. Measured on the built-in base after an epoch of the example tickets,
# with 120 pairs of a right and a wrong team, twice, beta 0.1: held-out loss 0.49, 0.39 and 0.33 with a share of 0.03,
# 0.1 and 0.3, the right team preferred in 34 or 35 of 40 each time, tokens of the preferred answers guessed right in
# 97, 97 and 96 %. With a share of 1 these fell to 64 %.
RATE = 0.1


class Preference:
    """What `model` says of the pairs of a corpus. At most `tokens_at_once` are read together, or else one pair."""

    rate = RATE
    blank = Score(dict.fromkeys(("loss", "mean_token_accuracy", "rewards_accuracy", "rewards_margin"), (0.0, 0)))

    def __init__(self, model: Model, corpus: Corpus, beta: float, tokens_at_once: int = MOST_TOKENS) -> None:
        self.corpus = corpus
        self.lengths = corpus.lengths[::2] + corpus.lengths[1::2]
        # A pair whose answers were both cut off with the end of a long conversation teaches nothing.
        trained = corpus.trained_tokens
        self.counts = ((trained[::2] > 0) | (trained[1::2] > 0)).astype(np.int64)
        self._model = model
        self._beta = beta
        self._tokens_at_once = tokens_at_once
        self._first_losses = torch.zeros(0)

    def first_rows(self, examples: Indices) -> Indices:
        """Every row."""
        return np.arange(len(self.corpus))

    def know(self, losses: Tensor) -> None:
        """Take the losses of all rows under the starting weights, which are what every margin is measured from."""
        self._first_losses = losses

    def before(self, examples: Indices) -> NDArray[np.float64]:
        """The loss of each pair under the starting weights, whose margin is 0."""
        return np.where(self.counts[examples] > 0, math.log(2), math.nan)

    def runs(self, examples: Indices) -> Iterator[Indices]:
        """The pairs in groups whose graphs are held at once."""
        return filled(examples, self.lengths, self._tokens_at_once)

    def score(self, examples: Indices) -> tuple[Tensor, Score]:
        """The loss of each pair; and the score of all, where token accuracy is that of the preferred answers."""
        rows = np.stack((2 * examples, 2 * examples + 1), axis=1).ravel()
        read = self._said(rows)
        gained = self._first_losses[rows].float().to(self._model.device) - read.losses
        margins = self._beta * (gained[::2] - gained[1::2])
        counts = torch.from_numpy(self.counts[examples]).float().to(self._model.device)
        losses = functional.softplus(-margins) * counts
        pairs, tokens = int(counts.sum()), int(self.corpus.trained_tokens[2 * examples].sum())
        told = margins.detach().cpu().double()
        return losses, Score(
            {
                "loss": (float(losses.detach().cpu().double().sum()), pairs),
                "mean_token_accuracy": (float(read.right[::2].sum()), tokens),
                "rewards_accuracy": (float((told > 0).sum()), pairs),
                "rewards_margin": (float(told.sum()), pairs),
            }
        )

    def _said(self, rows: Indices) -> Said:
        """What the model says of rows, read in groups of like length."""
        groups = list(runs(np.arange(len(rows)), self.corpus.lengths[rows], self._tokens_at_once))
        parts = [said(self._model, self.corpus, rows[group]) for group in groups]
        back = torch.from_numpy(np.argsort(np.concatenate(groups))).to(self._model.device)
        losses = torch.cat([part.losses for part in parts]).index_select(0, back)
        return Said(losses, torch.cat([part.right for part in parts]).index_select(0, back))


def pair(data: Mapping[str, Any], template: ChatTemplate) -> tuple[Sequence[Rendered], int]:
    """The two rows of a preference pair, each the input with one answer, of which the answer alone is trained.

    And its bill: the input once and both answers. Raises DataError for one that cannot be rendered.
    """
    held = data.get("input")
    if not isinstance(held, dict):
        raise DataError("A preference pair lacks its input.")
    asked = [_unlearned(entry) for entry in raw_messages(data) if isinstance(entry, dict)]
    rows = []
    for names in (PREFERRED, NON_PREFERRED):
        answer = next((data[name] for name in names if name in data), None)
        if not isinstance(answer, list) or not all(isinstance(entry, dict) for entry in answer):
            raise DataError(f"A preference pair lacks its {names[0]}.")
        learned = [{name: value for name, value in entry.items() if name != "weight"} for entry in answer]
        rows.append(template.example(held | {"messages": [*asked, *learned]}))
    preferred, other = rows
    answer_ids = [one for one, is_trained in zip(other.ids, other.trained, strict=True) if is_trained]
    both = Rendered(preferred.ids + answer_ids, preferred.trained + [True] * len(answer_ids))
    return rows, template.billed(data, both)


def _unlearned(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"weight": 0} if entry.get("role") == "assistant" else entry
