"""What the check says about a version with its saved edits, without going through the whole version again.

The version itself is checked once. An edited example takes its place: its findings and tokens are replaced by those of
what stands there now. Comparisons between examples (duplicates, the same prompt) are made anew when a version is saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from lib.dataset.check import Report, examine
from lib.dataset.drafts import Entry
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case
from lib.dataset.rules.size import LEAST_EXAMPLES, cut, too_few
from lib.dataset.shelf import Version
from lib.tokens.billing import example_tokens

Count = Callable[[str], int]


def with_edits(
    report: Report, version: Version, edits: Mapping[int, Entry], count: Count | None, limit: int | None
) -> Report:
    """The version's report as it is with these entries in place of its own examples, by position."""
    if not edits:
        return report
    few = too_few(0).code
    stale = {one for one in report.findings if one.code == few or (one.line is not None and one.line - 1 in edits)}
    fresh = [finding for entry in edits.values() for finding in _findings(entry, report, count, limit)]
    training = version.examples + _added(version, edits) - held_out(version, edits)
    if training < LEAST_EXAMPLES:
        fresh.append(too_few(training))
    findings = [finding for finding in report.findings if finding not in stale] + fresh
    totals = Counter(report.totals)
    totals.subtract(finding.code for finding in stale)
    totals.update(finding.code for finding in fresh)
    tokens = report.tokens_per_epoch
    return replace(
        report,
        ok=not any(finding.severity == "error" for finding in findings),
        examples=version.examples + _added(version, edits),
        tokens_per_epoch=None
        if tokens is None or count is None
        else tokens + more_tokens(version, edits, count, limit),
        findings=tuple(sorted(findings, key=lambda finding: finding.line or 0)),
        totals=+totals,
    )


def held_out(version: Version, edits: Mapping[int, Entry]) -> int:
    """How many examples are held out for validation, removed ones left out."""
    removed = sum(1 for at, entry in edits.items() if entry.example is None and at in version.validation)
    return len(version.validation) - removed


def _findings(entry: Entry, report: Report, count: Count | None, limit: int | None) -> list[Finding]:
    if entry.example is None:
        return []
    case = Case.of(entry.example.data, report.method, entry.position, entry.position + 1)
    found = list(examine(case))
    if count is not None and limit is not None and (tokens := example_tokens(case.data, count)) > limit:
        found.append(cut(case, tokens, limit, count))
    return found


def _added(version: Version, edits: Mapping[int, Entry]) -> int:
    """By how many examples the edits make the version longer."""
    gone = sum(1 for at, entry in edits.items() if at < version.examples and entry.example is None)
    come = sum(1 for at, entry in edits.items() if at >= version.examples and entry.example is not None)
    return come - gone


def more_tokens(version: Version, edits: Mapping[int, Entry], count: Count, limit: int | None) -> int:
    """By how many billed tokens an epoch the edits make the version longer."""
    return sum(
        (example_tokens(entry.example.data, count, limit) if entry.example else 0)
        - (example_tokens(entry.original.data, count, limit) if entry.original else 0)
        for at, entry in edits.items()
        if at not in version.validation
    )
