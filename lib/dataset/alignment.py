"""Where two sequences differ: the stretches of each that the other does not have there.

Knows nothing of what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher

# (begin, end) in the first, (begin, end) in the second.
Stretch = tuple[int, int, int, int]


def common_ends(left: Sequence[Hashable], right: Sequence[Hashable]) -> tuple[int, int]:
    """How many elements are the same from the beginning on, and how many of the others up to the end."""
    most = min(len(left), len(right))
    start = 0
    while start < most and left[start] == right[start]:
        start += 1
    tail = 0
    while tail < most - start and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    return start, tail


def unequal(
    left: Sequence[Hashable], right: Sequence[Hashable], is_too_much: Callable[[int, int], bool]
) -> Iterator[Stretch]:
    """The stretches that differ, in their order.

    Aligning takes the product of the lengths that lie between the common ends: where that `is_too_much`, all that lies
    between them counts as one stretch.
    """
    start, tail = common_ends(left, right)
    ended, stops = len(left) - tail, len(right) - tail
    if is_too_much(ended - start, stops - start):
        yield start, ended, start, stops
        return
    matcher = SequenceMatcher(None, left[start:ended], right[start:stops], autojunk=False)
    for kind, *(first, last, begins, ends) in matcher.get_opcodes():
        if kind != "equal":
            yield start + first, start + last, start + begins, start + ends
