"""System messages that differ by a little: meant to be the same, and each a prompt of its own to the model.

Works on the hashes that a survey keeps and on the few texts behind them. Where nearly every example has a system
message of its own, that is the plan of the data and nothing is said.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case

CODE = "system_prompt_varies"

# More different ones than this, and they are no slips.
MOST_DIFFERENT = 40
# A slip is used at most by so large a share of the examples that use what it resembles.
SLIP_SHARE = 0.25
ALIKE = 0.9
LONGEST_COMPARED = 4_000


@dataclass(frozen=True, slots=True)
class Variant:
    """What a system message that looks like a slip was probably meant to be: `text`, which `used` examples have."""

    text: str
    used: int


def variants(used: Mapping[int, int], texts: Mapping[int, str]) -> dict[int, Variant]:
    """For each hash of a system message that resembles a more frequent one: which one. `used` counts by hash."""
    often = sorted((number, -hashed) for hashed, number in used.items() if number > 0 and hashed and hashed in texts)
    if not 1 < len(often) <= MOST_DIFFERENT:
        return {}
    found: dict[int, Variant] = {}
    for number, negated in often:
        for more, other in reversed(often):
            if number > SLIP_SHARE * more:
                break
            if _alike(texts[-negated], texts[-other]):
                found[-negated] = Variant(texts[-other], more)
                break
    return found


def finding(case: Case, variant: Variant) -> Finding:
    """What is said about an example with such a system message."""
    return case.finding(
        "warning",
        CODE,
        f"has a system message that differs a little from the one of {variant.used:,} other examples.",
        "To the model it is another prompt. What is learned under one of them is weaker under the other.",
        message=0,
        fix="use_system_prompt",
        detail=(variant.text,),
    )


def _alike(one: str, other: str) -> bool:
    one, other = one[:LONGEST_COMPARED], other[:LONGEST_COMPARED]
    if " ".join(one.split()).casefold() == " ".join(other.split()).casefold():
        return True
    compared = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return compared.real_quick_ratio() >= ALIKE and compared.quick_ratio() >= ALIKE and compared.ratio() >= ALIKE
