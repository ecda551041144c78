"""What the check found, by kind: how grave it is, why it matters, which examples have it, and what repairs it.

A repair shows what it changes before it is made, and is one step that can be undone. The rules are lib.dataset's, the
repairs lib.dataset.mending's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import streamlit as st

from lib.dataset import drafts, mending
from lib.dataset.drafts import Entry
from lib.dataset.finding import Finding, Severity
from lib.dataset.likeness import LEAK
from lib.dataset.mending import Repair
from lib.dataset.rules.kinds import FIX_LABELS, KINDS, Kind
from lib.ui import data_filter, data_near, data_work, repair_preview, session, trouble
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import plain

PAGE = 10
PREVIEWED = 3
SEVERITIES: dict[Severity, tuple[str, Literal["red", "orange", "gray"], str]] = {
    "error": ("Error", "red", ":material/error:"),
    "warning": ("Warning", "orange", ":material/warning:"),
    "info": ("Note", "gray", ":material/info:"),
}
NEAR = "near_not_looked_for"
LEAKS = frozenset({LEAK, "near_leak"})
HONEST = "The examples in training go and those held out stay, so that validation measures what was not seen."
NOT_LOOKED_FOR = (
    "Keys, passwords, e-mail addresses, telephone, card and account numbers are looked for; names of people and places "
    "are not."
)


def show(work: Work) -> None:
    """What is about the whole file first, then every kind of finding, errors first; a kind opens to its examples."""
    offer_undo(work)
    for finding in work.about_the_whole:
        line(work, finding)
    if not work.kinds:
        if not work.about_the_whole:
            st.markdown(
                ":green[:material/check_circle: Nothing found. Every example follows the rules of the services.]"
            )
        st.caption(NOT_LOOKED_FOR)
        return
    reasons = _reasons(_state(work), work)
    for kind, number in work.kinds:
        _kind(work, kind, number, reasons.get(kind.code, ""))
    st.caption(NOT_LOOKED_FOR)


def lines(work: Work, findings: Sequence[Finding]) -> None:
    """The findings of the example that is open. What is repaired together is offered once: two extra keys, say."""
    offered: set[tuple[str, int | None]] = set()
    for finding in findings:
        place = finding.code, finding.message_index
        line(work, finding, jump=False, offers=place not in offered)
        offered.add(place)


def line(work: Work, finding: Finding, *, jump: bool = True, offers: bool = True) -> None:
    """One finding: how grave, what, why. With `jump` it has a button that opens its example."""
    label, colour, icon = SEVERITIES[finding.severity]
    left, middle, right = st.columns([2, 12, 4], gap="small")
    left.badge(label, color=colour, icon=icon)
    with middle, st.container(gap="xxsmall"):
        st.text(finding.text)
        st.caption(plain(finding.why))
    with right, st.container(horizontal=True, gap="xsmall", horizontal_alignment="right"):
        if offers:
            _offers(work, finding, jump=jump)


def offer_undo(work: Work) -> None:
    """What the last repair did, and the way back, as long as nothing else was done since."""
    held = st.session_state.get("repaired")
    if not held or held["version"] != work.version.id:
        return
    last = drafts.history(session.workspace(), work.version.id).undo
    if last is None or last.id != held["step"]:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check_circle: {held['said']}]", width="content")
        st.button(
            "Undo", key="undo_repair", icon=":material/undo:", type="tertiary", on_click=_undo, args=(work, last.id)
        )


def _kind(work: Work, kind: Kind, number: int, why: str) -> None:
    _, colour, icon = SEVERITIES[kind.severity]
    title = f":{colour}[{icon}] **{kind.title}** · {number_of(number, 'example')}"
    with st.container(gap="xxsmall"):
        opened = st.expander(title, key=f"kind_{kind.code}", type="compact", on_change="rerun")
        if not opened.open:
            st.caption(plain(why))
            return
    with opened:
        st.caption(plain(why))
        # What can be done with a single example stands beside it.
        if number > 1:
            _for_all(work, kind, number)
        places = work.found[kind.code]
        pages = -(-len(places) // PAGE)
        page = st.pagination(pages, key=f"page_{kind.code}_{pages}") if pages > 1 else 1
        shown = [int(place) for place in places[(page - 1) * PAGE : page * PAGE]]
        every = [one for findings in work.desk.findings(shown, work.measure.limit) for one in findings]
        offered: set[tuple[int | None, int | None]] = set()
        with st.container(gap="xxsmall"):
            for finding in every:
                if finding.code == kind.code:
                    place = finding.line, finding.message_index
                    _finding(work, finding, offers=place not in offered)
                    offered.add(place)


def _for_all(work: Work, kind: Kind, number: int) -> None:
    """What can be done with all examples of a kind at once."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _repair_all(work, kind, number)
        st.button(
            "Show in the table",
            key=f"table_{kind.code}",
            icon=":material/table_rows:",
            type="tertiary",
            on_click=_show_in_table,
            args=(kind.code,),
        )


def _finding(work: Work, finding: Finding, *, offers: bool) -> None:
    left, right = st.columns([13, 4], gap="small", vertical_alignment="center")
    with left:
        st.text(finding.text)
    with right, st.container(horizontal=True, gap="xsmall", horizontal_alignment="right"):
        if offers:
            _offers(work, finding, jump=True)


def _offers(work: Work, finding: Finding, *, jump: bool) -> None:
    """What can be done about a finding."""
    if finding.code == NEAR:
        data_near.offer(work, "findings")
        return
    if finding.line is None:
        return
    name = f"{finding.code}_{finding.line}_{finding.message_index}"
    place = finding.line - 1
    entries = work.entries([place])
    repairable = finding.fix is not None and bool(entries) and entries[0].example is not None
    if jump:
        st.button(
            "Show" if repairable else "Edit it",
            key=f"show_{name}",
            type="tertiary",
            on_click=data_work.open_example,
            args=(place,),
        )
    if repairable:
        _repair(work, entries[0], finding, name)


def _repair(work: Work, entry: Entry, finding: Finding, name: str) -> None:
    # Not made when it is opened: a popover that grows afterwards does not find its place on the screen.
    with st.popover("Repair", type="tertiary", key=f"repair_{name}"):
        made = _repairs_of(f"{_state(work)}/{name}", work, entry, finding)
        if not made:
            st.markdown("There is nothing left to repair here: edit the example.")
            return
        st.markdown(f"**{FIX_LABELS.get(finding.fix or '', 'Repair it')}**")
        if finding.code in LEAKS:
            st.caption(f"{HONEST} Removes {_examples(made)}.")
        for one in made[:PREVIEWED]:
            repair_preview.show(one)
        st.button("Repair it", type="primary", key=f"one_{name}", on_click=_apply, args=(work, made, finding.code))


def _repair_all(work: Work, kind: Kind, number: int) -> None:
    first = _previewed(_state(work), kind.code, work)
    if not first:
        return
    changed = _touched(_state(work), kind.code, work)
    with st.popover(f"Repair all {number:,}", icon=":material/build:", key=f"all_{kind.code}"):
        removes = first[0].after is None
        what = "Removes" if removes else "Changes"
        st.markdown(f"**{what} {number_of(changed, 'example')}**, in one step that can be undone.")
        if kind.code in LEAKS:
            st.caption(HONEST)
        elif not removes:
            st.caption("Where only a person can tell what was meant, an example stays as it is.")
        for one in first:
            st.caption(f"Example {one.position + 1:,}")
            repair_preview.show(one)
        if changed > len(first):
            st.caption(f"And so on for {number_of(changed - len(first), 'more example', 'more examples')}.")
        label = f"Repair all {number:,}"
        st.button(label, type="primary", key=f"do_{kind.code}", on_click=_apply_all, args=(work, kind, changed))


@trouble.told()
def _apply(work: Work, made: tuple[Repair, ...], code: str) -> None:
    """Save the examples as the repair leaves them: the very ones that were shown."""
    where = _examples(made)
    done = drafts.change_all(
        session.workspace(), work.version.id, [one.edit for one in made], label=f"{KINDS[code].title}: repaired {where}"
    )
    _say(work, done, f"Repaired {where}." if made[0].after is not None else f"Removed {where}.")


@trouble.told()
def _apply_all(work: Work, kind: Kind, changed: int) -> None:
    """The same repair for every example that needs it, all of them or none, as one step."""
    bar = st.empty()

    def told(done: int) -> None:
        bar.progress(min(done / max(changed, 1), 1.0), f"Repairing: {done:,} of {number_of(changed, 'example')}")

    edits = mending.repairs(work.desk, kind.code, work.measure.limit, told)
    label = f"{kind.title}: repaired all"
    done = drafts.change_all(session.workspace(), work.version.id, edits, label=label)
    bar.empty()
    left = changed - done
    said = f"{kind.title}: repaired {number_of(done, 'example')}."
    _say(
        work, done, said + (f" {number_of(left, 'example')} stayed: only you can tell what was meant." if left else "")
    )


@trouble.told()
def _undo(work: Work, step_id: int) -> None:
    drafts.undo(session.workspace(), work.version.id, step_id)
    st.session_state.pop("repaired", None)


def _say(work: Work, done: int, said: str) -> None:
    """Say what was done: at once, and above the findings for as long as it can be undone there."""
    st.toast(said, icon=":material/check:")
    step = drafts.history(session.workspace(), work.version.id).undo if done else None
    if step is not None:
        st.session_state["repaired"] = {"version": work.version.id, "step": step.id, "said": said}


def _examples(made: tuple[Repair, ...]) -> str:
    if len(made) == 1:
        return f"example {made[0].position + 1:,}"
    return number_of(len(made), "example")


def _show_in_table(code: str) -> None:
    data_filter.only(finding=code)
    st.session_state["data_view"] = "Table"


def _state(work: Work) -> str:
    """Names what is known about this state of the data."""
    return f"{work.key}/{work.desk.assessed.near is not None}/{work.desk.encoding}/{work.measure.limit}"


@st.cache_resource(max_entries=16, show_spinner=False)
def _reasons(key: str, _work: Work) -> dict[str, str]:
    """For each kind why it matters, as its first finding says."""
    places = np.unique([int(held[0]) for held in _work.found.values()]).tolist()
    every: dict[str, str] = {}
    for findings in _work.desk.findings(places, _work.measure.limit):
        for finding in findings:
            every.setdefault(finding.code, finding.why)
    return every


@st.cache_resource(max_entries=64, show_spinner=False)
def _previewed(key: str, code: str, _work: Work) -> tuple[Repair, ...]:
    return mending.preview(_work.desk, code, _work.measure.limit, PREVIEWED)


@st.cache_resource(max_entries=64, show_spinner=False)
def _touched(key: str, code: str, _work: Work) -> int:
    return len(mending.touched(_work.desk, code, _work.measure.limit))


@st.cache_resource(max_entries=256, show_spinner=False)
def _repairs_of(key: str, _work: Work, _entry: Entry, _finding: Finding) -> tuple[Repair, ...]:
    return mending.repair_of(_work.desk, _entry, _finding)
