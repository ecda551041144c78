"""What differs between two sets of examples: which were added, which removed, and which changed into what.

Lines are compared by their bytes, as hashes, so that a million of them take 16 MB. A removed and an added line are one
that changed when they stand at the same place between lines that both sets have, or when they ask or answer the same.
Knows lines and positions; versions, tokens and money are for others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from lib.dataset.example import content_text, encode, raw_messages
from lib.dataset.jsonl import Lines
from lib.dataset.places import Places
from lib.dataset.prompt import prompt_of

Hashes = npt.NDArray[np.int64]
Integers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Told = Callable[[int, int], None]

BLOCK_LINES, BLOCK_BYTES = 4096, 8 << 20


@dataclass(frozen=True, slots=True)
class TokenChange:
    """How many more tokens there are because of the examples added, removed (0 or less) and changed."""

    added: int
    removed: int
    changed: int

    @property
    def total(self) -> int:
        """How many more there are in all."""
        return self.added + self.removed + self.changed


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What differs. `added` are positions in the new set, `removed` in the old; `changed` has a row for each changed
    example: its old and its new position, ascending by the new one; `kept` the same for those with equal lines.

    `to_validation` and `to_training` are the new positions of kept and changed examples that changed sides, empty when
    the splits were not given. `reordered`: examples that both have stand in another order.
    """

    added: Places
    removed: Places
    changed: Integers
    kept: Integers
    to_validation: Places
    to_training: Places
    reordered: bool

    @property
    def equal(self) -> bool:
        """Whether both have the same examples in the same order on the same sides."""
        moved = len(self.to_validation) + len(self.to_training)
        return not (len(self.added) or len(self.removed) or len(self.changed) or moved or self.reordered)

    def tokens(self, old: npt.NDArray[np.integer[Any]], new: npt.NDArray[np.integer[Any]]) -> TokenChange:
        """What the difference is in tokens, given those of each example of the old and of the new set."""
        before, after = old[self.changed[:, 0]], new[self.changed[:, 1]]
        return TokenChange(
            added=int(new[self.added.array].sum(dtype=np.int64)),
            removed=-int(old[self.removed.array].sum(dtype=np.int64)),
            changed=int(after.sum(dtype=np.int64) - before.sum(dtype=np.int64)),
        )


def line_hashes(lines: Lines, told: Told | None = None) -> Hashes:
    """A hash of each line's bytes. `told` hears after each block how many of how many are done; it may raise."""
    hashes = np.empty(len(lines), dtype=np.uint64)
    digest = xxhash.xxh3_64_intdigest
    for begun, ended in lines.blocks(BLOCK_LINES, BLOCK_BYTES):
        hashes[begun:ended] = [digest(raw) for raw in lines.block(begun, ended)]
        if told is not None:
            told(ended, len(lines))
    return hashes.view(np.int64)


def compare(
    old: Lines,
    new: Lines,
    *,
    validation: tuple[Places, Places] = (Places(), Places()),
    told: Told | None = None,
) -> Comparison:
    """Compare two sets of examples. `validation` are the positions that the old and the new one hold out.

    `told` hears how many of how many lines are hashed, of both together; it may raise to stop.
    """
    total = len(old) + len(new)
    before = line_hashes(old, told and (lambda done, _: told(done, total)))
    after = line_hashes(new, told and (lambda done, _: told(len(old) + done, total)))
    was, now = validation[0].mask(len(old)), validation[1].mask(len(new))
    kept = _kept(before, after, was, now)
    gone, come = _others(kept[:, 0], len(old)), _others(kept[:, 1], len(new))
    # Where a line stands: after how many lines of its set that the other has too.
    stands = _gaps(gone, kept[:, 0], len(old)), _gaps(come, kept[:, 1], len(new))
    pairs = _pairs(_Side(old, gone, stands[0]), _Side(new, come, stands[1]), len(kept))
    changed = np.stack([gone[pairs[:, 0]], come[pairs[:, 1]]], axis=1)
    changed = changed[np.argsort(changed[:, 1])]
    both = np.concatenate([kept, changed])
    was, now = was[both[:, 0]], now[both[:, 1]]
    return Comparison(
        added=Places(np.setdiff1d(come, changed[:, 1])),
        removed=Places(np.setdiff1d(gone, changed[:, 0])),
        changed=changed,
        kept=kept,
        to_validation=Places(both[:, 1][~was & now]),
        to_training=Places(both[:, 1][was & ~now]),
        reordered=_are_reordered(before, after, kept),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """The lines of one set alone: their positions, and after how many common lines each stands."""

    lines: Lines
    positions: Integers
    gaps: Integers


def _joined(left: Hashes, right: Hashes) -> Integers:
    """Rows (place in left, place in right) of equal values, the first with the first; ascending in right."""
    lefts, rights = np.argsort(left, kind="stable"), np.argsort(right, kind="stable")
    values, begins = np.unique(left[lefts], return_index=True)
    counts = np.diff(np.append(begins, len(left)))
    sought = right[rights]
    first = np.flatnonzero(np.append(True, sought[1:] != sought[:-1])[: len(sought)])
    rank = np.arange(len(sought)) - np.repeat(first, np.diff(np.append(first, len(sought))))
    at = np.minimum(np.searchsorted(values, sought), max(0, len(values) - 1))
    if not len(values):
        return np.empty((0, 2), dtype=np.int64)
    there = (values[at] == sought) & (rank < counts[at])
    rows = np.stack([lefts[begins[at[there]] + rank[there]], rights[there]], axis=1)
    return rows[np.argsort(rows[:, 1])]


def _kept(before: Hashes, after: Hashes, was: Bits, now: Bits) -> Integers:
    """Rows (place before, place after) of equal lines; ascending in the second.

    Of several equal ones those on the same side of the split belong together: else a copy that is taken out of training
    would make the one in validation look as if it had been moved there.
    """
    kept = _joined(_mixed(before, was), _mixed(after, now))
    left, right = _others(kept[:, 0], len(before)), _others(kept[:, 1], len(after))
    moved = _joined(before[left], after[right])
    every = np.concatenate([kept, np.stack([left[moved[:, 0]], right[moved[:, 1]]], axis=1)])
    return every[np.argsort(every[:, 1])]


def _are_reordered(before: Hashes, after: Hashes, kept: Integers) -> bool:
    """Whether the lines that both have stand in another order. Of several equal ones it cannot be told which are left,
    so lines of which some were added or taken out do not count.
    """
    values = before[kept[:, 0]]
    places = kept[_times(before, values) == _times(after, values), 0]
    return bool(np.any(np.diff(places) < 0))


def _times(held: Hashes, values: Hashes) -> Integers:
    """How often each of these values stands there."""
    every = np.sort(held)
    return np.searchsorted(every, values, side="right") - np.searchsorted(every, values, side="left")


def _others(taken: Integers, length: int) -> Integers:
    """The positions that are not among these."""
    free = np.ones(length, dtype=np.bool_)
    free[taken] = False
    return np.flatnonzero(free)


def _gaps(positions: Integers, common: Integers, length: int) -> Integers:
    """How many of the common positions stand before each of these."""
    mask = np.zeros(length + 1, dtype=np.int64)
    mask[common + 1] = 1
    return np.cumsum(mask)[positions]


def _pairs(old: _Side, new: _Side, common: int) -> Integers:
    """Rows (index in old, index in new) of lines that are one example before and after."""
    pairs = np.empty((0, 2), dtype=np.int64)
    if not len(old.positions) or not len(new.positions):
        return pairs
    keys_old, keys_new = _keys(old), _keys(new)
    # What asks the same first, then what shares question and answer, a question, an answer, and stands at one place;
    # then what asks the same wherever it stands. An answer alone means little elsewhere: labels come again and again.
    for key, here in ((0, True), (1, True), (2, True), (3, True), (0, False), (1, False), (2, False)):
        left, right = _others(pairs[:, 0], len(old.positions)), _others(pairs[:, 1], len(new.positions))
        values = keys_old[key][left], keys_new[key][right]
        if here:
            values = _mixed(values[0], old.gaps[left]), _mixed(values[1], new.gaps[right])
        found = _joined(*values)
        pairs = np.concatenate([pairs, np.stack([left[found[:, 0]], right[found[:, 1]]], axis=1)])
    return np.concatenate([pairs, _by_place(old, new, pairs, common)])


def _by_place(old: _Side, new: _Side, pairs: Integers, common: int) -> Integers:
    """Pairs of what stands at the same place, as many before as after, though nothing in it is the same.

    Not at the end, where examples are added and removed, unless everything is new.
    """
    left, right = _others(pairs[:, 0], len(old.positions)), _others(pairs[:, 1], len(new.positions))
    places = common + 1
    before, after = np.bincount(old.gaps[left], minlength=places), np.bincount(new.gaps[right], minlength=places)
    same = before == after
    same[-1] &= common == 0
    return np.stack([left[same[old.gaps[left]]], right[same[new.gaps[right]]]], axis=1)


def _keys(side: _Side) -> tuple[Hashes, Hashes, Hashes, Hashes]:
    """Four hashes of each line: what it asks, its last question and answer, its last question, its answer."""
    made = np.empty((4, len(side.positions)), dtype=np.uint64)
    for index, position in enumerate(side.positions.tolist()):
        data = side.lines.example(position).data
        question, answer = _asked_and_answered(data)
        for row, text in enumerate((prompt_of(data), f"{question}\0{answer}", question, answer)):
            made[row, index] = _hash(text)
    held = made.view(np.int64)
    return held[0], held[1], held[2], held[3]


def _asked_and_answered(data: dict[str, Any]) -> tuple[str, str]:
    """The last question and the last answer, as text; of an example without such, all of it."""
    entries = [entry for entry in raw_messages(data) if isinstance(entry, dict)]
    asked = next((content_text(one.get("content")) for one in reversed(entries) if one.get("role") == "user"), None)
    answers = [one for one in entries if one.get("role") == "assistant"] if "messages" in data else []
    rest = {key: value for key, value in data.items() if key not in ("messages", "input")}
    answered = encode(answers[-1] if answers else rest).decode()
    return encode(data).decode() if asked is None else asked, answered


def _hash(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def _mixed(values: Hashes, places: Integers | Bits) -> Hashes:
    """A hash of both: equal values at one place. The multiplier is that of splitmix64."""
    return (values.view(np.uint64) ^ (places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))).view(np.int64)
