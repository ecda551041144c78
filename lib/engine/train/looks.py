"""When a training looks at validation examples between the ends of its epochs, and at which: a few, in turn.

A look costs time that nobody learns from, so there is one validated example for four trained ones at most, and never
fewer than four at once, since the loss of a single example says little. It knows numbers of examples only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.engine.train.batches import Indices

LEAST_EXAMPLES = 4
TRAINED_PER_VALIDATED = 4


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of a training with this many validation examples and this batch size."""

    examples: int
    batch_size: int

    @property
    def size(self) -> int:
        """Examples looked at each time."""
        return min(self.examples, max(LEAST_EXAMPLES, self.batch_size // TRAINED_PER_VALIDATED))

    @property
    def every(self) -> int:
        """Steps from one look to the next."""
        return max(1, math.ceil(self.size * TRAINED_PER_VALIDATED / self.batch_size))

    def due(self, step: int) -> bool:
        """Whether a step, counted from 1, has a look; the first has."""
        return (step - 1) % self.every == 0

    def at(self, step: int) -> Indices:
        """The examples looked at in a step; they rotate through all."""
        first = (step - 1) // self.every * self.size
        return np.arange(first, first + self.size) % self.examples
