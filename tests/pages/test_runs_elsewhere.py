"""Jobs started elsewhere on the Runs page: asked for by a click alone, followed by another, watched like any run."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from lib.runs import book
from lib.runs.watch import poll
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service, add
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, SECONDS, words
from tests.protocol_server import ProtocolServer, Refused
from tests.protocol_server.world import Job
from tests.runs.conftest import lines

JOBS = "/fine_tuning/jobs"


@pytest.fixture(autouse=True)
def watcher(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The watcher stays out of it: what is asked here, a page has asked."""
    quiet = Mock()
    monkeypatch.setattr("lib.ui.session.watcher", quiet)
    return quiet


@pytest.fixture
def server(running: ProtocolServer) -> Iterator[ProtocolServer]:
    running.reset()
    running.world.manual = True
    yield running
    running.reset()


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session keeps its connection as long as it lives; here it ends with the test."""
    made: list[Connection] = []

    def noted(service: Service, secret: Secret | None) -> Connection:
        made.append(connect(service, secret))
        return made[-1]

    monkeypatch.setattr("lib.services.reach.connect", noted)
    yield
    for one in made:
        one.close()


@pytest.fixture
def lab(workspace: Workspace, server: ProtocolServer, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service with a key in the environment."""
    monkeypatch.setenv("LAB_KEY", server.api_key)
    made = add(workspace, kind="other", name="Lab", base_url=server.base_url, key_source="env:LAB_KEY")
    workspace.set_setting("chosen_service", made.id)
    return made


def job(server: ProtocolServer, suffix: str) -> Job:
    file = server.world.add_file("letters.jsonl", lines(10), "fine-tune")
    return server.world.add_job({"model": "open-base-8b", "training_file": file["id"], "suffix": suffix})


def runs() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "runs.py"), default_timeout=SECONDS).run()


def looked(app: AppTest) -> AppTest:
    app.button(key="elsewhere").click().run()
    app.button(key="elsewhere_look").click().run()
    assert not app.exception
    return app


def follow_buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button if button.label == "Follow"]


def test_nothing_is_asked_before_the_click_and_nothing_by_a_rerun(lab: Service, server: ProtocolServer) -> None:
    job(server, "letters")
    app = runs()
    app.button(key="elsewhere").click().run()
    assert server.count("GET", JOBS) == 0
    app.button(key="elsewhere_look").click().run()
    for _ in range(3):
        app.run()
    assert server.count("GET", JOBS) == 1
    assert server.count("GET", f"{JOBS}/*") == 0
    assert len(follow_buttons(app)) == 1


def test_a_found_job_is_followed_by_a_click_and_appears_as_a_run(
    lab: Service, workspace: Workspace, server: ProtocolServer, watcher: Mock
) -> None:
    one, other = job(server, "letters"), job(server, "tone")
    server.world.succeed(one)
    app = looked(runs())
    app.button(key=f"follow-{one.view['id']}").click().run()
    assert not app.exception
    assert follow_buttons(app) == [f"follow-{other.view['id']}"]
    (run,) = book.runs(workspace)
    assert (run.job_id, run.service_id, run.started_elsewhere) == (one.view["id"], lab.id, True)
    assert watcher().wake.called
    assert "Started elsewhere · Lab" in words(app)
    connection = connect(lab, Secret(server.api_key, lab.origin))
    poll(workspace, connection, run)
    connection.close()
    app.button(key=f"open-{run.id}").click().run()
    assert "Started elsewhere with letters" in words(app)
    assert len(app.get("plotly_chart")) == 1
    assert "Talk to it" in [button.label for button in app.button]


def test_two_tabs_that_follow_the_same_job_make_one_run(
    lab: Service, workspace: Workspace, server: ProtocolServer
) -> None:
    key = f"follow-{job(server, 'letters').view['id']}"
    here, there = looked(runs()), looked(runs())
    here.button(key=key).click().run()
    there.button(key=key).click().run()
    assert not there.error
    assert len(book.runs(workspace)) == 1


def test_a_service_with_nothing_new_says_so_and_the_panel_closes(lab: Service, server: ProtocolServer) -> None:
    app = looked(runs())
    assert "Lab has no job that is not followed here" in words(app)
    app.button(key="elsewhere_close").click().run()
    assert "elsewhere_look" not in [button.key for button in app.button]


def test_what_goes_wrong_is_a_sentence(lab: Service, server: ProtocolServer) -> None:
    server.next("GET", JOBS, Refused(401))
    app = looked(runs())
    assert app.error
    assert not follow_buttons(app)


def test_without_a_key_nothing_can_be_looked_for(workspace: Workspace, server: ProtocolServer) -> None:
    app = runs()
    app.button(key="elsewhere").click().run()
    assert app.button(key="elsewhere_look").disabled
    assert "OpenAI" in app.selectbox(key="elsewhere_service").options
    assert "On this machine" not in app.selectbox(key="elsewhere_service").options


def test_the_words_of_a_service_stay_text(lab: Service, server: ProtocolServer) -> None:
    job(server, "x").view |= {"status": "![x](http://evil/p.png)", "user_provided_suffix": "<b>bold</b>"}
    said = words(looked(runs()))
    assert "![x](" not in said
    assert "<b>bold</b>" in said


def test_a_long_list_is_shown_page_by_page(lab: Service, server: ProtocolServer) -> None:
    for number in range(8):
        job(server, f"n{number}")
    app = looked(runs())
    assert len(follow_buttons(app)) == 6
    assert "8 jobs are not followed here" in words(app)
