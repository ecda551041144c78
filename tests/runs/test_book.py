"""What is written about runs stays, whatever shape it came in, and an answer that lacks a field takes nothing away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.errors import Throttled, WorkspaceError
from lib.runs import book
from lib.runs.book import Problem
from lib.runs.heard import checkpoint_of, event_of
from lib.workspace.database import Workspace

JOB = {
    "id": "ftjob-1",
    "model": "gpt-4.1-mini-2025-04-14",
    "status": "running",
    "created_at": 1_795_000_000,
    "hyperparameters": {"n_epochs": 3},
    "error": {},
}


def record(ws: Workspace, job: dict[str, Any], *, heard_at: float = 1.0) -> book.Run:
    with ws.write() as db:
        run_id = book.record_job(db, "openai", job, heard_at=heard_at)
    return book.run(ws, run_id)


def test_a_job_becomes_one_run_however_often_it_is_heard(ws: Workspace) -> None:
    first = record(ws, JOB)
    second = record(ws, {**JOB, "status": "succeeded", "fine_tuned_model": "ft:x", "finished_at": 1_795_000_100})
    assert first.id == second.id
    assert len(book.runs(ws)) == 1
    assert (second.status, second.fine_tuned_model, second.finished) == ("succeeded", "ft:x", True)


def test_an_answer_that_lacks_fields_takes_nothing_away(ws: Workspace) -> None:
    record(ws, {**JOB, "fine_tuned_model": "ft:x"})
    after = record(ws, {"id": "ftjob-1", "status": None, "model": 7, "fine_tuned_model": None})
    assert (after.status, after.model, after.fine_tuned_model) == ("running", JOB["model"], "ft:x")
    assert after.n_epochs == 3


def test_an_unknown_status_is_kept_as_it_is_and_is_not_an_end(ws: Workspace) -> None:
    heard = record(ws, {**JOB, "status": "pausing"})
    assert (heard.status, heard.finished) == ("pausing", False)


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}, "no", []])
def test_an_empty_error_is_no_error(ws: Workspace, error: Any) -> None:
    assert record(ws, {**JOB, "error": error}).error is None


def test_a_real_error_is_told_in_the_services_words(ws: Workspace) -> None:
    said = record(ws, {**JOB, "error": {"code": "invalid_n_examples", "message": "Training file has 7 example(s)"}})
    assert said.error == "Training file has 7 example(s)"


@pytest.mark.parametrize(
    ("job", "epochs"),
    [
        ({"hyperparameters": {"n_epochs": 4}}, 4),
        ({"hyperparameters": None, "method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2}}}}, 2),
        (
            {
                "hyperparameters": {"n_epochs": 5},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}},
            },
            5,
        ),
        ({"hyperparameters": {"n_epochs": "auto"}}, None),
        ({"method": {"type": ["x"]}, "hyperparameters": "none"}, None),
    ],
)
def test_epochs_are_found_wherever_the_service_puts_them(
    ws: Workspace, job: dict[str, Any], epochs: int | None
) -> None:
    assert record(ws, {"id": "ftjob-2", **job}).n_epochs == epochs


def test_a_problem_leaves_status_history_and_time_alone_and_goes_when_the_job_is_heard(ws: Workspace) -> None:
    run = record(ws, JOB, heard_at=50.0)
    book.record_problem(ws, run.id, Problem.of(Throttled("Slow down.", "Wait.", retry_after=30.0), 100.0))
    troubled = book.run(ws, run.id)
    assert (troubled.status, troubled.heard_at) == ("running", 50.0)
    assert troubled.problem == Problem("Slow down.", "Wait.", None, "Throttled", 130.0)
    assert record(ws, JOB, heard_at=60.0).problem is None


def test_events_are_kept_once_and_in_order(ws: Workspace) -> None:
    run = record(ws, JOB)
    said = [event_of({"id": f"e{n}", "created_at": n, "message": str(n)}) for n in (3, 1, 2)]
    assert book.record_events(ws, run.id, said) == 3
    assert book.record_events(ws, run.id, [*said, said[0]]) == 0
    assert [event.message for event in book.events(ws, run.id)] == ["1", "2", "3"]


def test_checkpoints_that_the_service_drops_are_still_known_here(ws: Workspace) -> None:
    run = record(ws, JOB)
    said = [checkpoint_of({"id": f"c{n}", "step_number": n, "fine_tuned_model_checkpoint": f"m{n}"}) for n in (10, 20)]
    assert book.record_checkpoints(ws, run.id, [one for one in said if one]) == 2
    assert book.record_checkpoints(ws, run.id, [one for one in said[1:] if one]) == 0
    assert [checkpoint.model for checkpoint in book.checkpoints(ws, run.id)] == ["m10", "m20"]


def test_what_may_still_change_is_unfinished(ws: Workspace) -> None:
    going = record(ws, {**JOB, "id": "going"})
    fresh = record(ws, {**JOB, "id": "fresh", "status": "succeeded", "finished_at": 1000}, heard_at=1010.0)
    record(ws, {**JOB, "id": "old", "status": "succeeded", "finished_at": 1000}, heard_at=9000.0)
    unheard = record(ws, {**JOB, "id": "unheard", "status": "failed", "finished_at": 1000}, heard_at=9000.0)
    book.record_problem(ws, unheard.id, Problem("No answer.", "Wait."))
    assert {run.id for run in book.unfinished(ws)} == {going.id, fresh.id, unheard.id}


def test_a_run_is_found_by_its_id_and_by_the_jobs(ws: Workspace) -> None:
    run = record(ws, JOB)
    assert book.run(ws, "ftjob-1") == book.run(ws, run.id) == run
    with pytest.raises(WorkspaceError, match="no run nope"):
        book.run(ws, "nope")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
names = ("id", "created_at", "level", "message", "data", "type", "step_number", "metrics", "status", "model", "method")
more = ("error", "hyperparameters", "finished_at", "fine_tuned_model", "fine_tuned_model_checkpoint")
keys = st.sampled_from((*names, *more))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, anything, max_size=9))
def test_no_answer_is_too_strange_to_be_written_down(ws: Workspace, said: dict[str, Any]) -> None:
    run = record(ws, {**said, "id": "ftjob-strange"})
    assert isinstance(run.error, str | None)
    assert isinstance(run.n_epochs, int | None)
    event = event_of(said)
    book.record_events(ws, run.id, [event, event_of(said)])
    assert event.id in book.event_ids(ws, run.id)
    checkpoint = checkpoint_of(said)
    if checkpoint is not None:
        book.record_checkpoints(ws, run.id, [checkpoint])
