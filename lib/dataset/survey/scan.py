"""Which texts of a block a text rule could find something in: all words and shapes looked for in all texts at once.

A rule promises to find nothing where none of its words and shapes is (rules/case.py). Here is kept which rule looks for
what; what a rule does is its own matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import ahocorasick_rs as aho
import numpy as np
import numpy.typing as npt

from lib.dataset.rules.case import SHAPES, Shape, TextRule

Bytes = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.bool_]
Starts = npt.NDArray[np.int64]
# Which word was found, where it begins and where it ends.
Hits = list[tuple[int, int, int]]

ZERO, NINE, A, Z, SPACE, DASH, DOT, PLUS, OPEN = (ord(sign) for sign in "09AZ -.+(")


class Scanner:
    """Looks for what any of these rules could find."""

    def __init__(self, rules: Sequence[TextRule]) -> None:
        words: defaultdict[bytes, list[int]] = defaultdict(list)
        self._shapes: defaultdict[Shape, list[int]] = defaultdict(list)
        for index, rule in enumerate(rules):
            for word in rule.words:
                words[word.encode()].append(index)
            for shape in rule.shapes:
                self._shapes[shape].append(index)
        self._rules_of_word = list(words.values())
        self._words = aho.BytesAhoCorasick(list(words), implementation=aho.Implementation.DFA)

    def suspects(self, encoded: Sequence[bytes]) -> dict[int, set[int]]:
        """For every text (UTF-8, by its index) in which rules could find something, the indexes of these rules."""
        block = joined(encoded)
        return self.settle(encoded, block, self.hits(block))

    def hits(self, block: bytes) -> Hits:
        """The first half of `suspects`, which another thread can do without Python's lock: words in joined texts."""
        return self._words.find_matches_as_indexes(block)

    def settle(self, encoded: Sequence[bytes], block: bytes, hits: Hits) -> dict[int, set[int]]:
        """The second half: which texts the words stand in, which rules look for them, and the shapes."""
        if not block:
            return {}
        ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1) - 1
        found: defaultdict[int, set[int]] = defaultdict(set)
        # One look finds at least one word of each text that has any; which others it has is asked of that text alone.
        for text in np.unique(np.searchsorted(ends, [start for _, start, _ in hits], side="left")).tolist():
            for word, _, _ in self._words.find_matches_as_indexes(encoded[text], overlapping=True):
                found[text].update(self._rules_of_word[word])
        for shape, places in _shapes(np.frombuffer(block, np.uint8)).items():
            for text in np.unique(np.searchsorted(ends, places, side="left")).tolist():
                found[text].update(self._shapes[shape])
        return found


def joined(encoded: Sequence[bytes]) -> bytes:
    """Texts one after the other. No UTF-8 text holds the byte between them, so nothing is found across two texts."""
    return b"\xff".join(encoded)


def _shapes(block: Bytes) -> dict[Shape, Starts]:
    """Where each shape of rules/case.py begins."""
    digit = _between(block, ZERO, NINE)
    two = digit[:-1] & digit[1:]
    plus = np.flatnonzero(block == PLUS)
    found: dict[Shape, Starts] = {shape: np.empty(0, np.int64) for shape in SHAPES}
    found["plus_digit"] = plus[_digit_after(block, digit, plus)]
    threes = np.flatnonzero(two[:-1] & digit[2:])
    if len(threes):
        at = _padded(block, 12)
        is_digit = _between(at, ZERO, NINE)
        parted = (at[threes + 3] == DASH) | (at[threes + 3] == DOT) | (at[threes + 3] == SPACE)
        dashed = threes[(at[threes + 3] == DASH) & is_digit[threes + 4] & is_digit[threes + 5]]
        found["social_security"] = dashed[(at[dashed + 6] == DASH) & _four(is_digit, dashed + 7)]
        found["local_phone"] = threes[parted & _four(is_digit, threes + 4)]
        fours = threes[is_digit[threes + 3]]
        apart = ((at[fours + 4] == SPACE) | (at[fours + 4] == DASH)) & _four(is_digit, fours + 5)
        found["eight_digits"] = fours[_four(is_digit, fours + 4) | apart]
    found["iban"] = _iban(block, two)
    return found


def _iban(block: Bytes, two: Bits) -> Starts:
    capital = _between(block, A, Z)
    begun = np.flatnonzero(capital[:-3] & capital[1:-2] & two[2:])
    if not len(begun):
        return begun
    at = _padded(block, 12)
    plain = _between(at, ZERO, NINE) | _between(at, A, Z)
    held: Bits = _four(plain, begun + 4) | ((at[begun + 4] == SPACE) & _four(plain, begun + 5))
    return begun[held]


def _digit_after(block: Bytes, digit: Bits, plus: Starts) -> Bits:
    after = np.minimum(plus + 1, len(block) - 1)
    further = np.minimum(plus + 2, len(block) - 1)
    held: Bits = (digit[after] & (after > plus)) | ((block[after] == OPEN) & digit[further] & (further > after))
    return held


def _four(held: Bits, at: Starts) -> Bits:
    """Whether four in a row hold from each place on."""
    return held[at] & held[at + 1] & held[at + 2] & held[at + 3]


def _between(block: Bytes, low: int, high: int) -> Bits:
    return (block - np.uint8(low)) <= np.uint8(high - low)


def _padded(block: Bytes, more: int) -> Bytes:
    return np.concatenate([block, np.zeros(more, np.uint8)])
