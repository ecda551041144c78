"""The button that launches, and what is shown until it is known what became of it.

The intent's id is made from the plan and from how often this very plan was launched before. Two clicks, or two tabs
that show the same plan, therefore carry the same id, and lib.runs.launch starts one job for it. The work is done by a
thread that knows no screen; what the screen shows is read from the workspace, so that a reload shows the same. A launch
whose answer got lost is settled by the watcher.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.errors import EtudeError
from lib.runs import intents
from lib.runs.intents import Launch
from lib.runs.launch import launch
from lib.runs.plan import Plan
from lib.services.connection import Connection
from lib.ui import frame, runs_words, session, trouble
from lib.ui.plain import plain, shortened
from lib.workspace.database import Workspace

log = logging.getLogger(__name__)

SECONDS = 1
LABEL_LENGTH = 44
STATES = {
    "prepared": "About to send the data.",
    "uploading": "Sending the data.",
    "sending": "Asking the service for the job.",
    "unknown": "No clear answer came. Checking at the service whether the job was created; nothing is sent twice.",
}


def intent_id(plan: Plan) -> str:
    """The id under which this plan would be launched now: the same in every tab until it has been launched."""
    before = sum(earlier.plan == plan and earlier.settled for earlier in intents.launches(session.workspace()))
    said = json.dumps([plan.to_json(), before], sort_keys=True)
    return "launch_" + hashlib.sha256(said.encode()).hexdigest()[:24]


def button(plan: Plan | None, launch_id: str, label: str, missing: Sequence[str]) -> None:
    """Launch, or what is still missing; while a launch is under way, how far it is."""
    _begin_wanted()
    underway = st.session_state.get("launching", launch_id)
    if _under_way(underway):
        st.fragment(_until_settled, run_every=SECONDS)(underway)
        return
    _go_to_run(st.session_state.pop("launching", None))
    st.button(
        plain(shortened(missing[0], LABEL_LENGTH)) if missing else label,
        key="launch",
        type="primary",
        icon=":material/rocket_launch:",
        disabled=bool(missing),
        width="stretch",
        on_click=_want,
        args=(plan.to_json() if plan is not None else None, launch_id),
    )
    for sentence in missing:
        if sentence != missing[0] or len(sentence) > LABEL_LENGTH:
            st.caption(f":orange[{plain(sentence)}]")
    _last_time(plan)


def show_pending() -> None:
    """One line for each launch of which it is not known yet what became of it."""
    for known in intents.launches(session.workspace(), unsettled=True):
        _state(known)


def _want(plan: Mapping[str, Any] | None, launch_id: str) -> None:
    """The click. It carries what the person saw, also when another tab has launched the same since."""
    st.session_state["wanted"] = {"plan": plan, "id": launch_id}


def _begin_wanted() -> None:
    wanted = st.session_state.pop("wanted", None)
    if wanted is None or wanted["plan"] is None:
        return
    plan = Plan.from_json(wanted["plan"])
    with trouble.told(), st.spinner("Reaching the service …"):
        service = next(one for one in session.services() if one.id == plan.service_id)
        connection = session.connection(service)
        if connection is not None:
            values = (session.workspace(), connection, plan, wanted["id"])
            threading.Thread(target=_launch, name=wanted["id"], args=values, daemon=True).start()
            st.session_state["launching"] = wanted["id"]


def _launch(ws: Workspace, connection: Connection, plan: Plan, launch_id: str) -> None:
    """Runs in a thread. What goes wrong is kept with the intent, where the screen reads it."""
    try:
        launch(ws, connection, plan, launch_id=launch_id)
    except EtudeError as error:
        log.info("Launch %s: %s", launch_id, error)


def _under_way(launch_id: str) -> bool:
    if any(thread.name == launch_id for thread in threading.enumerate()):
        return True
    known = _known(launch_id)
    return known is not None and not known.settled


def _known(launch_id: str) -> Launch | None:
    return next((one for one in intents.launches(session.workspace()) if one.id == launch_id), None)


@trouble.told()
def _until_settled(launch_id: str) -> None:
    known = _known(launch_id)
    if known is not None:
        _state(known)
    if not _under_way(launch_id):
        st.rerun()


def _state(known: Launch) -> None:
    st.status(f"{plain(known.plan.model)}: {STATES.get(known.state, known.state)}", type="compact")


def _go_to_run(launch_id: str | None) -> None:
    known = _known(launch_id) if launch_id is not None else None
    if known is not None and known.run_id is not None:
        st.session_state.pop("left_run", None)
        session.watcher().wake()
        session.choose_run(known.run_id)
        frame.go("runs")


def _last_time(plan: Plan | None) -> None:
    """What became of this very plan when it was launched before."""
    ws = session.workspace()
    last = next((one for one in intents.launches(ws) if one.plan == plan), None)
    if last is None:
        return
    if last.problem is not None:
        trouble.show(EtudeError(last.problem.what, last.problem.todo, raw=last.problem.raw))
    elif last.run_id is not None:
        when = runs_words.clock(last.created_at, ws.clock())
        st.caption(f"This very training was launched at {when}. Launching again starts another job.")
