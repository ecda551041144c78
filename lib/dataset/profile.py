"""What a set of examples is like as a whole: how much there is, who speaks, how long it is, which labels it has.

Works on the columns of an assessment alone, a few passes of arithmetic over whole arrays: a million examples take less
than a tenth of a second. Reads no example, knows no file and no screen.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.assessment import Assessment
from lib.dataset.selection import OTHER
from lib.dataset.survey.answers import JSON_ANSWER, NO_ANSWER, Labels
from lib.dataset.survey.facts import OTHER_ROLE, ROLE_BITS

Integers = npt.NDArray[np.integer[Any]]
Bits = npt.NDArray[np.bool_]

# How many of the longest and the shortest examples are named, and how many system prompts.
MOST_NAMED = 5
MOST_SYSTEMS = 10
# Where bars begin, in each power of ten: about equally wide on a scale of logarithms. The fine ones while they are few.
FINE, COARSE = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8), (1, 1.5, 2, 3, 4, 6, 8)
MOST_FINE = 30
LOOKED_UP = 1 << 16


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number varies from example to example. The median is that of the lower half where their count is even."""

    total: int
    least: int
    median: int
    most: int


@dataclass(frozen=True, slots=True)
class Bar:
    """How many examples have from `least` up to `below` (excluded) tokens, on each side of the split."""

    least: int
    below: int
    training: int
    validation: int


@dataclass(frozen=True, slots=True)
class Named:
    """One example by its position, with its tokens."""

    position: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of the examples. `epoch` is what one epoch bills; `each` is of training and validation, uncut.

    `trained` are tokens of answers that are learned in an epoch, of the training examples, uncut. `cut` examples of
    both sides are longer than the model reads, `lost` of their tokens it does not.
    """

    epoch: int
    each: Spread
    trained: int
    training: int
    cut: int
    lost: int
    bars: tuple[Bar, ...]
    longest: tuple[Named, ...]
    shortest: tuple[Named, ...]

    @property
    def trained_share(self) -> float:
        """Which part of the tokens of the training examples the model learns to write."""
        return self.trained / self.training if self.training else 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """One label: how many examples of each side have it."""

    name: str
    training: int
    validation: int

    @property
    def examples(self) -> int:
        """How many have it in all."""
        return self.training + self.validation


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of all examples that are there now.

    `roles` has for each role in use (OTHER: one that no service knows) how many examples it speaks in, `systems` the
    most frequent system prompts (no more than MOST_SYSTEMS) out of `different_systems`, `labels` for each field ("" is
    the whole answer) its labels, the most frequent first. `json` of `answers` last answers are JSON objects. `tokens`
    is None where they were not counted.
    """

    examples: int
    training: int
    validation: int
    size: int
    messages: Spread
    roles: tuple[tuple[str, int], ...]
    systems: tuple[tuple[str, int], ...]
    different_systems: int
    without_system: int
    labels: tuple[tuple[str, tuple[Label, ...]], ...]
    json: int
    answers: int
    tokens: Tokens | None


def profile(assessed: Assessment, limit: int | None = None, *, counted: bool = True) -> Profile:
    """The profile of the examples as they are now, each cut at `limit`. `counted` says whether their tokens were."""
    columns, present = assessed.columns, assessed.present
    every = bool(present.all())

    def held(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if every else values[present]

    held_out = held(assessed.held_out)
    kinds = np.bincount(held(columns.answer), minlength=NO_ANSWER + 1)
    systems = assessed.used_systems()
    validation = int(held_out.sum())
    return Profile(
        examples=len(held_out),
        training=len(held_out) - validation,
        validation=validation,
        size=int(held(columns.size).sum(dtype=np.int64)),
        messages=_spread(held(columns.messages)),
        roles=tuple(_roles(held(columns.roles))),
        systems=tuple(systems[:MOST_SYSTEMS]),
        different_systems=len(systems),
        without_system=int(np.count_nonzero(held(columns.system) == 0)),
        labels=tuple((name, _labels(labels, assessed)) for name, labels in assessed.labels.items()),
        json=int(kinds[JSON_ANSWER]) if len(kinds) > JSON_ANSWER else 0,
        answers=int(kinds.sum() - kinds[NO_ANSWER]),
        tokens=_tokens(assessed, held(columns.tokens), held_out, limit) if counted and len(held_out) else None,
    )


def bars(tokens: Integers, held_out: Bits) -> tuple[Bar, ...]:
    """How many examples have how many tokens, in bars that grow with the number as on a scale of logarithms.

    Bars begin at round numbers; the first and the last have an example each.
    """
    if not len(tokens):
        return ()
    edges = _edges(int(tokens.min()), int(tokens.max()))
    # Looked up in a table, which is several times as fast as a search for each; the few beyond it are searched for.
    table = np.searchsorted(edges, np.arange(min(edges[-1], LOOKED_UP)), side="right") - 1
    number = table[np.minimum(tokens, len(table) - 1)]
    if len(long := np.flatnonzero(tokens >= len(table))):
        number[long] = np.searchsorted(edges, tokens[long], side="right") - 1
    counts = np.bincount(2 * number + held_out, minlength=2 * (len(edges) - 1)).reshape(-1, 2).tolist()
    return tuple(Bar(*pair, *count) for *pair, count in zip(edges, edges[1:], counts, strict=False))


def _edges(least: int, most: int) -> list[int]:
    """Where the bars begin, and where the last one ends."""
    fine = _between(FINE, least, most)
    return fine if len(fine) <= MOST_FINE else _between(COARSE, least, most)


def _between(begins: Sequence[float], least: int, most: int) -> list[int]:
    every = sorted({int(begin * 10**power) for power in range(len(str(most)) + 1) for begin in begins} | {0})
    first = max(at for at, edge in enumerate(every) if edge <= least)
    return [*every[first : next(at for at, edge in enumerate(every) if edge > most) + 1]]


def _spread(values: Integers) -> Spread:
    if not len(values):
        return Spread(0, 0, 0, 0)
    middle = (len(values) - 1) // 2
    median = int(np.partition(values, middle)[middle])
    return Spread(int(values.sum(dtype=np.int64)), int(values.min()), median, int(values.max()))


def _roles(roles: npt.NDArray[np.uint8]) -> list[tuple[str, int]]:
    """Each role in use and in how many examples, the most frequent first."""
    combined = np.bincount(roles, minlength=256)
    bits = np.arange(len(combined))
    named = {**ROLE_BITS, OTHER: OTHER_ROLE}
    found = [(name, int(combined[bits & bit > 0].sum())) for name, bit in named.items()]
    return sorted((one for one in found if one[1]), key=lambda one: -one[1])


def _labels(labels: Labels, assessed: Assessment) -> tuple[Label, ...]:
    training = labels.counts(assessed.present & ~assessed.held_out).tolist()
    validation = labels.counts(assessed.present & assessed.held_out).tolist()
    made = [Label(*one) for one in zip(labels.names, training, validation, strict=True)]
    return tuple(sorted((one for one in made if one.examples), key=lambda one: -one.examples))


def _tokens(assessed: Assessment, tokens: Integers, held_out: Bits, limit: int | None) -> Tokens:
    columns, present = assessed.columns, assessed.present
    trains = present & ~assessed.held_out
    over = tokens[tokens > limit] if limit is not None else tokens[:0]
    named = np.flatnonzero(present)
    return Tokens(
        epoch=assessed.tokens(limit),
        each=_spread(tokens),
        trained=int(columns.trained.sum(where=trains, dtype=np.int64)),
        training=int(columns.tokens.sum(where=trains, dtype=np.int64)),
        cut=len(over),
        lost=int(over.sum(dtype=np.int64)) - len(over) * (limit or 0),
        bars=bars(tokens, held_out),
        longest=tuple(_named(tokens, named, longest=True)),
        shortest=tuple(_named(tokens, named, longest=False)),
    )


def _named(tokens: Integers, named: Integers, *, longest: bool) -> list[Named]:
    """The examples with the most or the fewest tokens; of equal ones the first."""
    number = min(MOST_NAMED, len(tokens))
    bound = np.partition(tokens, -number if longest else number - 1)[-number if longest else number - 1]
    # Those beyond the bound are fewer than are named, those on it may be all.
    beyond = np.flatnonzero(tokens > bound if longest else tokens < bound)
    on = np.flatnonzero(tokens == bound)[: number - len(beyond)]
    every = [Named(int(named[at]), int(tokens[at])) for at in np.concatenate([beyond, on])]
    pick = heapq.nlargest if longest else heapq.nsmallest
    return pick(number, every, key=lambda one: one.tokens)
