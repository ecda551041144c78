"""How much two examples have in common, exactly: the share of their numbers that both have (Jaccard similarity).

Many pairs at once. The numbers stand for three words each and have 52 bits here: that two different ones are taken for
the same happens once in ten billion pairs of examples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lib.dataset.near.words import Integers, Shingles

Likenesses = npt.NDArray[np.float32]

# What is compared at once is told apart by the twelve bits above the number.
BITS = np.uint64(52)
MOST = 1 << 12


def likenesses(shingles: Shingles, left: Integers, right: Integers) -> Likenesses:
    """The similarity of each pair, from 0 to 1; `left` and `right` are indexes of at most MOST examples, and at most
    MOST pairs.
    """
    sets, sizes = _sets(shingles)
    ends = np.cumsum(sizes)
    both = np.concatenate([_tagged(sets, ends - sizes, sizes, side) for side in (left, right)])
    both.sort()
    shared = np.bincount((both[1:][both[1:] == both[:-1]] >> BITS).astype(np.int64), minlength=len(left))
    every = sizes[left] + sizes[right] - shared
    return np.asarray(shared / np.maximum(every, 1), np.float32)


def _sets(shingles: Shingles) -> tuple[npt.NDArray[np.uint64], Integers]:
    """The numbers of each example without repeats, and how many it has."""
    owners = np.repeat(np.arange(len(shingles.counts), dtype=np.uint64), shingles.counts)
    held = owners << BITS | shingles.numbers >> (np.uint64(64) - BITS)
    # Sorted and thinned out by hand: np.unique takes four times as long.
    held.sort()
    held = held[np.concatenate([held[:1] == held[:1], held[1:] != held[:-1]])]
    sizes = np.bincount((held >> BITS).astype(np.int64), minlength=len(shingles.counts))
    return held & ((np.uint64(1) << BITS) - np.uint64(1)), sizes


def _tagged(sets: npt.NDArray[np.uint64], begun: Integers, sizes: Integers, side: Integers) -> npt.NDArray[np.uint64]:
    """The sets of one side of the pairs, one after the other, each number with its pair above it."""
    counts = sizes[side]
    pairs = np.repeat(np.arange(len(side)), counts)
    at = begun[side][pairs] + np.arange(len(pairs)) - (np.cumsum(counts) - counts)[pairs]
    return pairs.astype(np.uint64) << BITS | sets[at]
