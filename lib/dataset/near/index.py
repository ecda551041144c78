"""Which examples share a key with a given one: looked up in a few microseconds among a million, also after edits.

For each kind of key the positions stand in the order of their keys. What changes afterwards is kept beside it, until
there is so much of it that everything is put in order again. An index never changes; `moved` makes another one. Knows
keys and positions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.dataset.near.signatures import KEYS, Keys
from lib.dataset.near.words import Integers

Order = npt.NDArray[np.int32]
Bits = npt.NDArray[np.bool_]

# Of examples that share a key, only the first so many are found by the later ones: this is what keeps a thousand
# examples of one template from being compared each with each.
FEW = 8
# So many changes are kept beside the index before it is made anew.
MOST_BESIDE = 4096
LOW = np.uint64(0xFFFFFFFF)
ROWS = np.arange(KEYS)[:, None]


@dataclass(frozen=True, slots=True)
class Index:
    """`keys` has a column for each position, `order` for each kind of key the positions that take part, by key and then
    by position. For the positions `beside`, `keys_beside` counts instead, where they take part (`takes_beside`).
    """

    keys: Keys
    order: Order
    beside: Integers
    keys_beside: Keys
    takes_beside: Bits

    @classmethod
    def of(cls, keys: Keys, takes: Bits) -> Index:
        """The index of the examples that take part, which is at least the length of `takes`."""
        positions = np.flatnonzero(takes)
        order = np.empty((KEYS, len(positions)), np.int32)
        for row in range(KEYS):
            packed = keys[row, positions].astype(np.uint64) << np.uint64(32) | positions.astype(np.uint64)
            packed.sort()
            order[row] = packed & LOW
        return cls(keys, order, np.empty(0, np.int64), np.empty((KEYS, 0), np.uint32), np.empty(0, np.bool_))

    def in_company(self) -> Integers:
        """The positions, ascending, that share a key with an earlier one (nothing being kept beside)."""
        found = np.zeros(self.keys.shape[1], np.bool_)
        for keys, order in zip(self.keys, self.order, strict=True):
            ordered = keys[order]
            found[order[1:][ordered[1:] == ordered[:-1]]] = True
        return np.flatnonzero(found)

    def moved(self, positions: Integers, keys: Keys, takes: Bits) -> Index:
        """The index after the examples at these positions got other keys, or take part no more or only now."""
        stays = ~np.isin(self.beside, positions)
        beside = np.concatenate([self.beside[stays], positions])
        keys_beside = np.concatenate([self.keys_beside[:, stays], keys], axis=1)
        made = Index(self.keys, self.order, beside, keys_beside, np.concatenate([self.takes_beside[stays], takes]))
        return made if len(beside) <= MOST_BESIDE else made.in_order()

    def in_order(self) -> Index:
        """The same with nothing kept beside."""
        if not len(self.beside):
            return self
        length = max(self.keys.shape[1], int(self.beside.max()) + 1)
        keys, takes = np.zeros((KEYS, length), np.uint32), np.zeros(length, np.bool_)
        keys[:, : self.keys.shape[1]] = self.keys
        takes[self.order[0]] = True
        keys[:, self.beside], takes[self.beside] = self.keys_beside, self.takes_beside
        return Index.of(keys, takes)

    def keys_at(self, positions: Integers) -> Keys:
        """The keys of the examples at these positions."""
        if not len(self.beside):
            return self.keys[:, positions]
        found = np.zeros((KEYS, len(positions)), np.uint32)
        inside = positions < self.keys.shape[1]
        found[:, inside] = self.keys[:, positions[inside]]
        sorter = np.argsort(self.beside)
        at = np.minimum(np.searchsorted(self.beside, positions, sorter=sorter), len(sorter) - 1)
        hit = self.beside[sorter[at]] == positions
        found[:, hit] = self.keys_beside[:, sorter[at[hit]]]
        return found

    def earlier(self, positions: Integers) -> tuple[Integers, Integers, Integers]:
        """Pairs of positions (early, late) that share a key, and how many they share: for each of `positions` the
        first FEW of each key. Sorted by late and early.
        """
        wanted = self.keys_at(positions)
        lates, earlies = [], []
        lowest = self._lowest(wanted)
        for step in range(FEW if self.order.shape[1] else 0):
            at = np.minimum(lowest + step, self.order.shape[1] - 1)
            found = self.order[ROWS, at]
            hit = (self.keys[ROWS, found] == wanted) & (found < positions) & (lowest + step == at)
            earlies.append(found[hit].astype(np.int64))
            lates.append(np.broadcast_to(positions, hit.shape)[hit])
        early, late = np.concatenate([*earlies, positions[:0]]), np.concatenate([*lates, positions[:0]])
        stays = ~np.isin(early, self.beside)
        beside = self.beside[self.takes_beside]
        for row, keys in zip(wanted, self.keys_beside[:, self.takes_beside], strict=True):
            if not len(beside):
                break
            which, whose = np.nonzero((keys == row[:, None]) & (beside < positions[:, None]))
            early, late = np.concatenate([early, beside[whose]]), np.concatenate([late, positions[which]])
            stays = np.concatenate([stays, np.ones(len(which), np.bool_)])
        pairs, shared = np.unique(late[stays] << 32 | early[stays], return_counts=True)
        return pairs & 0xFFFFFFFF, pairs >> 32, shared

    def later(self, positions: Integers) -> Iterator[tuple[int, Integers]]:
        """For these positions, one by one and some several times, those behind it that could find it: they share a key
        of which it is among the first FEW.
        """
        wanted = self.keys_at(positions)
        lows, highs = self._lowest(wanted), self._lowest(wanted, past=True)
        last = self.order[ROWS, np.maximum(highs, 1) - 1] if self.order.shape[1] else lows - 1
        for row, place in np.argwhere((highs > lows) & (last > positions)).tolist():
            members = self.order[row, lows[row, place] : highs[row, place]]
            rank = int(np.searchsorted(members, positions[place]))
            if rank < min(FEW, len(members)):
                behind = members[rank:].astype(np.int64)
                yield int(positions[place]), behind[(behind > positions[place]) & ~np.isin(behind, self.beside)]
        beside = self.beside[self.takes_beside]
        for keys, row_wanted in zip(self.keys_beside[:, self.takes_beside], wanted, strict=True):
            which, whose = np.nonzero((keys == row_wanted[:, None]) & (beside > positions[:, None]))
            for place in np.unique(which).tolist():
                yield int(positions[place]), beside[whose[which == place]]

    def _lowest(self, wanted: Keys, past: bool = False) -> Integers:
        """For each key wanted the place in its row of `order` where its examples begin, or (past) end."""
        length = self.order.shape[1]
        low, high = np.zeros(wanted.shape, np.int64), np.full(wanted.shape, length)
        for _ in range(length.bit_length()):
            middle = (low + high) >> 1
            keys = self.keys[ROWS, self.order[ROWS, np.minimum(middle, length - 1)]]
            further = (low < high) & ((keys <= wanted) if past else (keys < wanted))
            low, high = np.where(further, middle + 1, low), np.where(further, high, middle)
        return low
