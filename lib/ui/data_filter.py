"""Which examples are looked at: all of them, those with a finding, one side of the split, the edited ones, a search."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from lib.ui import data_work
from lib.ui.data_work import Work
from lib.ui.plain import plain, shortened

ALL, FOUND, TRAINING, VALIDATION, EDITED = "All examples", "With findings", "Training", "Validation", "Edited"


def choose(work: Work) -> Sequence[int]:
    """The places, ascending, that the person wants to see; all of them until something is chosen."""
    st.text_input(
        "Search",
        key="search",
        type="search",
        placeholder="Search the text",
        label_visibility="collapsed",
        width=210,
        persist_state="session",
    )
    st.selectbox(
        "Show",
        _choices(work),
        key="show",
        label_visibility="collapsed",
        width=160,
        persist_state="session",
    )
    places = _of_kind(work, st.session_state["show"])
    wanted = st.session_state["search"].strip()
    if not wanted:
        return places
    among = set(places)
    return [place for place in search(work, wanted) if place in among]


def nothing_matches() -> None:
    """What stands there when no example is left."""
    looked_for = st.session_state.get("search", "").strip()
    kind = st.session_state.get("show", ALL)
    where = "" if kind == ALL else f" under “{kind}”"
    st.markdown(f"No example{where} holds “{plain(shortened(looked_for, 60))}”." if looked_for else f"Nothing{where}.")
    st.button("Show all examples", icon=":material/filter_alt_off:", on_click=_show_all)


def search(work: Work, text: str) -> list[int]:
    """Places whose example holds the text, in whatever case."""
    return _search(work.key, text.casefold(), work)


@st.cache_data(max_entries=16, show_spinner="Searching …")
def _search(key: str, text: str, _work: Work) -> list[int]:
    # A file may write ü as itself or as an escape, and always writes quotes as escapes.
    needles = {json.dumps(text, ensure_ascii=ascii)[1:-1].casefold() for ascii in (False, True)}
    found = []
    for place in range(_work.places):
        held = _work.raw(place).decode("utf-8", "replace").casefold()
        if any(needle in held for needle in needles):
            found.append(place)
    return found


def _choices(work: Work) -> list[str]:
    choices = [ALL]
    if work.report.findings:
        choices.append(FOUND)
    if work.version.validation:
        choices += [TRAINING, VALIDATION]
    if work.edits:
        choices.append(EDITED)
    return choices


def _of_kind(work: Work, kind: str) -> Sequence[int]:
    every = range(work.places)
    if kind == FOUND:
        return data_work.places_with_findings(work)
    if kind == VALIDATION:
        return sorted(work.version.validation)
    if kind == TRAINING:
        return [place for place in every if place not in work.version.validation]
    if kind == EDITED:
        return sorted(work.edits)
    return every


def _show_all() -> None:
    st.session_state["search"] = ""
    st.session_state["show"] = ALL
