"""The examples of one dataset to be, out of one file or several, surveyed: all that keeping needs to know.

What cannot be understood is collected with its place and stays out. Knows no workspace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.dataset.arrival.opened import Opened
from lib.dataset.arrival.pace import CHECK, CONVERT, KEEP, Pace
from lib.dataset.convert.conversion import Conversion
from lib.dataset.convert.line import lines_left
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import lines_of
from lib.dataset.naming import title_of
from lib.dataset.places import Places
from lib.dataset.survey.second_reader import SecondReader
from lib.dataset.survey.survey import Survey, survey
from lib.errors import DataError
from lib.tokens.batch import BatchCounter

BLOCK, BLOCK_BYTES = 2_000, 8 << 20

Plan = Sequence[tuple[Opened, Conversion | None]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """One dataset to be. `surveyed.lines` are its examples, which lie in `path` and may have other lines between them.

    `left` says what stayed out, all of it counted in `totals`; `keys` says how often a key had no place. `sources` are
    the names, our copies and the hashes of the files, `conversions` how they were converted.
    """

    name: str
    surveyed: Survey
    path: Path
    validation: Places
    left: tuple[Finding, ...]
    totals: Mapping[str, int]
    keys: Mapping[str, int]
    notes: tuple[str, ...]
    sources: tuple[tuple[str, Path, str], ...]
    conversions: tuple[Any, ...]

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return len(self.surveyed.lines)

    @property
    def lines_left(self) -> int:
        """How many lines stayed out."""
        return lines_left(self.totals)

    @property
    def is_whole(self) -> bool:
        """Whether everything that was in the files is in the examples."""
        return not self.totals and not self.keys and not self.conversions


def gathered(
    plan: Plan, target: Path, counter: BatchCounter | None, pace: Pace, second: SecondReader | None = None
) -> Gathered:
    """Gather and survey the examples of these files, in their order; `target` is written when they need it.

    What `pace` is told may raise, which ends the work. Raises DataError when not one line is an example.
    """
    work = _Gathering(found=Findings(), keys=Counter(), held_out=[])
    first, conversion = plan[0]
    if len(plan) == 1 and conversion is None and not first.own:
        path, lines = first.lines_path, first.lines
        work.found.include(first.left, first.totals)
    else:
        path = target
        with target.open("xb") as out:
            for opened, how in plan:
                work.take(opened, how, out.write, pace, named=len(plan) > 1)
        lines = lines_of(target)
    pace.begin(f"Checking {_name_of(plan)}", sum(opened.size for opened, _ in plan) * CHECK, "lines")
    surveyed = survey(lines, counter=counter, progress=lambda done: pace.at(done, len(lines)), second=second)
    work.found.include(surveyed.problems, surveyed.totals)
    left = work.found.kept()
    name = _name_of(plan)
    if not len(surveyed.lines):
        why = next(iter(left), None)
        raise DataError(why.text, why.why, line=why.line) if why else DataError(f"There is no example in {name}.")
    return Gathered(
        name=name,
        surveyed=replace(surveyed, problems=(), totals={}),
        path=path,
        validation=Places(work.held_out),
        left=left,
        totals=work.found.totals(),
        keys=dict(work.keys),
        notes=tuple(dict.fromkeys(note for opened, _ in plan for note in opened.notes)),
        sources=tuple((opened.name, opened.path, opened.sha256) for opened, _ in plan),
        conversions=_as_kept(plan),
    )


def cost(plan: Plan) -> float:
    """What gathering and keeping these files costs, as pace.py counts."""
    size = sum(opened.size for opened, _ in plan)
    turned = sum(opened.size for opened, how in plan if len(plan) > 1 or how is not None or opened.own)
    return size * (CHECK + KEEP) + turned * CONVERT


@dataclass(slots=True)
class _Gathering:
    """What is known while lines are turned into examples. `held_out` are positions among those written."""

    found: Findings
    keys: Counter[str]
    held_out: list[int]
    written: int = 0

    def take(
        self, opened: Opened, how: Conversion | None, write: Callable[[bytes], Any], pace: Pace, *, named: bool
    ) -> None:
        """Write the examples of one file. `named` is whether what is wrong must say in which file."""
        found = Findings()
        found.include(opened.left, opened.totals)
        pace.begin(f"{'Reading' if how is None else 'Converting'} {opened.name}", opened.size * CONVERT, "lines")
        for begun, ended in opened.lines.blocks(BLOCK, BLOCK_BYTES):
            for place, raw in enumerate(opened.lines.block(begun, ended), start=begun):
                turned = opened.turned(raw, opened.lines.number(place), how)
                for problem in turned.problems:
                    found.add(problem)
                if turned.raw is None:
                    continue
                write(turned.raw + b"\n")
                self.keys.update(turned.keys)
                if turned.held_out:
                    self.held_out.append(self.written)
                self.written += 1
            pace.at(ended, len(opened.lines))
        self.found.include([_in_file(one, opened.name) if named else one for one in found.kept()], found.totals())


def _in_file(finding: Finding, name: str) -> Finding:
    return replace(finding, text=f"{name}: {finding.text}")


def _name_of(plan: Plan) -> str:
    """What the dataset is called: the file, or the first of them and how many more."""
    first = plan[0][0].name
    return first if len(plan) == 1 else f"{title_of(first)} and {len(plan) - 1} more"


def _as_kept(plan: Plan) -> tuple[Any, ...]:
    """The conversions as JSON, each once."""
    made: list[Any] = []
    for _, how in plan:
        if how is not None and (kept := how.as_json()) not in made:
            made.append(kept)
    return tuple(made)
