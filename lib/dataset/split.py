"""Suggests which examples to hold out for validation: drawn by a seed, and equal prompts always on one side.

Knows no file and no workspace: a split is a set of positions.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from lib.dataset.example import Example
from lib.dataset.prompt import prompt_of

SHARE = 0.1
SEED = 7

# Below so many examples every one is needed for training; from there on at least ten are held out.
ENOUGH_TO_SPLIT = 20
LEAST_HELD_OUT = 10
LEAST_TRAINED = 10


def suggest(examples: Iterable[Example], share: float = SHARE, seed: int = SEED) -> frozenset[int]:
    """Positions to hold out: about `share` of all and at least 10, or none.

    None are held out of fewer than 20 examples, nor where nearly all examples ask the same. The same examples, share
    and seed always give the same positions. Examples with the same prompt stay together, so the number can miss the
    share by a group; at least 10 examples stay for training.
    """
    groups: dict[str, list[int]] = {}
    total = 0
    for position, example in enumerate(examples):
        groups.setdefault(prompt_of(example.data), []).append(position)
        total += 1
    wanted = 0 if total < ENOUGH_TO_SPLIT or share <= 0 else max(LEAST_HELD_OUT, round(total * share))
    most = min(total - LEAST_TRAINED, round(wanted * 1.5))
    drawn = list(groups.values())
    random.Random(seed).shuffle(drawn)
    held_out: list[int] = []
    for group in drawn:
        if len(held_out) < wanted and len(held_out) + len(group) <= most:
            held_out.extend(group)
    return frozenset(held_out) if len(held_out) >= LEAST_HELD_OUT else frozenset()
