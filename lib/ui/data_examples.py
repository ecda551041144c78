"""One example at a time: the ways between examples, what is known about this one, and the example itself.

In its place stands what concerns more than one: a new example that is written, or a change of the whole data set.
"""

from __future__ import annotations

import streamlit as st

from lib.dataset.drafts import Entry
from lib.dataset.shelf import Version
from lib.ui import (
    data_conflict,
    data_editor,
    data_filter,
    data_findings,
    data_measure,
    data_new,
    data_price,
    data_replace,
    data_system,
    data_tokens,
    data_unsaved,
    data_work,
    trouble,
)
from lib.ui.data_whole import Positions
from lib.ui.data_work import Work
from lib.ui.figures import number_of


def show(work: Work) -> None:
    """The example at the current place, the ways to the others, and what can be done to it.

    Going from example to example runs this alone. As soon as anything was saved, or another view is wanted, the whole
    page runs: its totals, findings and steps that can be undone stand outside.
    """
    _example(work.version, work.key)


@st.fragment
@trouble.told()
def _example(version: Version, shown: str) -> None:
    """`shown` names the state of the data that the rest of the page shows: a desk goes on while that stands still."""
    work = data_work.of(version)
    if work.key != shown or st.session_state.get("data_view", data_work.VIEWS[0]) != data_work.VIEWS[0]:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        steps = st.container(horizontal=True, gap="xsmall", width="content", vertical_alignment="bottom")
        places = data_filter.choose(work)
        if len(places):
            with steps:
                entry = _move(work, places)
        st.space("stretch")
        _whole_menu()
    if _instead(work, places):
        return
    if not len(places):
        data_filter.nothing_matches()
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _facts(work, entry)
        st.space("stretch")
        tokens = entry.example is not None and st.toggle("Tokens", key="show_tokens", persist_state="session")
        data_editor.menu(work, entry)
    _not_saved_elsewhere(work, entry)
    if tokens:
        data_tokens.show(work, entry)
        return
    if entry.example is not None and not data_conflict.stands(work, entry.position):
        data_findings.lines(work, work.findings_at(entry.position))
    data_editor.show(work, entry)


def _instead(work: Work, places: Positions) -> bool:
    """What stands in the place of an example, if anything."""
    match st.session_state.get("whole"):
        case data_editor.NEW:
            data_new.show(work)
        case data_replace.TITLE:
            data_replace.show(work, places)
        case data_system.TITLE:
            data_system.show(work, places)
        case _:
            return False
    return True


def _move(work: Work, places: Positions) -> Entry:
    at = data_filter.at(places, st.session_state.get("place", int(places[0])))
    last = len(places) - 1
    st.button(
        "",
        key="previous",
        disabled=at == 0,
        help="Previous example" if at else "This is the first one.",
        shortcut="Left",
        on_click=data_work.open_example,
        args=(int(places[max(at - 1, 0)]),),
    )
    st.button(
        "",
        key="next",
        disabled=at == last,
        help="Next example" if at < last else "This is the last one.",
        shortcut="Right",
        on_click=data_work.open_example,
        args=(int(places[min(at + 1, last)]),),
    )
    place = int(places[at])
    key = f"line_{place}"
    st.number_input(
        "Line",
        1,
        work.places,
        place + 1,
        key=key,
        on_change=_to_line,
        args=(key,),
        icon=":material/tag:",
        label_visibility="collapsed",
        width=105,
    )
    return work.entries([place])[0]


def _facts(work: Work, entry: Entry) -> None:
    place = entry.position
    parts = [f"Example {place + 1:,} of {work.places:,}"]
    parts.append("validation" if place in work.version.validation else "training")
    if entry.example is not None:
        parts.append(number_of(len(entry.example.messages), "message"))
        tokens = work.tokens_of(place)
        if tokens is not None:
            change = data_measure.since_the_version(work, place) if entry.edited else None
            parts.append(number_of(tokens, "token") + data_measure.difference(change or 0))
            cost = data_price.of_an_example(work, tokens)
            if cost not in (None, "free"):
                parts.append(f"{cost} an epoch".replace("$", r"\$"))
    if entry.edited:
        parts.append("edited and saved")
    st.caption(" · ".join(parts), width="content")


def _not_saved_elsewhere(work: Work, entry: Entry) -> None:
    """The way back to texts that were typed in other examples and wait."""
    waiting = data_unsaved.elsewhere(work, entry.position)
    if waiting:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(":orange[:material/edit_note: Typed and not saved:]", width="content")
            for place in waiting[:5]:
                st.button(
                    f"Example {place + 1:,}",
                    key=f"unsaved_{place}",
                    type="tertiary",
                    on_click=data_work.open_example,
                    args=(place,),
                )


def _whole_menu() -> None:
    st.menu_button(
        "Edit all",
        [data_replace.TITLE, data_system.TITLE],
        key="whole_menu",
        help="Change the whole data set, or what the filter shows",
        on_click=_whole_chosen,
    )


def _whole_chosen() -> None:
    st.session_state["whole"] = st.session_state["whole_menu"]


def _to_line(key: str) -> None:
    data_work.open_example(st.session_state[key] - 1)
