"""A few numbers for each example, of which examples that say nearly the same have some in common.

MinHash: of all numbers of an example the smallest under many different orders; two examples have the same smallest one
as often as their sets overlap (Jaccard similarity). Several of these together make a key, so that unlike examples
hardly ever share one. Knows neither words nor files.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lib.dataset.near.words import Shingles, mixed

Keys = npt.NDArray[np.uint32]

# Ten keys of four smallest numbers each: one in fifty pairs with a similarity of 0.75 shares none, of those with 0.85
# one in a thousand; but of those with 0.2 only one in sixty shares any. Five more of eight numbers each: in a crowd of
# examples that are half alike, these still tell the nearly equal ones from the others.
ROWS, SINGLE, DOUBLE = 4, 10, 5
KEYS = SINGLE + DOUBLE
SEED = 20_260

_drawn = np.random.PCG64(SEED).random_raw(ROWS * SINGLE + ROWS) | np.uint64(1)
FACTORS = (_drawn[: ROWS * SINGLE] >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
JOINING = _drawn[ROWS * SINGLE :]


def keys_of(shingles: Shingles) -> Keys:
    """The keys of each example, one row for each of the KEYS kinds and one column for each example. Those of an example
    without words mean nothing.
    """
    counts = shingles.counts
    smallest = np.zeros((ROWS * SINGLE, len(counts)), np.uint32)
    filled = np.flatnonzero(counts)
    if len(filled):
        starts = (np.cumsum(counts) - counts)[filled]
        numbers = (shingles.numbers >> np.uint64(32)).astype(np.uint32)
        ordered = np.empty_like(numbers)
        for row, factor in zip(smallest, FACTORS, strict=True):
            np.multiply(numbers, factor, out=ordered)
            row[filled] = np.minimum.reduceat(ordered, starts)
    single = _joined(smallest.reshape(SINGLE, ROWS, -1))
    return np.concatenate([single, _joined(single.reshape(DOUBLE, SINGLE // DOUBLE, -1))])


def _joined(parts: Keys) -> Keys:
    """One key of all numbers along the second axis."""
    keys = np.zeros((parts.shape[0], parts.shape[2]), np.uint64)
    for index in range(parts.shape[1]):
        keys = keys * JOINING[index] + parts[:, index]
    return (mixed(keys * JOINING[0]) >> np.uint64(32)).astype(np.uint32)
