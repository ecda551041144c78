"""What the check found: one line for each finding, what it means, the way to the example, and its repair.

A repair shows what it would change before it is applied. The rules and the repairs are lib.dataset's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from lib.dataset import drafts, fixes
from lib.dataset.example import Example
from lib.dataset.finding import Finding
from lib.ui import data_work, session, trouble
from lib.ui.data_work import Work
from lib.ui.plain import plain

PAGE = 10
DIFFERENCE_LINES = 20
SEVERITIES = {
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
            _repair(work, entry.example, finding, name)


def _repair(work: Work, example: Example, finding: Finding, name: str) -> None:
    repaired = fixes.repair(example, finding)
    if isinstance(repaired, fixes.Unrepairable):
        return
    with st.popover("Repair", type="tertiary", key=f"repair_{name}"):
        if repaired is None:
            st.markdown("**Removes this example.** It can be brought back until the version is saved.")
        else:
            before, after = _difference(example, repaired)
            st.caption("Before")
            st.code(before, language=None, wrap_lines=True)
            st.caption("After")
            st.code(after, language=None, wrap_lines=True)
        st.button("Repair it", type="primary", key=f"one_{name}", on_click=_apply, args=(work, (finding,)))
        alike = [other for other in work.report.findings if other.code == finding.code and other.fix == finding.fix]
        if len(alike) > 1:
            st.button(f"Repair all {len(alike)} of this kind", key=f"all_{name}", on_click=_apply, args=(work, alike))


@trouble.told()
def _apply(work: Work, findings: Sequence[Finding]) -> None:
    """Save each example as its repair leaves it. One with several findings goes through all of its repairs."""
    ws, version_id = session.workspace(), work.version.id
    for finding in findings:
        if finding.line is None:
            continue
        place = finding.line - 1
        [entry] = drafts.current(ws, version_id, place, place + 1)
        if entry.example is None:
            continue
        repaired = fixes.repair(entry.example, finding)
        if repaired is None:
            drafts.remove(ws, version_id, place, entry.revision)
        elif isinstance(repaired, Example):
            drafts.change(ws, version_id, place, repaired.data, entry.revision)


def _difference(before: Example, after: Example) -> tuple[str, str]:
    """The lines that differ between two examples written over several lines, as far as a popover shows them."""
    old, new = (json.dumps(one.data, ensure_ascii=False, indent=1).splitlines() for one in (before, after))
    gone, come = ([line for line in one if line not in other] for one, other in ((old, set(new)), (new, set(old))))
    return "\n".join(gone[:DIFFERENCE_LINES]), "\n".join(come[:DIFFERENCE_LINES])
