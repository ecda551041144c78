"""Near duplicates: for each example the earliest other one that says nearly the same, if there is any.

Two examples are nearly the same when at least three quarters of all their groups of three words in a row are in both:
THRESHOLD, measured on examples of which one word was changed and on templates that differ by an order number. Found are
examples with other capitals, blanks, punctuation, signs or emoji; with one word changed, added or missing from about 25
words on, two from about 45; and what grew out of one template with little beside it. Not found: the same said in other
words or in another order of sentences, one word changed in a very short example, and now and then (one in fifty) a
pair just above the threshold. Equal examples count as one, and only the first of them takes part.

Every pair that is told was compared exactly: none is below the threshold. Of a crowd of examples that are alike, each
is compared with few others, so that time grows with the number of examples and no faster; a pair may be missed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.jsonl import Lines
from lib.dataset.near.comparing import MOST, Likenesses, likenesses
from lib.dataset.near.index import Bits, Index
from lib.dataset.near.signatures import KEYS, keys_of
from lib.dataset.near.words import Integers, said, shingles
from lib.dataset.parse import Unparsable, parse
from lib.dataset.survey.facts import same_of
from lib.dataset.survey.plain import NOT_PLAIN, decode

Partners = npt.NDArray[np.int32]
Progress = Callable[[int], None]
Read = Callable[[int], Mapping[str, Any] | None]
Texts = Callable[[int], list[str]]

THRESHOLD = 0.75
NOBODY = -1

# Lines read together, and their bytes.
BLOCK, BLOCK_BYTES = 1_000, 1 << 20
# Each example is compared with at most so many others: the two first ones that share a key with it, and those that
# share the most.
MOST_TRIED = 8
# Characters of the examples that are compared together.
MOST_CHARACTERS = 8 << 20
# Examples for which a partner is looked for at once: after an edit, and in a file.
AT_ONCE = 100
IN_A_FILE = 2_000
FEW_VALUES = 16


@dataclass(frozen=True, slots=True)
class Near:
    """Who is nearly the same as whom, by position. `partner` is the earliest one found that an example is nearly the
    same as, or -1, and `likeness` how much they have in common (0 to 1). `waiting` are the positions whose partner is
    still to be looked for after an edit: until then it may be missing, or not be the earliest. Never wrong is a partner
    that is there.
    """

    partner: Partners
    likeness: Likenesses
    waiting: Integers
    same: Integers
    index: Index

    def pairs(self) -> tuple[Partners, Partners]:
        """The positions (earlier, later) of all pairs, by the later one."""
        later = np.flatnonzero(self.partner != NOBODY).astype(np.int32)
        return self.partner[later], later

    def replace(self, positions: Iterable[int], read: Read) -> Near:
        """What is known after the examples at these positions were edited, added (behind the last one, too) or removed.

        `read` gives every example as it is now, and None where there is none. At most AT_ONCE examples are looked at
        again, which takes milliseconds; others that the edit concerns are `waiting` for `settle`.
        """
        changed = np.unique(np.fromiter(positions, np.int64))
        if not len(changed):
            return self
        length = max(len(self.same), int(changed[-1]) + 1)
        same, partner = _longer(self.same, length, 0), _longer(self.partner, length, NOBODY)
        likeness = _longer(self.likeness, length, 0)
        before = same[changed]
        same[changed] = [0 if (data := read(position)) is None else same_of(data) for position in changed.tolist()]
        touched = np.unique(np.concatenate([before, same[changed]]))
        equal: Integers = _places(self.same, touched[touched != 0])
        took, takes = _firsts(self.same, equal), _firsts(same, np.union1d(equal, changed))
        gone = np.union1d(np.setdiff1d(took, takes), changed)
        come = np.union1d(np.setdiff1d(takes, took), np.intersect1d(takes, changed))
        made = shingles(_said(read, position) for position in come.tolist())
        come, keys = come[made.counts > 0], keys_of(made)[:, made.counts > 0]
        absent = np.setdiff1d(gone, come)
        index = self.index.moved(absent, np.zeros((KEYS, len(absent)), np.uint32), np.zeros(len(absent), np.bool_))
        index = index.moved(come, keys, np.ones(len(come), np.bool_))
        left = _places(partner, gone)
        partner[left] = partner[gone] = NOBODY
        likeness[left] = likeness[gone] = 0
        later = [_unsure(partner, behind, one) for one, behind in index.later(come)]
        unsure = _once([come, left, *later, self.waiting])
        unsure = unsure[~np.isin(unsure, absent)]
        some = np.sort(unsure[:AT_ONCE])
        partner[some], likeness[some] = _partners(index, some, lambda position: _said(read, position))
        return Near(partner, likeness, unsure[AT_ONCE:], same, index)

    def settle(self, read: Read, most: int = AT_ONCE) -> Near:
        """Look for the partners of at most so many of the examples that are waiting."""
        if not len(self.waiting):
            return self
        partner, likeness = self.partner.copy(), self.likeness.copy()
        some = np.sort(self.waiting[:most])
        partner[some], likeness[some] = _partners(self.index, some, lambda position: _said(read, position))
        return Near(partner, likeness, self.waiting[most:], self.same, self.index)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that is known, to be stored; see `of`."""
        index = self.index.in_order()
        return {
            "partner": self.partner,
            "likeness": self.likeness,
            "waiting": self.waiting,
            "same": self.same,
            "keys": index.keys,
            "order": index.order,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Near:
        """What `arrays` has given."""
        none = np.zeros(0, np.int64), np.zeros((KEYS, 0), np.uint32), np.zeros(0, np.bool_)
        index = Index(arrays["keys"], arrays["order"], *none)
        return cls(arrays["partner"], arrays["likeness"], arrays["waiting"], arrays["same"], index)


def compare(lines: Lines, same: Integers, present: Bits, progress: Progress | None = None) -> Near:
    """Compare the examples of a file with each other, those that are `present`. `same` is equal for equal examples.

    `progress` is called with the number of lines read; in the second half, when those that seem alike are read again,
    always with all of them. What it raises ends the comparison.
    """
    same = np.where(present, same, 0)
    keys, takes = np.zeros((KEYS, len(lines)), np.uint32), np.zeros(len(lines), np.bool_)
    takes[_firsts(same, np.arange(len(same)))] = True
    for begun, ended in lines.blocks(BLOCK, BLOCK_BYTES):
        raws = lines.block(begun, ended)
        made = shingles(_said_in(raw) if wanted else () for raw, wanted in zip(raws, takes[begun:ended], strict=True))
        keys[:, begun:ended] = keys_of(made)
        takes[begun:ended] &= made.counts > 0
        if progress:
            progress(ended)
    index = Index.of(keys, takes)
    partner, likeness = np.full(len(lines), NOBODY, np.int32), np.zeros(len(lines), np.float32)
    todo = index.in_company()
    for start in range(0, len(todo), IN_A_FILE):
        some = todo[start : start + IN_A_FILE]
        partner[some], likeness[some] = _partners(index, some, lambda position: _said_in(lines.raw(position)))
        if progress:
            progress(len(lines))
    return Near(partner, likeness, np.empty(0, np.int64), same, index)


def _partners(index: Index, positions: Integers, texts: Texts) -> tuple[Partners, Likenesses]:
    """The partners of the examples at these positions (ascending), and their likenesses."""
    early, late, shared = index.earlier(positions)
    # The very first ones are always tried, so that a crowd has one partner and not many.
    first = _ranks(late, np.arange(len(late))) < MOST_TRIED // 4
    few = _ranks(late, np.lexsort((early, -shared, ~first, late))) < MOST_TRIED
    early, late = early[few], late[few]
    partner, likeness = np.full(len(positions), NOBODY, np.int32), np.zeros(len(positions), np.float32)
    rank = _ranks(late, np.arange(len(late)))
    # Most find their partner at once; only the others are compared with all that they could be like.
    for tried in (rank == 0, rank > 0):
        tried &= partner[np.searchsorted(positions, late)] == NOBODY
        found = _compared(early[tried], late[tried], texts)
        like = np.flatnonzero(found >= THRESHOLD)
        at, where = np.unique(np.searchsorted(positions, late[tried][like]), return_index=True)
        partner[at], likeness[at] = early[tried][like[where]], found[like[where]]
    return partner, likeness


def _compared(early: Integers, late: Integers, texts: Texts) -> Likenesses:
    """The likeness of each of these pairs, of which so many are read together as memory should hold."""
    found = np.zeros(len(early), np.float32)
    held: dict[int, list[str]] = {}
    characters = begun = 0
    for at, pair in enumerate(zip(early.tolist(), late.tolist(), strict=True)):
        if len(held) > MOST - 2 or at - begun == MOST or characters > MOST_CHARACTERS:
            found[begun:at] = _likenesses(held, early[begun:at], late[begun:at])
            held, characters, begun = {}, 0, at
        for position in pair:
            if position not in held:
                held[position] = texts(position)
                characters += sum(map(len, held[position]))
    found[begun:] = _likenesses(held, early[begun:], late[begun:])
    return found


def _likenesses(held: Mapping[int, list[str]], early: Integers, late: Integers) -> Likenesses:
    positions = np.sort(np.fromiter(held, np.int64, len(held)))
    made = shingles(held[position] for position in positions.tolist())
    return likenesses(made, np.searchsorted(positions, early), np.searchsorted(positions, late))


def _ranks(late: Integers, order: Integers) -> Integers:
    """For each pair its rank among those with the same `late` (ascending), when they are put in this order."""
    ranks: Integers = np.empty_like(late)
    ranks[order] = np.arange(len(late)) - np.searchsorted(late, late)
    return ranks


def _firsts(same: Integers, among: Integers) -> Integers:
    """Of these positions (ascending) the first of each value but 0, ascending."""
    held = among[same[among] != 0]
    return np.sort(held[np.unique(same[held], return_index=True)[1]])


def _places(held: npt.NDArray[Any], values: Integers) -> Integers:
    """Where one of these values stands, ascending."""
    if len(values) > FEW_VALUES:
        return np.flatnonzero(np.isin(held, values))
    # Looking for a few one by one takes a third of the time.
    return np.unique(np.concatenate([values[:0], *(np.flatnonzero(held == value) for value in values)]))


def _unsure(partner: Partners, later: Integers, position: int) -> Integers:
    """Those of the later examples for which the one at this position would be an earlier partner than they have."""
    held = partner[later]
    return np.compress((held == NOBODY) | (held > position), later)


def _once(parts: list[Integers]) -> Integers:
    """All positions in their order, each where it first stands."""
    every = np.concatenate(parts)
    return every[np.sort(np.unique(every, return_index=True)[1])]


def _longer(held: npt.NDArray[Any], length: int, value: int) -> npt.NDArray[Any]:
    """A copy, filled up with the value."""
    return np.concatenate([held, np.full(length - len(held), value, held.dtype)])


def _said(read: Read, position: int) -> list[str]:
    data = read(position)
    return [] if data is None else said(data)


def _said_in(raw: bytes) -> list[str]:
    try:
        return [message.content for message in decode(raw).messages if message.role != "system"]
    except NOT_PLAIN:
        pass
    try:
        data = parse(raw)
    except Unparsable:
        return []
    return said(data) if isinstance(data, dict) else []
