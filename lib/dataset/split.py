"""Suggests which examples to hold out for validation: drawn by a seed, in groups that stay on one side, label by label.

Works on numbers alone: which examples belong together and which label each has is for the caller to say. The draw is
the raw output of PCG64, which every version of numpy gives alike on every machine. Knows no file and no workspace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from lib.dataset.example import Example
from lib.dataset.places import Places
from lib.dataset.prompt import prompt_of
from lib.errors import DataError

Groups = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Pairs = tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]

SHARE = 0.1
SEED = 7
NO_LABEL = -1

# Below so many examples every one is needed for training; from there on at least ten are held out.
ENOUGH_TO_SPLIT = 20
LEAST_HELD_OUT = 10
LEAST_TRAINED = 10


def suggest(
    groups: Groups,
    labels: Labels | None = None,
    *,
    share: float | None = None,
    number: int | None = None,
    seed: int = SEED,
) -> Places:
    """Positions to hold out. Examples with equal `groups` stay on one side; `labels` are -1 where there is none.

    About `share` of all (a tenth, when neither is given) and at least 10, or none: none of fewer than 20 examples, nor
    where groups are too large. With `number`, as near to it as groups allow. At least 10 examples stay for training.
    Each label is held out in its own share as far as groups allow, and never wholly: a label that occurs once stays in
    training. The same groups (whatever their values), labels, size and seed always give the same positions.

    Raises DataError when the share is not between 0 and 1 or the number is negative.
    """
    total = len(groups)
    wanted = _wanted(total, share, number)
    if not wanted:
        return Places()
    drawn = _drawn(groups, np.full(total, NO_LABEL, np.int32) if labels is None else labels, seed)
    most = total - LEAST_TRAINED
    taken = _taken(drawn, wanted, most if number is not None else min(most, round(wanted * 1.5)))
    held_out = taken[drawn.group_of]
    if number is None and np.count_nonzero(held_out) < LEAST_HELD_OUT:
        return Places()
    return Places.where(held_out)


def suggest_for(examples: Iterable[Example], *, share: float | None = None, seed: int = SEED) -> Places:
    """As `suggest`, for examples of which nothing is known yet: those with the same prompt stay on one side."""
    prompts = [xxhash.xxh3_64_intdigest(prompt_of(one.data).encode("utf-8", "surrogatepass")) for one in examples]
    return suggest(np.array(prompts, dtype=np.uint64).view(np.int64), share=share, seed=seed)


def joined(*keys: Groups, pairs: Pairs | None = None) -> Groups:
    """Groups of examples that belong together by any of the keys (equal values), or as one of the `pairs`, or by a
    chain of such. All keys have a value for each example; each group is named by its first position.
    """
    total = len(keys[0])
    lefts: list[npt.NDArray[np.integer[Any]]] = [] if pairs is None else [pairs[0]]
    rights: list[npt.NDArray[np.integer[Any]]] = [] if pairs is None else [pairs[1]]
    for key in keys:
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        lefts.append(np.arange(total))
        rights.append(first[inverse])
    return _components(total, np.concatenate(lefts).astype(np.int64), np.concatenate(rights).astype(np.int64))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The groups in the order in which they are drawn: how many examples each has, the number of its label, and
    whether it must stay in training. `group_of` is the place in that order of each example's group.
    """

    group_of: Integers
    sizes: Integers
    labels: Integers
    stays: Mask


def _wanted(total: int, share: float | None, number: int | None) -> int:
    if number is not None:
        if number < 0:
            raise DataError(f"{number} examples cannot be held out.", "Choose 0 or more.")
        return max(0, min(number, total - LEAST_TRAINED))
    share = SHARE if share is None else share
    if not 0 <= share < 1:
        raise DataError(f"A share of {share:g} cannot be held out.", "Choose one from 0 up to less than 1.")
    if total < ENOUGH_TO_SPLIT or not share:
        return 0
    return min(max(LEAST_HELD_OUT, round(total * share)), total - LEAST_TRAINED)


def _drawn(groups: Groups, labels: Labels, seed: int) -> _Drawn:
    """The groups shuffled by the seed. A group is of the label of its first example; of each label the group that is
    drawn last stays in training.
    """
    _, first, inverse, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    # Numbered by where they first occur, so that the values of the groups do not matter.
    by_place = np.argsort(first)
    order = by_place[np.argsort(np.random.PCG64(seed).random_raw(len(first)), kind="stable")]
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    group_of = number[inverse]
    names, numbered = np.unique(labels, return_inverse=True)
    last = np.full(len(names), -1, dtype=np.int64)
    np.maximum.at(last, numbered, group_of)
    stays = np.zeros(len(order), dtype=np.bool_)
    stays[last[names != NO_LABEL]] = True
    return _Drawn(group_of, sizes[order], numbered[first[order]], stays)


def _taken(drawn: _Drawn, wanted: int, most: int) -> Mask:
    """Which groups are held out: of each label its share, then whatever still fits, then the one that misses least."""
    sizes, shares = drawn.sizes.tolist(), _shares(drawn, wanted)
    taken, held = np.zeros(len(sizes), dtype=np.bool_), 0
    free = np.flatnonzero(~drawn.stays)
    left = shares.tolist()
    for group, label in zip(free.tolist(), drawn.labels[free].tolist(), strict=True):
        if sizes[group] <= left[label]:
            left[label] -= sizes[group]
            held += sizes[group]
            taken[group] = True
            if held == wanted:
                return taken
    # The labels of which most is missing first; within a label in the order drawn.
    rest = free[~taken[free]]
    for group in rest[np.argsort(-np.array(left)[drawn.labels[rest]], kind="stable")].tolist():
        if sizes[group] <= wanted - held:
            held += sizes[group]
            taken[group] = True
    rest = free[~taken[free]]
    if held < wanted and len(rest):
        group = int(rest[np.argmin(drawn.sizes[rest])])
        nearer = sizes[group] < 2 * (wanted - held) or held < LEAST_HELD_OUT <= wanted
        taken[group] = nearer and held + sizes[group] <= most
    return taken


def _shares(drawn: _Drawn, wanted: int) -> Integers:
    """How many examples of each label to hold out: in proportion, and what is left over by the largest remainders.

    Equal remainders are settled by the order in which the labels are drawn.
    """
    counts = np.bincount(drawn.labels, weights=drawn.sizes)
    most = np.bincount(drawn.labels, weights=drawn.sizes * ~drawn.stays)
    exact = counts * wanted / counts.sum()
    shares = np.minimum(np.floor(exact), most)
    labels, first = np.unique(drawn.labels, return_index=True)
    drawn_at = np.zeros(len(counts), dtype=np.int64)
    drawn_at[labels] = first
    order = np.lexsort((drawn_at, np.round(shares - exact, 9)))
    more = order[(shares < most)[order]][: wanted - int(shares.sum())]
    shares[more] += 1
    return np.asarray(shares, dtype=np.int64)


def _components(total: int, left: Integers, right: Integers) -> Groups:
    """The smallest position that each one is connected to: roots are hung below smaller ones until nothing joins."""
    root = np.arange(total, dtype=np.int64)
    while True:
        tops = root[left], root[right]
        apart = tops[0] != tops[1]
        if not apart.any():
            return root
        left, right = left[apart], right[apart]
        low, high = np.minimum(tops[0], tops[1])[apart], np.maximum(tops[0], tops[1])[apart]
        np.minimum.at(root, high, low)
        while not np.array_equal(root, above := root[root]):
            root = above
