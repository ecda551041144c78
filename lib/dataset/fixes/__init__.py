"""Repairs: for a finding with an obvious repair, the example as it would be afterwards. Nothing is changed in place.

A repair repairs everything of its kind in the example and touches nothing else. Knows the fixes that findings name, and
no file: keeping a repaired example is for drafts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from lib.dataset.example import Example, encode
from lib.dataset.finding import Finding
from lib.dataset.fixes import answers, calls, keys, messages, texts
from lib.dataset.fixes.places import Data

__all__ = ["FIXES", "WITH_DETAIL", "Unrepairable", "repair"]


@dataclass(frozen=True, slots=True)
class Unrepairable:
    """Only a person can tell what was meant."""

    why: str


FIXES: dict[str, Callable[[Data], None]] = {**keys.FIXES, **messages.FIXES, **texts.FIXES, **calls.FIXES}
# Repairs that need to know more than their name: what the finding's `detail` holds.
WITH_DETAIL: dict[str, Callable[[Data, tuple[str, ...]], None]] = answers.FIXES


# Of a key that stands twice, reading keeps the last value; an example that is written anew has it once.
WRITE_ANEW = "keep_last_values"


def repair(example: Example, finding: Finding) -> Example | Unrepairable | None:
    """The example after the repair that the finding names; None when the repair takes it out."""
    if finding.fix is None:
        return Unrepairable("Only a person can tell what was meant here.")
    if finding.fix == "remove_example":
        return None
    if finding.fix == WRITE_ANEW:
        return Example(copy.deepcopy(example.data))
    data = copy.deepcopy(example.data)
    if finding.fix in FIXES:
        FIXES[finding.fix](data)
    elif finding.fix in WITH_DETAIL:
        WITH_DETAIL[finding.fix](data, finding.detail)
    else:
        return Unrepairable(f"There is no repair called “{finding.fix}”.")
    if encode(data) == encode(example.data):
        return Unrepairable("The repair changes nothing: the example is no longer as it was when it was checked.")
    return Example(data)
