"""One repair for all examples that need it, however many there are.

A report keeps the first findings of a kind; here every example is looked at again. Changes nothing by itself: what it
yields is for drafts.change_all, which saves all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from lib.dataset.check import examine
from lib.dataset.drafts import Entry
from lib.dataset.example import Method
from lib.dataset.fixes import Unrepairable, repair
from lib.dataset.rules.case import Case
from lib.dataset.rules.repeats import Repeats

Edit = tuple[int, dict[str, Any] | None, int]


def repairs(entries: Iterable[Entry], method: Method, code: str, validation: Collection[int] = ()) -> Iterator[Edit]:
    """(position, new data or None to remove, revision) for every entry with a finding of this code and a repair."""
    repeats = Repeats(validation)
    for entry in entries:
        if entry.example is None:
            continue
        case = Case.of(entry.example.data, method, entry.position, entry.position + 1)
        found = [finding for finding in chain(examine(case), repeats.see(case)) if finding.code == code]
        repaired = repair(entry.example, found[0]) if found else None
        if found and not isinstance(repaired, Unrepairable):
            yield entry.position, repaired.data if repaired else None, entry.revision
