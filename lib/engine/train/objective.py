"""What a training makes smaller, whichever the method: the loop asks this and nothing else of a method.

It knows no step and no optimizer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lib.engine.train.batches import Indices, Lengths
from lib.engine.train.corpus import Corpus
from lib.engine.train.scoring import Score


class Objective(Protocol):
    """The loss of a method over one set of examples.

    `corpus` holds their rows and their bill, `lengths` the tokens that are read of each example, and `counts` over how
    many things the loss of each is a sum. `rate` multiplies the learning rate, and `blank` is the score of no example.
    """

    corpus: Corpus
    lengths: Lengths
    counts: NDArray[np.int64]
    rate: float
    blank: Score

    def first_rows(self, examples: Indices) -> Indices:
        """The rows of which must be known, before the first step, what the starting weights say: to learn from all
        examples, and to say what the loss of these was."""
        ...

    def know(self, losses: Tensor) -> None:
        """Take the summed losses of all rows under the starting weights, of which the `first_rows` have been read."""
        ...

    def before(self, examples: Indices) -> NDArray[np.float64]:
        """The loss of each of these examples under the starting weights."""
        ...

    def runs(self, examples: Indices) -> Iterator[Indices]:
        """The examples in groups that go through the model at once."""
        ...

    def score(self, examples: Indices) -> tuple[Tensor, Score]:
        """The loss of each example, with its graph, summed over its `counts`; and the score of all of them."""
        ...
