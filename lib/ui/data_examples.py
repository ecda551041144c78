"""One example at a time: the ways between examples, what is known about this one, and the example itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.dataset.drafts import Entry
from lib.ui import data_editor, data_filter, data_findings, data_work
from lib.ui.data_work import Work
from lib.ui.figures import number_of


def show(work: Work) -> None:
    """The example at the current place, the ways to the others, and what can be done to it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        steps = st.container(horizontal=True, gap="small", width="content")
        places = data_filter.choose(work)
        if places:
            with steps:
                entry = _move(work, places)
            st.space("stretch")
            data_editor.menu(work, entry)
    if not places:
        data_filter.nothing_matches()
        return
    _facts(work, entry)
    data_editor.conflict(work, entry)
    if entry.example is None:
        data_editor.bring_back(work, entry)
        return
    for finding in work.findings_at(entry.position):
        data_findings.line(work, finding, jump=False)
    data_editor.show(work, entry, entry.example)


def _move(work: Work, places: Sequence[int]) -> Entry:
    at = data_work.nearest(places, st.session_state.get("place", places[0]))
    last = len(places) - 1
    st.button(
        "",
        icon=":material/chevron_left:",
        key="previous",
        disabled=at == 0,
        help="Previous example" if at else "This is the first one.",
        on_click=data_work.open_example,
        args=(places[max(at - 1, 0)],),
    )
    st.button(
        "",
        icon=":material/chevron_right:",
        key="next",
        disabled=at == last,
        help="Next example" if at < last else "This is the last one.",
        on_click=data_work.open_example,
        args=(places[min(at + 1, last)],),
    )
    key = f"line_{places[at]}"
    st.number_input(
        "Line",
        1,
        work.places,
        places[at] + 1,
        key=key,
        on_change=_to_line,
        args=(key,),
        icon=":material/tag:",
        label_visibility="collapsed",
        width=120,
    )
    return work.entries([places[at]])[0]


def _facts(work: Work, entry: Entry) -> None:
    parts = [f"Example {entry.position + 1:,} of {work.places:,}"]
    parts.append("validation" if entry.position in work.version.validation else "training")
    if entry.example is not None:
        parts.append(number_of(len(entry.example.messages), "message"))
        tokens = work.tokens_of(entry.example)
        if tokens is not None:
            parts.append(number_of(tokens, "token"))
    if entry.edited:
        parts.append("edited and saved, not yet in a version")
    st.caption(" · ".join(parts))


def _to_line(key: str) -> None:
    data_work.open_example(st.session_state[key] - 1)
