"""What the check found: one line for each finding, what it means, the way to the example, and its repair.

A repair shows what it would change before it is applied. The rules and the repairs are lib.dataset's.
"""

from __future__ import annotations

import json
from typing import Literal

import streamlit as st

from lib.dataset import drafts, fixes, mending
from lib.dataset.drafts import Entry
from lib.dataset.example import Example
from lib.dataset.finding import Finding, Severity
from lib.ui import data_work, session, trouble
from lib.ui.data_work import Work
from lib.ui.plain import plain

PAGE = 10
DIFFERENCE_LINES = 20
SEVERITIES: dict[Severity, tuple[str, Literal["red", "orange", "gray"], str]] = {
    "error": ("Error", "red", ":material/error:"),
    "warning": ("Warning", "orange", ":material/warning:"),
    "info": ("Note", "gray", ":material/info:"),
}
ORDER = tuple(SEVERITIES)


def show(work: Work) -> None:
    """All findings, errors first, ten at a time."""
    findings = sorted(work.report.findings, key=lambda finding: ORDER.index(finding.severity))
    if not findings:
        st.markdown(":green[:material/check_circle:] Nothing found. Every example follows the rules of the services.")
        return
    pages = -(-len(findings) // PAGE)
    page = st.pagination(pages, key=f"findings_{work.version.id}") if pages > 1 else 1
    for finding in findings[(page - 1) * PAGE : page * PAGE]:
        line(work, finding)
    kept = len(findings)
    total = sum(work.report.totals.values())
    if total > kept:
        st.caption(f"{kept:,} of {total:,} are listed: the first of each kind. The rest appear as these are repaired.")


def line(work: Work, finding: Finding, *, jump: bool = True) -> None:
    """One finding. With `jump` it has a button that opens its example."""
    label, colour, icon = SEVERITIES[finding.severity]
    name = f"{finding.code}_{finding.line}_{finding.message_index}"
    left, middle, right = st.columns([2, 12, 3], gap="small")
    left.badge(label, color=colour, icon=icon)
    with middle, st.container(gap="xxsmall"):
        st.text(finding.text)
        st.caption(plain(finding.why))
    if finding.line is None:
        return
    with right, st.container(horizontal=True, gap="xsmall", horizontal_alignment="right"):
        entry = work.entries([finding.line - 1])[0]
        if jump:
            st.button(
                "Show", key=f"show_{name}", type="tertiary", on_click=data_work.open_example, args=(entry.position,)
            )
        if finding.fix and entry.example is not None:
            _repair(work, entry, entry.example, finding, name)


def _repair(work: Work, entry: Entry, example: Example, finding: Finding, name: str) -> None:
    repaired = fixes.repair(example, finding)
    if isinstance(repaired, fixes.Unrepairable):
        return
    with st.popover("Repair", type="tertiary", key=f"repair_{name}"):
        if repaired is None:
            st.markdown("**Removes this example.** It can be brought back until the version is saved.")
        else:
            before, after = _difference(example, repaired)
            for label, lines in (("Before", before), ("After", after)):
                if lines:
                    st.caption(label)
                    st.code(lines, language=None, wrap_lines=True)
        st.button("Repair it", type="primary", key=f"one_{name}", on_click=_apply, args=(work, entry, repaired))
        alike = work.report.totals.get(finding.code, 1)
        if alike > 1:
            st.button(
                f"Repair all {alike:,} of this kind", key=f"all_{name}", on_click=_apply_all, args=(work, finding)
            )


@trouble.told()
def _apply(work: Work, entry: Entry, repaired: Example | None) -> None:
    """Save the example as the repair leaves it: the very one that was shown."""
    edit = (entry.position, repaired.data if repaired else None, entry.revision)
    drafts.change_all(session.workspace(), work.version.id, [edit])


@trouble.told()
def _apply_all(work: Work, finding: Finding) -> None:
    """The same repair for every example that needs it, all of them or none."""
    entries = (work.entries([place])[0] for place in range(work.places))
    edits = list(mending.repairs(entries, work.report.method, finding.code, work.version.validation))
    drafts.change_all(session.workspace(), work.version.id, edits)


def _difference(before: Example, after: Example) -> tuple[str, str]:
    """The lines that differ between two examples written over several lines, as far as a popover shows them."""
    old, new = (
        [line.rstrip(",") for line in json.dumps(one.data, ensure_ascii=False, indent=1).splitlines()]
        for one in (before, after)
    )
    gone, come = ([line for line in one if line not in other] for one, other in ((old, set(new)), (new, set(old))))
    return "\n".join(gone[:DIFFERENCE_LINES]), "\n".join(come[:DIFFERENCE_LINES])
