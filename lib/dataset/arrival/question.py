"""What a person is asked while files come in, and what they answer. Plain values; knows no screen and no thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.dataset.arrival.opened import Opened
from lib.dataset.convert.conversion import Conversion
from lib.dataset.finding import Finding


@dataclass(frozen=True, slots=True)
class HowToBringIn:
    """What becomes what in each of the files, and, with several, whether they belong together.

    `refused` are the errors about files that cannot be read at all, each naming its file.
    """

    files: tuple[Opened, ...]
    refused: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class WithoutTheRest:
    """Whether to bring in the examples without what could not be understood.

    `examples` are those that are good, `lines` how many lines stay out; `left` says why, all of it counted in `totals`.
    """

    name: str
    examples: int
    lines: int
    left: tuple[Finding, ...]
    totals: Mapping[str, int]


Question = HowToBringIn | WithoutTheRest


@dataclass(frozen=True, slots=True)
class Answer:
    """Go on. `conversions` has one for each file, None where its lines are examples as they are.

    `together` makes one dataset of several files. Neither matters to the question about the rest.
    """

    conversions: tuple[Conversion | None, ...] = ()
    together: bool = True
