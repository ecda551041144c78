"""Base models of a person's own for the service on this machine: adding them, how far a download is, taking them out.

The list is read from the workspace; a thread keeps it true while a model is being fetched. The service is asked only
after a click.
"""

from __future__ import annotations

import logging
import threading
import time

import streamlit as st

from lib.errors import EtudeError
from lib.services import bases
from lib.services.bases import AddedBase
from lib.services.connection import Connection
from lib.services.service import Service
from lib.ui import session, trouble
from lib.ui.plain import plain, shortened
from lib.workspace.database import Workspace

log = logging.getLogger(__name__)

SECONDS = 1
NAME_LENGTH = 40
WANTED, ADDED = "wanted_base", "added_base"


def names(service: Service) -> list[str]:
    """The added base models that can be chosen, those too whose folder is gone: choosing one says so."""
    if service.kind != "embedded":
        return []
    return [base.name for base in bases.known(session.workspace()) if base.status in ("ready", "missing")]


def choose_added(key: str) -> None:
    """Put a model that was just added into the list of this key, which has not been drawn yet."""
    name = st.session_state.pop(ADDED, None)
    if name is not None:
        st.session_state[key] = name


def add(service: Service) -> None:
    """The popover in which base models are added and taken out."""
    if service.kind != "embedded":
        return
    number = st.session_state.setdefault("bases_added", 0)
    with st.popover("Add a model", icon=":material/add:", key=f"adding_base_{number}"):
        text = st.text_input(
            "Folder or hub id",
            key=f"base_text_{number}",
            placeholder="/home/me/model or organization/name",
            help="A folder on this machine, or a model on the Hugging Face hub, which is fetched over the network.",
        )
        name = st.text_input("Name", key=f"base_name_{number}", placeholder="As the folder or the model is called")
        st.caption(
            "A causal language model in Hugging Face's form: config.json, a tokenizer, and weights as safetensors. "
            "Code that comes with a model is never run."
        )
        st.button(
            "Add",
            type="primary",
            key=f"add_base_{number}",
            disabled=not text.strip(),
            on_click=_want,
            kwargs={"add": text, "name": name},
        )
        _do_wanted(service)
        for base in bases.known(session.workspace()):
            _row(base)


def tell(service: Service, chosen: str | None) -> None:
    """Under the list: what the chosen base model needs or lacks, and how far those are that are being fetched."""
    if service.kind != "embedded":
        return
    known = bases.known(session.workspace())
    base = next((one for one in known if one.name == chosen), None)
    if base is not None and base.error is not None:
        st.error(plain(base.error), icon=":material/error:")
    elif base is not None:
        st.caption(plain(_sentence(base)))
    if any(one.status == "downloading" for one in known):
        _follow_in_background(service)
        st.fragment(_under_way, run_every=SECONDS)()
    for one in known:
        if one.status == "failed":
            st.error(plain(f"{one.name} was not fetched. {one.error}"), icon=":material/error:")


def _sentence(base: AddedBase) -> str:
    told = f"{bases.figures(base)}."
    if base.lora_memory and base.free_memory is not None and base.lora_memory > base.free_memory:
        return f"{told} It does not fit now: choose a smaller model, or close other programs."
    return told


@trouble.told()
def _under_way() -> None:
    known = bases.known(session.workspace())
    coming = [one for one in known if one.status == "downloading"]
    for one in coming:
        share = (one.received or 0) / one.total if one.total else 0.0
        said = f"Fetching {shortened(one.name, NAME_LENGTH)}: {bases.progress(one)}"
        st.progress(min(1.0, share), text=plain(said))
    if not coming:
        st.rerun()


def _row(base: AddedBase) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"**{plain(shortened(base.name, NAME_LENGTH))}** · {plain(_state(base))}", width="stretch")
        if base.status == "failed" and base.hub_id is not None:
            again = {"add": base.hub_id, "name": base.name}
            st.button("Try again", type="tertiary", key=f"again_{base.name}", on_click=_want, kwargs=again)
        st.button(
            "Stop" if base.status == "downloading" else "Remove",
            type="tertiary",
            key=f"remove_base_{base.name}",
            help="Its folder stays where it is.",
            on_click=_want,
            kwargs={"remove": base.name},
        )


def _state(base: AddedBase) -> str:
    if base.status == "downloading":
        return bases.progress(base)
    return base.error or bases.figures(base)


def _want(**wanted: str) -> None:
    """The click. What it asks for is done when the page is drawn, where a wait can be seen."""
    st.session_state[WANTED] = wanted


def _do_wanted(service: Service) -> None:
    wanted = st.session_state.pop(WANTED, None)
    if wanted is None:
        return
    with trouble.told():
        with st.spinner("Asking the service on this machine …"):
            changed = _done(service, wanted)
        if changed:
            st.rerun()


def _done(service: Service, wanted: dict[str, str]) -> bool:
    """Do what a click asked for. True when the page has to be drawn again."""
    ws, connection = session.workspace(), session.connection(service)
    if connection is None:
        return False
    before = bases.known(ws)
    if "add" in wanted:
        base = bases.add(connection, wanted["add"], wanted["name"].strip() or None)
        if base.status == "ready":
            st.session_state[ADDED] = base.name
        # Other keys empty and close the popover, so that a second click adds nothing again.
        st.session_state["bases_added"] += 1
    if "remove" in wanted:
        bases.remove(connection, wanted["remove"])
    return bases.heard(ws, connection) != before or "add" in wanted


def _follow_in_background(service: Service) -> None:
    """A thread that keeps the list true until nothing is being fetched; one for a workspace."""
    ws = session.workspace()
    name = f"base models of {ws.home}"
    if any(thread.name == name for thread in threading.enumerate()):
        return
    connection = session.connection(service)
    if connection is not None:
        threading.Thread(target=_follow, name=name, args=(ws, connection), daemon=True).start()


def _follow(ws: Workspace, connection: Connection) -> None:
    try:
        while any(base.status == "downloading" for base in bases.heard(ws, connection)):
            time.sleep(SECONDS)
    except EtudeError as error:
        log.info("The base models could not be followed: %s", error)
    finally:
        ws.close()
