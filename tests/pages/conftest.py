"""Every page test has a home of its own and no network; `open_page` runs a page the way a browser's address does."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.ui.frame import ROAD
from lib.workspace.database import Workspace

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30

# AppTest knows no addresses: a page that is run by itself has its links to the others in the first run alone.
WITH_THE_ROAD = """
import runpy
import streamlit as st
from lib.ui import frame
if "framed" in st.session_state:
    frame.navigation()
runpy.run_path({page!r})
"""

OpenPage = Callable[[str], AppTest]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and no key in the environment."""
    place = tmp_path / "home"
    monkeypatch.setenv("ETUDE_HOME", str(place))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield place
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever leaves this machine fails the test that tried."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"A page tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What trouble.told caught without foreseeing it is a mistake of ours: no test may pass over it."""
    yield
    unforeseen = [record for record in caplog.get_records("call") if record.name == "lib.ui.trouble"]
    assert not [record for record in unforeseen if record.levelno >= logging.ERROR], unforeseen[0].exc_text


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace.open(home)


@pytest.fixture
def open_page() -> OpenPage:
    """Open a page by its name. Cold, as its own address does; the road around it is there at every later run."""

    def opened(name: str) -> AppTest:
        if name == ROAD[0].name:
            page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
        else:
            script = WITH_THE_ROAD.format(page=str(ROOT / "pages" / f"{name}.py"))
            page = AppTest.from_string(script, default_timeout=SECONDS)
        page.run()
        assert not page.exception, page.exception[0]
        return page

    return opened


def words(page: AppTest) -> str:
    """Everything that the page says, for looking up a sentence."""
    kinds = ("title", "subheader", "markdown", "caption", "text", "error", "warning", "info", "success", "code")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind))
