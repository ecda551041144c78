"""Which examples are looked at and in which order: a search, what they must be, and how they are sorted.

The same choice holds for the views Examples and Table, and for the session. What it comes to is worked out once for
each state of the data (lib.dataset.selection, lib.dataset.search).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import streamlit as st

from lib.dataset.rules.kinds import KINDS
from lib.dataset.selection import ANY, EVERYTHING, ORDERS, OTHER, Filter, Order, Span, select
from lib.dataset.survey.facts import OTHER_ROLE, ROLE_BITS
from lib.ui import data_search
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

Positions = npt.NDArray[np.int32]

ORDER_NAMES: dict[Order, str] = {
    "line": "In their order",
    "most_tokens": "Most tokens first",
    "tokens": "Fewest tokens first",
    "most_messages": "Most messages first",
    "messages": "Fewest messages first",
    "longest": "Longest line first",
    "length": "Shortest line first",
}
# What each part of a filter is kept under in the session, with the value that asks for nothing.
KEYS: dict[str, Any] = {
    "search": "",
    "filter_finding": "",
    "filter_role": "",
    "filter_split": "",
    "filter_label": None,
    "filter_tokens_from": None,
    "filter_tokens_to": None,
    "filter_messages_from": None,
    "filter_messages_to": None,
    "filter_edited": False,
    "filter_removed": False,
}
LABEL_SHOWN = 40
# Half the width of what a popover holds, in pixels.
HALF = 130


def choose(work: Work) -> Positions:
    """The positions that the person wants to see, in the order wanted: all of them until something is chosen.

    Draws the controls, and what is active, into the row around it.
    """
    st.text_input(
        "Search",
        key="search",
        type="search",
        placeholder="Search the text",
        label_visibility="collapsed",
        width=210,
        persist_state="session",
    )
    wanted = _wanted()
    active = _active(wanted)
    name = f"Filter ({len(active)})" if active else "Filter"
    with st.popover(name, icon=":material/filter_list:", key="filter", on_change="rerun") as opened:
        if opened.open:
            _controls(work)
    st.selectbox(
        "Order",
        ORDERS,
        format_func=lambda order: ORDER_NAMES[order],
        key="order",
        label_visibility="collapsed",
        width=185,
        persist_state="session",
    )
    for key, said in active.items():
        st.button(
            said,
            key=f"without_{key}",
            icon=":material/close:",
            icon_position="right",
            type="tertiary",
            help="Take this filter away",
            on_click=_without,
            args=(key,),
        )
    return places(work, wanted, cast(Order, st.session_state["order"]))


def places(work: Work, wanted: Filter, order: Order = "line") -> Positions:
    """The positions of these examples in this order; worked out once for each state of the data. Read-only."""
    holding = data_search.holding(work, wanted.text, lambda: _without("search")) if wanted.text else None
    limit = work.measure.limit
    # Looking for near duplicates changes no example, and yet what is found.
    state = (work.key, work.desk.assessed.near is not None, work.desk.encoding, limit)
    return _selected(repr((state, wanted, order)), work, wanted, order, holding)


def at(places: Positions, place: int) -> int:
    """Where in `places` (not empty, in any order) this place is; where it would be, or the first, when it is not."""
    if st.session_state.get("order", "line") == "line":
        # Of the type of the others: numpy would otherwise turn a million of them into another one first.
        return min(int(places.searchsorted(places.dtype.type(place))), len(places) - 1)
    exactly = np.flatnonzero(places == place)
    return int(exactly[0]) if len(exactly) else 0


def only(**values: Any) -> None:
    """Look for these examples alone; the names are those of KEYS without “filter_”."""
    for key, nothing in KEYS.items():
        st.session_state[key] = values.get(key.removeprefix("filter_"), nothing)


def nothing_matches() -> None:
    """What stands there when no example is left, and the way back."""
    wanted = _wanted()
    if wanted == Filter(text=wanted.text) and wanted.text:
        st.markdown(f"No example holds “{plain(shortened(wanted.text, 60))}”.")
    elif wanted == EVERYTHING:
        st.markdown("There is no example.")
        return
    else:
        st.markdown("No example is all that is asked for.")
    st.button("Show all examples", icon=":material/filter_alt_off:", on_click=only)


def _wanted() -> Filter:
    held = {key: st.session_state.get(key, nothing) for key, nothing in KEYS.items()}
    label = held["filter_label"]
    return Filter(
        text=(held["search"] or "").strip(),
        finding=held["filter_finding"] or "",
        role=held["filter_role"] or "",
        split=held["filter_split"] or "",
        edited=bool(held["filter_edited"]),
        removed=bool(held["filter_removed"]),
        label=(str(label[0]), str(label[1])) if label else None,
        tokens=(held["filter_tokens_from"], held["filter_tokens_to"]),
        messages=(held["filter_messages_from"], held["filter_messages_to"]),
    )


def _active(wanted: Filter) -> dict[str, str]:
    """What is asked for besides the search, as the buttons that take it away again say it; by the key it is kept under.

    The two ends of a span are one.
    """
    every = {
        "filter_finding": _finding_name(wanted.finding) if wanted.finding else "",
        "filter_role": f"With role {_role_name(wanted.role)}" if wanted.role else "",
        "filter_split": wanted.split.capitalize(),
        "filter_label": _label_name(wanted.label) if wanted.label else "",
        "filter_tokens_from": _span_name(wanted.tokens, "token"),
        "filter_messages_from": _span_name(wanted.messages, "message"),
        "filter_edited": "Edited" if wanted.edited else "",
        "filter_removed": "Removed" if wanted.removed else "",
    }
    return {key: said for key, said in every.items() if said}


def _controls(work: Work) -> None:
    """What an example must be."""
    found = {code: len(held) for code, held in work.found.items()}
    st.selectbox(
        "Finding",
        _with_chosen("filter_finding", ["", *([ANY] if found else []), *(kind.code for kind, _ in work.kinds)]),
        format_func=lambda code: _finding_name(code) + (f" ({found[code]:,})" if code in found else ""),
        key="filter_finding",
        persist_state="session",
    )
    if names := [(field, name) for field, held in work.desk.assessed.labels.items() for name in held.names]:
        st.selectbox(
            "Label",
            _with_chosen("filter_label", [None, *names]),
            format_func=lambda label: _label_name(label) if label else "Any or none",
            key="filter_label",
            persist_state="session",
        )
    bits = int(np.bitwise_or.reduce(work.desk.assessed.columns.roles, initial=0))
    roles = [role for role, bit in {**ROLE_BITS, OTHER: OTHER_ROLE}.items() if bits & bit]
    with st.container(horizontal=True, gap="small"):
        st.selectbox(
            "Role",
            _with_chosen("filter_role", ["", *roles]),
            format_func=lambda role: _role_name(role) if role else "Any",
            key="filter_role",
            width=HALF,
            persist_state="session",
        )
        if work.held_out or st.session_state.get("filter_split"):
            st.selectbox(
                "Split",
                ["", "training", "validation"],
                format_func=lambda side: side.capitalize() or "Both sides",
                key="filter_split",
                width=HALF,
                persist_state="session",
            )
    _span("Tokens", "tokens")
    _span("Messages", "messages")
    with st.container(horizontal=True):
        st.checkbox("Edited", key="filter_edited", persist_state="session")
        st.checkbox("Removed", key="filter_removed", persist_state="session")


def _span(name: str, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for end in ("from", "to"):
            st.number_input(
                f"{name} {end}",
                min_value=0,
                value=None,
                step=1,
                key=f"filter_{key}_{end}",
                placeholder="any",
                width=HALF,
                persist_state="session",
            )


def _with_chosen(key: str, options: list[Any]) -> list[Any]:
    """The options, with what is chosen even when no example has it any more."""
    chosen = st.session_state.get(key, options[0])
    return options if chosen in options else [*options, chosen]


def _finding_name(code: str) -> str:
    if not code:
        return "Does not matter"
    return "With any finding" if code == ANY else KINDS[code].title if code in KINDS else plain(code)


def _role_name(role: str) -> str:
    return "unknown to services" if role == OTHER else role


def _label_name(label: tuple[str, str]) -> str:
    field, name = (plain(shortened(part, LABEL_SHOWN)) for part in label)
    return f"{field}: {name}" if field else name


def _span_name(span: Span, thing: str) -> str:
    least, most = span
    if least is not None and most is not None:
        return f"{least:,} to {number_of(most, thing)}"
    if least is not None:
        return f"{number_of(least, thing)} or more"
    return f"At most {number_of(most, thing)}" if most is not None else ""


def _without(key: str) -> None:
    for name in {key, key.replace("_from", "_to")}:
        st.session_state[name] = KEYS[name]


@st.cache_resource(max_entries=12, show_spinner=False)
def _selected(key: str, _work: Work, _wanted: Filter, _order: Order, _holding: Positions | None) -> Positions:
    found = select(_work.desk, _wanted, _order, limit=_work.measure.limit, holding=_holding).astype(np.int32)
    found.flags.writeable = False
    return found
