"""What this browser session has chosen, and the keys it was given: plain ids and Secrets, nothing else.

What is chosen is also remembered in the workspace, so that a reload or a second tab begins where the last one was. A
key is never remembered there. Also hands out the one workspace and the one watcher that all sessions share.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import streamlit as st

from lib.errors import WorkspaceError
from lib.workspace.database import Workspace, default_home

if TYPE_CHECKING:
    from lib.dataset.shelf import Version
    from lib.runs.watch import Watcher
    from lib.services.connection import Connection
    from lib.services.credentials import Secret
    from lib.services.service import Service

# An answer that began before this is not being written any more, also not by another app on the same workspace.
LONGEST_ANSWER_SECONDS = 600


def workspace() -> Workspace:
    """The workspace under `$ETUDE_HOME`. Raises WorkspaceError when it cannot be used."""
    return _workspace(str(default_home()))


def services() -> tuple[Service, ...]:
    """Every service that can be chosen: the embedded one first."""
    from lib.services.service import known

    return known(workspace())


def service() -> Service:
    """The chosen service; the embedded one until another is chosen."""
    every = services()
    chosen = _chosen("service")
    return next((one for one in every if one.id == chosen), every[0])


def choose_service(service_id: str) -> None:
    """Make a service the chosen one, here and for sessions to come."""
    _choose("service", service_id)


def version() -> Version | None:
    """The chosen version of a dataset; the newest there is when none is chosen; None on an empty shelf."""
    from lib.dataset import shelf

    sets = shelf.datasets(workspace())
    if not sets:
        return None
    chosen = _chosen("version")
    every = {one.id for one in sets}
    if chosen is not None:
        with suppress(WorkspaceError):
            found = shelf.version(workspace(), chosen)
            if found.dataset_id in every:
                return found
    return shelf.version(workspace(), sets[0].latest)


def choose_version(version_id: str) -> None:
    """Make a version the one that Data, Cost and Train speak of, here and for sessions to come."""
    _choose("version", version_id)


def run_id() -> str | None:
    """The run that Runs shows, None when none was chosen."""
    return _chosen("run")


def choose_run(run_id: str) -> None:
    """Make a run the one that Runs shows and Playground offers first."""
    _choose("run", run_id)


def given_keys() -> Mapping[str, Secret]:
    """The keys given in this session, by service id."""
    return cast("Mapping[str, Secret]", st.session_state.setdefault("keys", {}))


def give_key(service: Service, typed: str) -> None:
    """Hold a key for this session only, and lend it to the watcher so that this service's runs can be followed.

    Raises BadCredentials when what was typed cannot be a key.
    """
    from lib.services.credentials import given

    secret = given(typed, service)
    st.session_state["keys"] = {**given_keys(), service.id: secret}
    _lent(str(workspace().home))[service.id] = secret
    _connection.clear()
    watcher().wake()


def forget_key(service_id: str) -> None:
    """Drop a key that was given in this session."""
    st.session_state["keys"] = {name: secret for name, secret in given_keys().items() if name != service_id}
    _lent(str(workspace().home)).pop(service_id, None)
    _connection.clear()


def connection(service: Service) -> Connection | None:
    """A way to talk to a service with this session's credentials; None when its key is missing.

    Starts the embedded service when it is the one asked for. Raises EngineError when that fails.
    """
    from lib.services.reach import reach

    if service.kind == "embedded":
        # It gets a new address and key at each start, and costs nothing to reach.
        return reach(workspace(), service, given_keys())
    return _connection(service.id, service)


def watcher() -> Watcher:
    """The one watcher of this workspace, running: it follows every live run and writes what it hears."""
    return _watcher(str(workspace().home))


def _chosen(name: str) -> str | None:
    held = f"chosen_{name}"
    if held not in st.session_state:
        st.session_state[held] = workspace().setting(held)
    return cast("str | None", st.session_state[held])


def _choose(name: str, value: str) -> None:
    st.session_state[f"chosen_{name}"] = value
    workspace().set_setting(f"chosen_{name}", value)


@st.cache_resource(scope="session", max_entries=8, show_spinner=False)
def _connection(service_id: str, _service: Service) -> Connection | None:
    """Kept for the session: the certificates of a hosted service take a while to load.

    Not closed when the session lets go of it: a launch or a measurement may still be using it in a thread of its own.
    """
    from lib.services.reach import reach

    return reach(workspace(), _service, given_keys())


@st.cache_resource(max_entries=8, show_spinner=False)
def _workspace(home: str) -> Workspace:
    from lib.playground import conversations

    ws = Workspace.open(Path(home))
    conversations.recover(ws, older_than_seconds=LONGEST_ANSWER_SECONDS)
    return ws


@st.cache_resource(max_entries=8, show_spinner=False)
def _lent(home: str) -> dict[str, Secret]:
    """Keys lent to the watcher of one workspace. Nothing else reads them: no session sees another's."""
    return {}


@st.cache_resource(max_entries=8, show_spinner=False, on_release=lambda watcher: watcher.stop())
def _watcher(home: str) -> Watcher:
    from lib.runs.elsewhere import Newcomers
    from lib.runs.watch import Watcher
    from lib.services.reach import reach
    from lib.services.service import find

    ws, lent = _workspace(home), _lent(home)

    def connect_for(service_id: str) -> Connection | None:
        service = find(ws, service_id)
        return reach(ws, service, lent) if service is not None else None

    watcher = Watcher(ws, connect_for, newcomers=Newcomers(ws))
    watcher.start()
    atexit.register(watcher.stop)
    return watcher
