"""Which examples of an assessment would be held out, and what stays together: the bridge from columns to the draw.

Examples with the same prompt, equal ones, and near duplicates (where they were looked for) stay on one side. Positions
of removed examples are never among them. Saves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.assessment import Assessment
from lib.dataset.places import Places
from lib.dataset.split import joined, suggest
from lib.dataset.survey.answers import NO_LABEL

Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The examples that can be drawn: their positions, ascending, and for each a number that its group shares.

    `together` examples are in `groups_of_many` groups of two or more. `near`: whether near duplicates were known.
    """

    positions: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    together: int
    groups_of_many: int
    largest: int
    near: bool


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What would become of one label: how many examples have it, and how many of those would be held out."""

    name: str
    examples: int
    validation: int


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A split before it is saved. `held_out` are positions; `labels` has a row for each label of the chosen field."""

    held_out: Places
    training: int
    labels: tuple[LabelRow, ...]

    @property
    def validation(self) -> int:
        """How many examples would be held out."""
        return len(self.held_out)


def candidates(assessed: Assessment) -> Candidates:
    """The examples that are there now, and which of them belong together."""
    positions = np.flatnonzero(assessed.present)
    same, prompt = assessed.columns.same[positions], assessed.columns.prompt[positions]
    # Where nothing is asked, examples have no prompt in common.
    prompt = np.where(prompt == 0, same, prompt)
    groups = joined(same, prompt, pairs=_near(assessed, positions))
    sizes = np.bincount(groups, minlength=1)
    many = sizes[sizes > 1]
    largest = int(sizes.max())
    return Candidates(positions, groups, int(many.sum()), len(many), largest, assessed.near is not None)


def choose(
    assessed: Assessment,
    among: Candidates,
    *,
    share: float | None = None,
    number: int | None = None,
    seed: int,
    field: str | None = None,
) -> Choice:
    """What these settings would hold out; `field` is the one whose labels are held out each in its share.

    The same settings and examples give the same choice. Raises DataError as `split.suggest` does.
    """
    labels = assessed.labels.get(field) if field is not None else None
    ids = None if labels is None else labels.ids[among.positions].astype(np.int32)
    drawn = suggest(among.groups, ids, share=share, number=number, seed=seed).array
    rows: list[LabelRow] = []
    if labels is not None and ids is not None:
        every, held = (_counts(one, len(labels.names)) for one in (ids, ids[drawn]))
        rows = [LabelRow(*one) for one in zip(labels.names, every, held, strict=True) if one[1]]
    rows.sort(key=lambda row: -row.examples)
    return Choice(Places(among.positions[drawn]), len(among.positions) - len(drawn), tuple(rows))


def _near(assessed: Assessment, positions: npt.NDArray[np.int64]) -> tuple[Integers, Integers] | None:
    """Near duplicates as pairs of indexes among these positions."""
    if assessed.near is None:
        return None
    known = assessed.near.partner
    # An example that was added since may have no place there yet.
    partner = np.full(max(len(assessed), len(known)), -1, np.int64)
    partner[: len(known)] = known
    partner = partner[positions]
    left = np.flatnonzero(partner >= 0)
    right = np.minimum(np.searchsorted(positions, partner[left]), max(len(positions) - 1, 0))
    there = positions[right] == partner[left]
    return left[there], right[there]


def _counts(ids: npt.NDArray[np.int32], length: int) -> list[int]:
    counts: list[int] = np.bincount(ids[ids != NO_LABEL], minlength=length).tolist()
    return counts
