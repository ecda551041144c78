"""The check of a file: one survey, every rule, and a report with the first findings of each kind.

It is meant to be right both ways: no error about what a service accepts, no silence about what it refuses. What only
users report, or what costs quality, is a warning. Knows no model: its limits and its encoding come from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.dataset.assessment import LOOKED_THROUGH, Assessment, raws_of
from lib.dataset.example import Method
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines
from lib.dataset.rules.size import too_large
from lib.dataset.survey.second_reader import SecondReader
from lib.dataset.survey.survey import survey
from lib.tokens.batch import BatchCounter

__all__ = ["Finding", "Report", "check"]

KEPT_PER_CODE = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `ok` means no error. `tokens_per_epoch` is what is billed for the training examples.

    At most 200 examples are told for a code; `totals` has how many there are, by code (for findings about the whole
    file: how many findings).
    """

    ok: bool
    method: Method
    examples: int
    tokens_per_epoch: int | None
    findings: tuple[Finding, ...]
    totals: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        return {
            "ok": self.ok,
            "method": self.method,
            "examples": self.examples,
            "tokens_per_epoch": self.tokens_per_epoch,
            "findings": [finding.as_json() for finding in self.findings],
            "totals": dict(self.totals),
        }


def check(
    lines: Lines,
    *,
    method: Method | None = None,
    limit: int | None = None,
    counter: BatchCounter | None = None,
    file_bytes: int | None = None,
    validation: Collection[int] = (),
    near: bool | None = None,
    problems: Sequence[Finding] = (),
    totals: Mapping[str, int] | None = None,
    progress: Callable[[int], None] | None = None,
    second: SecondReader | None = None,
) -> Report:
    """Check all lines of a file.

    `method` is recognised when it is not given. `limit` is how many tokens of an example the model reads, `counter`
    counts with its encoding; without it no tokens are counted. `file_bytes` is how long a file the service takes.
    `validation` are the positions held out: they are checked but neither billed nor counted as training examples.
    `near` says whether to look for near duplicates; by itself that is done up to 20,000 examples. `problems` and
    `totals` come from reading the file. `progress` is called with the number of lines done; what it raises ends it.
    `second` goes through a part of a large file at the same time.
    """
    surveyed = survey(lines, method=method, counter=counter, progress=progress, second=second)
    held_out = np.zeros(len(surveyed.columns), np.bool_)
    held_out[[place for place in validation if place < len(held_out)]] = True
    assessed = Assessment(
        surveyed,
        raws_of(surveyed.lines),
        counter=counter,
        held_out=held_out,
        number=surveyed.lines.number,
    )
    if near or (near is None and len(assessed) <= LOOKED_THROUGH):
        assessed.look_for_near(surveyed.lines)
    before = Findings()
    before.include(problems, totals if totals is not None else Counter(one.code for one in problems))
    before.include(surveyed.problems, surveyed.totals)
    return _report(assessed, before, surveyed.encoding is not None, limit, file_bytes)


def _report(assessed: Assessment, before: Findings, counted: bool, limit: int | None, file_bytes: int | None) -> Report:
    found = assessed.found(limit)
    told = sorted({int(at) for places in found.values() for at in places[:KEPT_PER_CODE]})
    wanted = {code: set(places[:KEPT_PER_CODE].tolist()) for code, places in found.items()}
    findings = [
        finding
        for at, held in zip(told, assessed.findings(told, limit), strict=True)
        for finding in held
        if at in wanted.get(finding.code, ())
    ]
    whole = assessed.about_the_whole()
    if file_bytes is not None and (size := int(assessed.columns.size.sum(dtype=np.int64))) > file_bytes:
        whole.append(too_large(size, file_bytes))
    every = [*whole, *before.kept(), *findings]
    totals = Counter({code: len(places) for code, places in found.items()})
    totals.update(before.totals())
    totals.update(finding.code for finding in whole)
    return Report(
        ok=not any(finding.severity == "error" for finding in every),
        method=assessed.method,
        examples=assessed.examples,
        tokens_per_epoch=assessed.tokens(limit) if counted else None,
        findings=tuple(sorted(every, key=lambda finding: finding.line or 0)),
        totals=dict(totals),
    )
