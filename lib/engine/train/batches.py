"""Which examples make up which step: a seeded order in which the examples of a step are of like length.

Steps are counted as OpenAI does: ceil(examples × epochs / batch size), so a step may hold the end of one epoch and the
beginning of the next. It knows lengths and numbers of examples, not what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.int64]
Indices = NDArray[np.int64]

# Lengths count with this much noise, so that an example meets other neighbours in the next epoch.
LENGTH_NOISE = 0.2

# Padded tokens that go through the network at once: they bound memory and the time until a wish to stop is heard.
MOST_TOKENS = 2048

# One more run through the network costs about as much time as this many tokens do.
RUN_COST = 24


class Batches:
    """The steps of a training over examples with these `lengths` in tokens. The same seed gives the same steps."""

    def __init__(self, lengths: Lengths, n_epochs: int, batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.examples = len(lengths)
        self.total_steps = -(-self.examples * n_epochs // batch_size)
        self._seed = seed
        # Two, because a step may reach into the next epoch.
        self._epoch = lru_cache(maxsize=2)(self._draw)

    def step(self, step: int) -> Indices:
        """The examples of a step, counted from 1."""
        first = (step - 1) * self.batch_size
        end = min(first + self.batch_size, self.examples * self.n_epochs)
        return np.array([self._epoch(at // self.examples)[at % self.examples] for at in range(first, end)])

    def epochs(self, step: int) -> float:
        """How many times the training has gone through the examples after this step."""
        return min(step * self.batch_size / self.examples, float(self.n_epochs))

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch ends in this step."""
        return int(self.epochs(step)) > int(self.epochs(step - 1))

    def _draw(self, epoch: int) -> Indices:
        """The order of one epoch's examples, so cut that each step's share of them is of like length."""
        random = np.random.default_rng((self._seed, epoch))
        noise = random.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, self.examples)
        by_length = np.lexsort((random.permutation(self.examples), self.lengths * noise))
        # What the step that the previous epoch began still lacks, then whole steps, then the beginning of another.
        lacking = min(-epoch * self.examples % self.batch_size, self.examples)
        cuts = np.arange(lacking, self.examples, self.batch_size)
        sizes = np.diff([0, *cuts[cuts > 0], self.examples])
        places = random.permutation(len(sizes))
        ends = np.cumsum(sizes[places])
        shares: list[Indices] = [by_length] * len(sizes)
        for place, end in zip(places, ends, strict=True):
            shares[place] = by_length[end - sizes[place] : end]
        return np.concatenate(shares)


def runs(examples: Sequence[int] | Indices, lengths: Lengths, tokens_at_once: int = MOST_TOKENS) -> Iterator[Indices]:
    """The examples in groups that go through the network at once: of like length, and not too many tokens with padding.

    One example that is longer than that is a group by itself.
    """
    chosen = np.asarray(examples)
    ordered = chosen[np.argsort(-lengths[chosen], kind="stable")]
    at = 0
    while at < len(ordered):
        longest = int(lengths[ordered[at]])
        end, wasted = at + 1, 0
        while end < len(ordered) and longest * (end - at + 1) <= tokens_at_once:
            wasted += longest - int(lengths[ordered[end]])
            if wasted > RUN_COST:
                break
            end += 1
        yield ordered[at:end]
        at = end


def filled(examples: Indices, lengths: Lengths, tokens_at_once: int = MOST_TOKENS) -> Iterator[Indices]:
    """The examples in groups of at most so many tokens, the longest first; a longer example is a group by itself."""
    ordered = examples[np.argsort(-lengths[examples], kind="stable")]
    at = 0
    while at < len(ordered):
        room = tokens_at_once - np.cumsum(lengths[ordered[at:]])
        end = at + max(1, int((room >= 0).sum()))
        yield ordered[at:end]
        at = end
