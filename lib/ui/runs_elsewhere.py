"""Jobs that were started elsewhere: looked for by a click, listed, and followed by another.

A rerun asks no service: what the last look found is held as plain rows for this session. On this machine such jobs
appear in the list of runs by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lib.errors import BadCredentials
from lib.runs import elsewhere, intents
from lib.runs.elsewhere import Found
from lib.services.credentials import find_key, missing_key
from lib.services.service import Service
from lib.ui import runs_words, service_choice, session, trouble
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

if TYPE_CHECKING:
    from lib.services.connection import Connection

PAGE = 6
SHAPE = (12, 9, 3)


def offer() -> None:
    """The quiet button beside the title."""
    if not _open():
        st.button(
            "Jobs started elsewhere",
            key="elsewhere",
            type="tertiary",
            icon=":material/travel_explore:",
            on_click=_begin,
        )


def show() -> None:
    """Which service to look at, and what was found there; nothing until a person asks."""
    if not _open():
        return
    with st.container(border=True, key="elsewhere-panel"):
        st.markdown("**Jobs started elsewhere**")
        st.caption(
            "From code, or on a service's own site. Those on this machine appear below by themselves; those of another"
            " service can be looked for and followed here."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            service = _service()
            ready = service.key_source == "none" or find_key(service, session.given_keys()) is not None
            pressed = st.button("Look for jobs", key="elsewhere_look", icon=":material/search:", disabled=not ready)
            st.button("Close", key="elsewhere_close", type="tertiary", on_click=_end)
        service_choice.credential(service)
        if pressed:
            with trouble.told():
                _look(service)
        found = st.session_state["elsewhere_found"].get(service.id)
        if found is not None:
            _list(service, found)


def _open() -> bool:
    return "elsewhere_found" in st.session_state


def _begin() -> None:
    st.session_state["elsewhere_found"] = {}


def _end() -> None:
    del st.session_state["elsewhere_found"]


def _service() -> Service:
    """The service to look at: of those that are not on this machine anyway, the chosen one first."""
    every = {one.id: one for one in session.services() if one.kind != "embedded"}
    chosen = session.service().id
    picked = st.selectbox(
        "Service",
        list(every),
        index=list(every).index(chosen) if chosen in every else 0,
        format_func=lambda service_id: shortened(every[service_id].name, 60),
        key="elsewhere_service",
        width=320,
    )
    return every[picked]


def _look(service: Service) -> None:
    with st.spinner(f"Asking {plain(service.name)} for its jobs …"):
        found = elsewhere.look(session.workspace(), _connection(service))
    st.session_state["elsewhere_found"][service.id] = found


def _connection(service: Service) -> Connection:
    connection = session.connection(service)
    if connection is None:
        raise BadCredentials(f"{service.name} needs a key.", missing_key(service))
    return connection


def _list(service: Service, found: tuple[Found, ...]) -> None:
    taken = intents.taken_jobs(session.workspace(), service.id)
    left = [one for one in found if one.id not in taken]
    if not left:
        st.caption("All followed." if found else f"{plain(service.name)} has no job that is not followed here.")
        return
    pages = -(-len(left) // PAGE)
    page = min(st.session_state.get("elsewhere_page", 1), pages)
    st.caption(f"{number_of(len(left), 'job is', 'jobs are')} not followed here, the latest first.")
    with st.container(gap="xsmall"):
        for one in left[(page - 1) * PAGE : page * PAGE]:
            _row(service, one)
    if pages > 1:
        st.pagination(pages, key="elsewhere_page")


def _row(service: Service, one: Found) -> None:
    status = runs_words.status(one.status)
    what, how, button = st.columns(SHAPE, vertical_alignment="center")
    with what.container(gap=None):
        st.text(shortened(runs_words.named(one.model, one.suffix), 60))
        st.caption(plain(one.id))
    with how.container(gap=None):
        st.badge(plain(status.word), icon=status.icon, color=status.colour)
        if one.created_at is not None:
            st.caption(f"Started {runs_words.clock(one.created_at, session.workspace().clock())}")
    button.button("Follow", key=f"follow-{one.id}", width="stretch", on_click=_follow, args=(service, one.id))


@trouble.told()
def _follow(service: Service, job_id: str) -> None:
    elsewhere.follow(session.workspace(), _connection(service), job_id)
    session.watcher().wake()
