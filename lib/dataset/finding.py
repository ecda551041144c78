"""What a check reports: findings, and how they are collected in bounded memory. Knows no rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know about a data set.

    An error is what a service refuses, a warning what costs money or quality or safety, an info what is good to know.
    `line` is the line in the file, from 1; None when the finding is about the whole file. `message_index` is the place
    in the list of messages, from 0 (the text says "message 2" counted from 1). `fix` names the repair, None when only a
    person can tell what was meant; `detail` is what the repair needs to know beside its name (see fixes.py).
    """

    severity: Severity
    code: str
    line: int | None
    message_index: int | None
    text: str
    why: str
    fix: str | None = None
    detail: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as the command line prints it."""
        return {
            "severity": self.severity,
            "code": self.code,
            "line": self.line,
            "message_index": self.message_index,
            "text": self.text,
            "fix": self.fix,
        }


def first_error(findings: Iterable[Finding]) -> Finding:
    """The error that stands first; StopIteration when none does."""
    return next(finding for finding in findings if finding.severity == "error")


KEPT_PER_CODE = 200


class Findings:
    """Collects findings in bounded memory: the first 200 of each code are kept, all of them are counted."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._totals: Counter[str] = Counter()

    def add(self, finding: Finding) -> None:
        """Count one finding, and keep it while there are few of its code."""
        self._totals[finding.code] += 1
        if self._totals[finding.code] <= KEPT_PER_CODE:
            self._kept.append(finding)

    def include(self, findings: Iterable[Finding], totals: Mapping[str, int]) -> None:
        """Take over what was collected elsewhere, with its own counts."""
        self._kept.extend(findings)
        self._totals.update(totals)

    def follow(self, later: Findings) -> None:
        """Take over what was collected in a later part of the file, as if it had been collected here."""
        known = self._totals.copy()
        for finding in later._kept:
            known[finding.code] += 1
            if known[finding.code] <= KEPT_PER_CODE:
                self._kept.append(finding)
        self._totals.update(later._totals)

    def kept(self) -> tuple[Finding, ...]:
        """The findings kept, in the order of the file: those about the whole file first."""
        return tuple(sorted(self._kept, key=lambda finding: finding.line or 0))

    def totals(self) -> dict[str, int]:
        """How many there are of each code, kept or not."""
        return dict(self._totals)
