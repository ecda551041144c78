"""What is on its way in, for whoever looks: how far it is with a way to stop it, what it asks, how it ended.

The work is done by threads that know no screen; here they are looked at, twice a second while one is live. A reload
finds everything again, because arrivals belong to the workspace and not to a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import streamlit as st

from lib.dataset import shelf
from lib.dataset.arrival.arrival import LIVE, OVER, Arrival
from lib.dataset.arrival.arrivals import Arrivals
from lib.dataset.arrival.given import Given
from lib.dataset.arrival.pace import Progress
from lib.dataset.arrival.question import Answer, HowToBringIn, WithoutTheRest
from lib.errors import WorkspaceError
from lib.ui import data_conversion, data_left_out, data_work, session, trouble
from lib.ui.plain import plain, shortened

LOOK_SECONDS = 0.5
# A click waits this long for a file, so that a small one is simply there.
PATIENCE_SECONDS = 1.0
SEEN = ""
MEGABYTE = 1 << 20


def begin(given: Sequence[Given], where: str, *, again: bool = False) -> None:
    """Bring files in; `where` is the place at which they were given."""
    measure = data_work.chosen_measure()
    for arrival in _mine():
        if arrival.now.phase == "failed":
            _forget(arrival.id)
    st.session_state.pop("there_already", None)
    arrival = _arrivals().begin(given, counter=lambda: measure.counter, again=again)
    _known()[arrival.id] = where
    _settle(arrival)
    if arrival.now.phase != "failed":
        st.session_state["arrived"] = where


def show() -> None:
    """Everything that is on its way in, and how what was begun here ended."""
    for arrival in _arrivals().all():
        if arrival.now.phase not in OVER:
            _known().setdefault(arrival.id, SEEN)
    for arrival in _mine():
        match arrival.now.phase:
            case "failed":
                _failed(arrival)
            case "asking":
                st.fragment(_question)(arrival.id)
            case "reading" | "keeping":
                st.fragment(_progress, run_every=LOOK_SECONDS)(arrival.id)
            case _:
                _ended_meanwhile(arrival)
    _there_already()


def show_failures(where: str) -> None:
    """What was begun at this place and failed, said there."""
    for arrival in _mine():
        if _known()[arrival.id] == where and arrival.now.phase == "failed":
            _failed(arrival)


def is_busy() -> bool:
    """Whether something is on its way in."""
    return any(arrival.now.phase not in OVER for arrival in _mine())


def _settle(arrival: Arrival) -> None:
    """Wait a moment, and choose what came in."""
    state = arrival.wait(PATIENCE_SECONDS)
    if state.phase == "stopped":
        _forget(arrival.id)
    if state.phase != "done":
        return
    where = _known().get(arrival.id)
    _forget(arrival.id)
    session.choose_version(state.versions[0])
    for held in ("place", "editing"):
        st.session_state.pop(held, None)
    st.session_state["there_already"] = {"name": arrival.name, "version": state.versions[0]} if state.again else None
    if where:
        st.session_state["arrived"] = where


def _ended_meanwhile(arrival: Arrival) -> None:
    """It ended between two looks. What was begun here is shown; what another window began is offered."""
    state = arrival.now
    if state.phase == "done" and _known()[arrival.id] == SEEN:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":material/check: {plain(shortened(arrival.name, 60))} has come in.", width="content")
            st.button("Show it", key=f"show_{arrival.id}", on_click=_settle, args=(arrival,))
            st.button("Close", key=f"close_{arrival.id}", type="tertiary", on_click=_forget, args=(arrival.id,))
        return
    _settle(arrival)
    st.rerun()


@trouble.told()
def _progress(arrival_id: str) -> None:
    arrival = _arrivals().find(arrival_id)
    if arrival is None or arrival.now.phase not in LIVE:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(arrival.now.progress.share, text=plain(_in_words(arrival.now.progress)), width="stretch")
        st.button("Stop", key=f"stop_{arrival_id}", icon=":material/stop_circle:", on_click=_stop, args=(arrival_id,))


@trouble.told()
def _question(arrival_id: str) -> None:
    arrival = _arrivals().find(arrival_id)
    if arrival is None or arrival.now.phase != "asking":
        st.rerun()
    with st.container(gap="small"):
        match arrival.now.question:
            case HowToBringIn() as question:
                data_conversion.ask(arrival.id, question, _answered, _stop)
            case WithoutTheRest() as question:
                data_left_out.ask(arrival.id, question, _answered, _stop)
    if session.version() is not None:
        st.divider()


@trouble.told()
def _answered(arrival_id: str, answer: Answer) -> None:
    if (arrival := _arrivals().find(arrival_id)) is not None:
        arrival.answer(answer)
        _settle(arrival)


@trouble.told()
def _stop(arrival_id: str) -> None:
    if (arrival := _arrivals().find(arrival_id)) is not None:
        arrival.stop()
        _settle(arrival)


def _failed(arrival: Arrival) -> None:
    error = arrival.now.error
    if error is None:
        return
    with st.container(gap="xsmall"):
        trouble.show(error)
        st.button("Close", key=f"close_{arrival.id}", type="tertiary", on_click=_forget, args=(arrival.id,))


def _there_already() -> None:
    """A file that came in a second time was chosen, not copied; a copy is a click away."""
    held = st.session_state.get("there_already")
    if not held or (version := session.version()) is None or version.id != held["version"]:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":material/info: {plain(shortened(held['name'], 60))} is on the shelf already, as "
            f"“{plain(shortened(version.dataset_name, 60))}”. That was chosen; nothing was copied.",
            width="content",
        )
        st.button("Bring it in again", key="again", on_click=_again, args=(version.id,))


@trouble.told()
def _again(version_id: str) -> None:
    """A second copy: from the file as it came, or, where nothing else was in it, from its examples and their split."""
    ws = session.workspace()
    first = shelf.version(ws, version_id)
    dataset = next((one for one in shelf.datasets(ws) if one.id == first.dataset_id), None)
    if dataset is None:
        raise WorkspaceError("That dataset is no longer on the shelf.", "Bring its file in again.")
    st.session_state.pop("there_already", None)
    if (source := first.changes.get("source")) is not None:
        begin([Given(dataset.source_name, ws.kept(source))], "another", again=True)
        return
    made = shelf.begin(ws, ws.kept(first.sha256), dataset.source_name, validation=first.validation, method=first.method)
    session.choose_version(made.id)
    st.session_state.pop("place", None)


def _in_words(progress: Progress) -> str:
    said = progress.stage
    if progress.total and progress.unit == "bytes":
        said += f": {progress.done // MEGABYTE:,} of {-(-progress.total // MEGABYTE):,} MB"
    elif progress.total:
        said += f": {progress.done:,} of {progress.total:,} {progress.unit}"
    return f"{said}, {_left(progress.seconds_left)} left" if progress.seconds_left is not None else said


def _left(seconds: float) -> str:
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} seconds"
    return f"about {round(seconds / 60)} minutes"


def _mine() -> list[Arrival]:
    """What this session began or has seen, the oldest first."""
    every = {arrival.id: arrival for arrival in _arrivals().all()}
    for gone in [one for one in _known() if one not in every]:
        _forget(gone)
    return [every[one] for one in _known()]


def _known() -> dict[str, str]:
    """The arrivals that this session has to tell of, each with the place at which it was begun; SEEN for others'."""
    return cast("dict[str, str]", st.session_state.setdefault("arriving", {}))


def _forget(arrival_id: str) -> None:
    _known().pop(arrival_id, None)


def _arrivals() -> Arrivals:
    return _arrivals_of(str(session.workspace().home))


@st.cache_resource(max_entries=8, show_spinner=False, on_release=lambda arrivals: arrivals.stop())
def _arrivals_of(home: str) -> Arrivals:
    return Arrivals(session.workspace())
