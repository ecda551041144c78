"""What stands in a data set more than once: equal examples, equal prompts, prompts on both sides of the split.

Works on the hashes that a survey keeps, so that a million examples are compared in a moment and, after an edit, only
those that are alike. Examples that are nearly the same are for near.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case

Positions = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.int64]

DUPLICATE, LEAK, SAME_PROMPT = "duplicate", "leak", "same_prompt"
CODES = (DUPLICATE, LEAK, SAME_PROMPT)


@dataclass(frozen=True, slots=True)
class Alike:
    """For each code the positions of later examples, ascending, and for each of them the first one it is like."""

    found: dict[str, tuple[Positions, Positions]]

    def first(self, code: str, position: int) -> int | None:
        """The first example that the one at this position is like, in the sense of this code; None when it is not."""
        positions, firsts = self.found[code]
        at = int(positions.searchsorted(positions.dtype.type(position)))
        return int(firsts[at]) if at < len(positions) and positions[at] == position else None


def compare(same: Hashes, prompt: Hashes, held_out: Bits, among: Positions) -> Alike:
    """Compare the examples at the positions `among` (ascending) with each other.

    An example leaks when the first one with its prompt is on the other side of the split, and else is a duplicate of
    the first equal one; of the others with an earlier prompt but another answer, one for each prompt is told.
    """
    first_same = _firsts(same, among)
    asked = among[prompt[among] != 0]
    first_asked = _firsts(prompt, asked)
    repeats = asked != first_asked
    leaks = repeats & (held_out[asked] != held_out[first_asked])
    equal = among != first_same
    duplicate = equal & ~np.isin(among, asked[leaks], assume_unique=True)
    again = np.isin(asked, among[equal], assume_unique=True)
    others = np.flatnonzero(repeats & ~leaks & ~again)
    _, once = np.unique(first_asked[others], return_index=True)
    told = others[np.sort(once)]
    return Alike(
        {
            DUPLICATE: (among[duplicate], first_same[duplicate]),
            LEAK: (asked[leaks], first_asked[leaks]),
            SAME_PROMPT: (asked[told], first_asked[told]),
        }
    )


def compared_anew(before: Alike, same: Hashes, prompt: Hashes, held_out: Bits, present: Bits, touched: Hashes) -> Alike:
    """What `compare` would find after some examples changed; `touched` are their hashes before and after."""
    again = np.isin(same, touched) | np.isin(prompt, touched[touched != 0])
    fresh = compare(same, prompt, held_out, np.flatnonzero(again & present))
    found = {}
    for code in CODES:
        positions, firsts = before.found[code]
        stays = ~again[positions] & present[positions]
        every = np.concatenate([positions[stays], fresh.found[code][0]])
        order = np.argsort(every, kind="stable")
        found[code] = every[order], np.concatenate([firsts[stays], fresh.found[code][1]])[order]
    return Alike(found)


def finding(case: Case, code: str, first: int, first_number: int) -> Finding:
    """What is said about an example that is like the one at position `first`, on line `first_number`."""
    told = f"the one on line {first_number}" if first_number != case.number else f"example {first + 1} on the same line"
    if code == DUPLICATE:
        why = "It is paid for twice, and the model learns it twice as hard."
        return case.finding("warning", code, f"is the same as {told}.", why, fix="remove_example")
    if code == LEAK:
        text = f"asks the same as {told}, which is on the other side of the split."
        why = "The model is tested on what it was trained on, so validation looks better than it is."
        return case.finding("warning", code, text, why, fix="remove_example")
    text = f"asks the same as {told} and answers differently."
    why = "Good where several answers are right; confusing where one of them is wrong."
    return case.finding("info", code, text, why)


def _firsts(keys: Hashes, among: Positions) -> Positions:
    """For each of these positions the first of them with the same key."""
    _, first, inverse = np.unique(keys[among], return_index=True, return_inverse=True)
    return among[first[inverse]]
