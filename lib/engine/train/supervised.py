"""The objective of supervised training: to say what the assistant says in the examples.

The loss is the cross entropy of the trained tokens, each token counting alike, whichever example it is in. It knows a
model and a corpus with one row an example.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lib.engine.model import Model
from lib.engine.train.batches import MOST_TOKENS, Indices, runs
from lib.engine.train.corpus import Corpus
from lib.engine.train.scoring import Score, said


class Supervised:
    """What `model` says of the examples of a corpus. At most `tokens_at_once` are read together, padding included."""

    rate = 1.0
    blank = Score({"loss": (0.0, 0), "mean_token_accuracy": (0.0, 0)})

    def __init__(self, model: Model, corpus: Corpus, tokens_at_once: int = MOST_TOKENS) -> None:
        self.corpus = corpus
        self.lengths = corpus.lengths
        self.counts = corpus.trained_tokens
        self._model = model
        self._tokens_at_once = tokens_at_once
        self._first_losses = np.zeros(0)

    def first_rows(self, examples: Indices) -> Indices:
        """The rows of these examples: to learn from the others, nothing need be known."""
        return examples

    def know(self, losses: Tensor) -> None:
        """Take the losses of the `first_rows` under the starting weights."""
        self._first_losses = losses.numpy()

    def before(self, examples: Indices) -> NDArray[np.float64]:
        """The loss of each example under the starting weights; not a number where nothing is trained on."""
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = self._first_losses[examples] / self.counts[examples]
        return means

    def runs(self, examples: Indices) -> Iterator[Indices]:
        """The examples in groups of like length."""
        return runs(examples, self.lengths, self._tokens_at_once)

    def score(self, examples: Indices) -> tuple[Tensor, Score]:
        """The cross entropy of each example, summed over its trained tokens; and the score of all."""
        read = said(self._model, self.corpus, examples)
        tokens = int(self.counts[examples].sum())
        loss = float(read.losses.detach().cpu().double().sum())
        return read.losses, Score({"loss": (loss, tokens), "mean_token_accuracy": (float(read.right.sum()), tokens)})
