"""The Runs page with runs in every state, opened cold, and what it must not do: ask a service anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from lib.runs import book
from lib.services.service import add
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, SECONDS, words
from tests.pages.run_stories import TUNED, tell

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking a service for anything fails the test. The watcher, which may, stays out of it."""

    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("A page asked a service")

    monkeypatch.setattr("lib.services.reach.connect", refuse)
    monkeypatch.setattr("lib.services.embedded.ensure", refuse)
    monkeypatch.setattr("lib.ui.session.watcher", Mock())


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    return workspace


@pytest.fixture
def runs() -> Open:
    """Opens the Runs page by its own address, with the run in it when an id is given."""

    def opened(run_id: str | None = None) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "runs.py"), default_timeout=SECONDS)
        if run_id is not None:
            page.query_params["run"] = run_id
        return page.run()

    return opened


def labels(app: AppTest) -> list[str]:
    """The buttons, without the quiet one that every list of runs has."""
    return [button.label for button in app.button if button.key != "elsewhere"]


def test_an_empty_workspace_has_one_action_that_fills_it(runs: Open) -> None:
    app = runs()
    assert not app.exception
    assert not app.error
    assert labels(app) == ["Train a model"]


@pytest.mark.parametrize("status", ["queued", "running", "succeeded", "failed", "cancelled", "paused", "something_new"])
def test_a_run_of_any_status_is_listed_and_opens(ws: Workspace, runs: Open, status: str) -> None:
    run_id = tell(ws, status, steps=0 if status == "queued" else 60)
    listed = runs()
    assert not listed.exception
    assert not listed.error
    assert labels(listed) == ["Open"]
    listed.button(key=f"open-{run_id}").click().run()
    assert not listed.exception
    assert "routing" in listed.title[0].value


def test_a_live_run_says_how_far_it_is_and_can_be_cancelled(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "running", steps=104))
    assert not app.exception
    assert "Step 104 of 180 · epoch 3.5 of 6" in app.progress[0].text
    assert "Stop the training" in labels(app)
    assert len(app.get("plotly_chart")) == 1


def test_a_live_run_can_be_paused_and_what_is_billed_is_said_before(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "running", steps=104))
    assert "Pause the training" in labels(app)
    assert "Resume the training" not in labels(app)
    said = words(app)
    assert "trained until then, at $5.00 for 1,000,000 tokens" in said.replace("\\", "")
    here = runs(tell(ws, "running", steps=104, service_id="embedded", job_id="ftjob-2", model="etude-tiny-2026-11-21"))
    assert "Nothing is billed on this machine" in words(here)
    assert "bills" not in words(here)


def test_a_paused_run_can_be_resumed_and_promises_no_end(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "paused", steps=104))
    assert "Resume the training" in labels(app)
    assert "Pause the training" not in labels(app)
    assert "Step 104 of 180" in app.progress[0].text
    assert "left" not in app.progress[0].text
    assert "trained from here on, at $5.00" in words(app).replace("\\", "")


def test_a_service_without_pausing_offers_none(ws: Workspace, runs: Open) -> None:
    nebius = add(ws, kind="nebius", name="Nebius", base_url="http://127.0.0.1:9/v1")
    app = runs(tell(ws, "running", steps=104, service_id=nebius.id))
    assert "Pause the training" not in labels(app)
    assert "Stop the training" in labels(app)


def test_a_run_that_another_program_started_says_so_with_its_files(ws: Workspace, runs: Open) -> None:
    run_id = tell(ws, "running", steps=104)
    assert "Started elsewhere · OpenAI" in words(runs(run_id))
    book.record_file_name(ws, run_id, "file-1", "![x](http://evil/p.png).jsonl")
    book.record_file_name(ws, run_id, "file-2", None)
    app = runs(run_id)
    said = words(app)
    assert "Started elsewhere with" in said
    assert "evil" in said
    assert "![x](" not in said
    assert "version" not in said


def test_a_preference_run_shows_how_often_the_preferred_answer_wins(ws: Workspace, runs: Open) -> None:
    plain_run = runs(tell(ws, "succeeded"))
    assert plain_run.segmented_control(key="measure").options == ["Loss", "Token accuracy"]
    app = runs(tell(ws, "succeeded", job_id="ftjob-2", pairs=True))
    assert app.segmented_control(key="measure").options[2:] == ["Pairs won", "Margin"]
    assert "the preferred answer gained in 9" in words(app)
    for measure in ("Pairs won", "Margin"):
        app.segmented_control(key="measure").set_value(measure).run()
        assert not app.exception
        assert app.toggle(key="log").disabled
        assert len(app.get("plotly_chart")) == 1


def test_a_finished_run_has_a_verdict_and_can_be_talked_to(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "succeeded", rising=0.004))
    assert "Overfitting since step 90" in words(app)
    assert "Talk to it" in labels(app)
    assert "Stop the training" not in labels(app)
    models = list(app.dataframe[0].value["Model"])
    assert models[0] == f"{TUNED}:ckpt-step-180"
    assert list(app.dataframe[0].value["Best"]).count(True) == 1


def test_a_failed_run_shows_the_words_of_the_service_as_text(ws: Workspace, runs: Open) -> None:
    error = {"code": "server_error", "message": "![x](http://evil/p.png) broke", "param": None}
    app = runs(tell(ws, "failed", steps=5, error=error))
    assert "broke" in app.error[0].value
    assert "![x](" not in app.error[0].value


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}])
def test_a_healthy_run_with_an_empty_error_shows_none(ws: Workspace, runs: Open, error: Any) -> None:
    app = runs(tell(ws, "succeeded", error=error))
    assert not app.error


def test_a_run_without_a_step_shows_no_curve_and_says_when_there_will_be_one(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "queued", steps=0))
    assert "The curve begins with the first step" in words(app)
    assert not app.get("plotly_chart")


def test_a_run_that_cannot_be_heard_keeps_what_is_known(ws: Workspace, runs: Open) -> None:
    run_id = tell(ws, "running", steps=60)
    book.record_problem(
        ws, run_id, book.Problem("The service does not answer.", "Check the network.", raw="ECONNREFUSED")
    )
    app = runs(run_id)
    assert "The service does not answer" in words(app)
    assert len(app.get("plotly_chart")) == 1
    assert "Failed" not in words(app)


def test_the_open_run_is_in_the_address_and_the_list_is_one_click_away(ws: Workspace, runs: Open) -> None:
    run_id = tell(ws, "succeeded")
    app = runs()
    app.button(key=f"open-{run_id}").click().run()
    assert app.query_params["run"] == run_id
    next(button for button in app.button if button.label == "All runs").click().run()
    assert labels(app) == ["Open"]
    assert "run" not in app.query_params


def test_an_unknown_run_is_a_sentence_and_no_traceback(runs: Open) -> None:
    app = runs("run_that_never_was")
    assert not app.exception
    assert "run\\_that\\_never\\_was" in app.error[0].value


def test_accuracy_epochs_and_smoothing_can_be_chosen(ws: Workspace, runs: Open) -> None:
    app = runs(tell(ws, "succeeded"))
    app.segmented_control(key="measure").set_value("Token accuracy").run()
    app.segmented_control(key="axis").set_value("Epoch").run()
    assert not app.exception
    assert app.toggle(key="log").disabled


def test_a_removed_service_keeps_its_runs(ws: Workspace, runs: Open) -> None:
    added = add(ws, kind="other", name="Lab", base_url="http://127.0.0.1:9/v1")
    run_id = tell(ws, "succeeded", service_id=added.id)
    assert "Lab" in words(runs(run_id))
    with ws.write() as db:
        db.execute("DELETE FROM services")
    assert not runs(run_id).exception


def test_an_axis_that_the_next_run_does_not_have_falls_back_to_steps(ws: Workspace, runs: Open) -> None:
    finished, live = tell(ws, "succeeded"), tell(ws, "running", job_id="ftjob-2", steps=40)
    app = runs(finished)
    app.segmented_control(key="axis").set_value("Tokens").run()
    app.query_params["run"] = live
    app.run()
    assert not app.exception
    assert not app.error
    assert app.segmented_control(key="axis").value == "Step"


def test_an_address_of_no_run_gets_a_sentence_and_the_list(ws: Workspace, runs: Open) -> None:
    run_id = tell(ws, "succeeded")
    page = runs("run_nope")
    assert "run" in page.error[0].value
    assert [title.value for title in page.title] == ["Runs"]
    assert page.button(key=f"open-{run_id}")
