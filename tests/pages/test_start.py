"""Start: quick, says what to do next, and one button goes the whole road."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from lib.dataset import shelf
from lib.errors import EngineError
from lib.runs import book
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service, at
from lib.ui import session
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, OpenPage, words
from tests.pages.run_stories import tell
from tests.protocol_server.server import ProtocolServer

TOO_HEAVY = ("openai", "plotly.express", "pandas", "torch", "tiktoken")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProtocolServer]:
    """A service in the embedded one's place; nobody watches the runs, so that each request is the page's own."""
    made: list[Connection] = []
    with ProtocolServer() as server:
        server.world.add_model("etude-tiny")

        def connection(service: Service) -> Connection:
            here = at(service, server.base_url)
            made.append(connect(here, Secret(server.api_key, here.origin)))
            return made[-1]

        monkeypatch.setattr(session, "connection", connection)
        monkeypatch.setattr(session, "watcher", Mock())
        yield server
        for one in made:
            one.close()


def test_a_new_workspace_says_what_to_do_first(open_page: OpenPage) -> None:
    page = open_page("start")
    assert "Try the example" in [button.label for button in page.button]
    assert page.get("file_uploader")
    for sentence in ("No dataset yet", "Nothing trained yet"):
        assert sentence in words(page)
    assert not page.error


def test_one_button_brings_the_example_in_and_starts_the_training(
    open_page: OpenPage, workspace: Workspace, engine: ProtocolServer
) -> None:
    page = open_page("start")
    next(button for button in page.button if button.label == "Try the example").click().run()
    assert not page.error, page.error[0].value
    [run] = book.runs(workspace)
    [job] = engine.seen("POST", "/fine_tuning/jobs")
    assert run.job_id
    assert job.json["model"] == "etude-tiny"
    assert job.json["validation_file"]
    [dataset] = shelf.datasets(workspace)
    assert run.version_id == dataset.latest
    assert page.session_state["chosen_run"] == run.id
    assert workspace.setting("chosen_version") == dataset.latest


def test_when_the_service_does_not_start_a_sentence_says_so_and_nothing_is_launched(
    open_page: OpenPage, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(service: Service) -> Connection:
        raise EngineError("The service on this machine did not start.", "Look at its log.", raw="no room")

    monkeypatch.setattr(session, "connection", broken)
    page = open_page("start")
    next(button for button in page.button if button.label == "Try the example").click().run()
    assert not page.exception
    assert "did not start" in page.error[0].value
    assert "no room" in words(page)
    assert not book.runs(workspace)
    assert shelf.datasets(workspace)


def test_a_file_dropped_here_is_brought_in(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page("start")
    line = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    page.get("file_uploader")[0].upload("mine.jsonl", line * 10).run()
    assert not page.exception
    assert [one.name for one in shelf.datasets(workspace)] == ["mine"]


def test_the_first_page_loads_nothing_heavy() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"page = AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=30).run();"
        "assert not page.exception and not page.error;"
        f"print([name for name in {TOO_HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("status", "label"), [("running", "See how it goes"), ("cancelled", "See how it went")])
def test_the_way_to_the_last_run_says_whether_it_is_over(
    open_page: OpenPage, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, status: str, label: str
) -> None:
    monkeypatch.setattr(session, "watcher", Mock())
    tell(workspace, status, steps=3)
    page = open_page("start")
    labels = [link.proto.label for link in page.get("page_link")]
    assert label in labels
