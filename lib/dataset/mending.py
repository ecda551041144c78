"""Repairs of one kind of finding, for one example or for all that have it, with a look at what they change first.

Goes over any number of examples with a few in memory. Changes nothing by itself: what it yields is for
drafts.change_all, which saves all of it as one step or nothing.

Of equal examples, and of those that are nearly the same, the first stays. Of a prompt that stands on both sides of the
split the examples in training go: what validation measures must not have been seen, and taking out the held-out
example instead would make the exam shorter each time it is too easy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.assessment import NEAR_DUPLICATE, NEAR_LEAK
from lib.dataset.desk import Desk
from lib.dataset.drafts import Entry
from lib.dataset.example import Example
from lib.dataset.finding import Finding
from lib.dataset.fixes import WRITE_ANEW, Unrepairable, repair
from lib.dataset.likeness import DUPLICATE, LEAK
from lib.dataset.parse import Repeated

Positions = npt.NDArray[np.int64]
Edit = tuple[int, dict[str, Any] | None, int]

# Examples that are in memory together.
BATCH = 200
# How far a preview looks for examples with a repair.
LOOKED_AT = 400

# Kinds whose repair takes an example out, whatever it says.
REMOVED = frozenset({DUPLICATE, LEAK, NEAR_DUPLICATE, NEAR_LEAK})


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair makes of one example: `after` is None when it takes it out. `revision` is that of `before`.

    `unread` are keys that stand twice, with a value that goes and the one that stays: reading leaves nothing of that.
    """

    position: int
    before: Example
    after: Example | None
    revision: int
    unread: tuple[Repeated, ...] = ()

    @property
    def edit(self) -> Edit:
        """The repair as drafts.change_all takes it."""
        return self.position, None if self.after is None else self.after.data, self.revision


def touched(desk: Desk, code: str, limit: int | None = None) -> Positions:
    """The positions, ascending, of the examples that the repair of this kind of finding may change."""
    found = desk.assessed.found(limit).get(code, np.empty(0, np.int64))
    return _in_training(desk, code, found) if code in (LEAK, NEAR_LEAK) else found


def repairs(
    desk: Desk, code: str, limit: int | None = None, progress: Callable[[int], None] | None = None
) -> Iterator[Edit]:
    """(position, new data or None to remove, revision) for every example that a repair of this kind changes.

    `progress` is called with the number of examples looked at; what it raises ends the work.
    """
    for made in _all(desk, code, touched(desk, code, limit), limit, progress):
        yield made.edit


def preview(desk: Desk, code: str, limit: int | None = None, number: int = 3) -> tuple[Repair, ...]:
    """The first few of these repairs; none when only a person can tell what was meant."""
    found = []
    for made in _all(desk, code, touched(desk, code, limit)[:LOOKED_AT], limit):
        found.append(made)
        if len(found) == number:
            break
    return tuple(found)


def repair_of(desk: Desk, entry: Entry, finding: Finding) -> tuple[Repair, ...]:
    """What repairs one finding about this example: usually the example itself, for a leak those in training.

    Empty when only a person can tell what was meant.
    """
    if entry.example is None or finding.fix is None:
        return ()
    if finding.code in (LEAK, NEAR_LEAK):
        places = _in_training(desk, finding.code, np.asarray([entry.position]))
        return tuple(_all(desk, finding.code, places, None))
    made = _repaired(entry, [finding])
    return () if made is None else (made,)


def _all(
    desk: Desk,
    code: str,
    places: Positions,
    limit: int | None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Repair]:
    for begun in range(0, len(places), BATCH):
        batch = places[begun : begun + BATCH].tolist()
        entries = desk.entries(batch)
        if code in REMOVED:
            yield from (
                Repair(entry.position, entry.example, None, entry.revision)
                for entry in entries
                if entry.example is not None
            )
        else:
            for entry, findings in zip(entries, desk.findings(batch, limit), strict=True):
                if (made := _repaired(entry, [one for one in findings if one.code == code])) is not None:
                    yield made
        if progress is not None:
            progress(begun + len(batch))


def _repaired(entry: Entry, findings: Sequence[Finding]) -> Repair | None:
    """The example after the repairs of all these findings, which are of one kind; None when there is nothing to do."""
    if entry.example is None:
        return None
    example, changed, unread = entry.example, False, list[Repeated]()
    for finding in findings:
        made = repair(example, finding)
        if finding.fix == WRITE_ANEW:
            unread += (Repeated(*finding.detail[at : at + 3]) for at in range(0, len(finding.detail), 3))
        if made is None:
            return Repair(entry.position, entry.example, None, entry.revision)
        if not isinstance(made, Unrepairable):
            example, changed = made, True
    return Repair(entry.position, entry.example, example, entry.revision, tuple(unread)) if changed else None


def _in_training(desk: Desk, code: str, found: Positions) -> Positions:
    """Of the examples that these leak to or from, those in training."""
    assessed = desk.assessed
    if code == LEAK:
        prompts = assessed.columns.prompt
        return np.flatnonzero(np.isin(prompts, prompts[found]) & assessed.present & ~assessed.held_out)
    if assessed.near is None:
        return np.empty(0, np.int64)
    partners = assessed.near.partner[found]
    return np.unique(np.where(assessed.held_out[found], partners, found)).astype(np.int64)
