"""Jobs that a person lets wait: what they wait for, what goes on meanwhile, and that nothing is lost by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest

from tests.engine.server.conftest import EXAMPLES, Running, Start, eventually
from tests.engine.server.test_chat import children
from tests.engine.server.test_continuity import alive, steps

LONG: dict[str, Any] = {"suffix": "slow", "hyperparameters": {"n_epochs": 50}}
SHORT: dict[str, Any] = {"hyperparameters": {"n_epochs": 1}}


def running(engine: Running, at_step: int = 2, **fields: Any) -> str:
    """A job that has told of a few steps."""
    job = engine.job(**(fields or LONG))
    eventually(lambda: len(steps(engine, job.id)) >= at_step)
    return str(job.id)


def trainers(engine: Running) -> list[int]:
    found = [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in children(engine.pid)]
    return [pid for pid, command in found if b"trainer" in command]


def pause(engine: Running, job_id: str) -> Any:
    # The bound of two seconds stands in the client's own clock: it gives up after that.
    return engine.client.with_options(timeout=2.5).fine_tuning.jobs.pause(job_id)


def test_a_paused_job_waits_and_goes_on_where_it_was(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job_id = running(engine, suffix="slow", hyperparameters={"n_epochs": 2})
    (trainer,) = trainers(engine)
    paused = pause(engine, job_id)
    assert (paused.status, paused.estimated_finish, paused.finished_at) == ("paused", None, None)
    assert not alive(trainer)
    told = engine.messages(job_id)
    assert told[-1] == "Fine-tuning job paused"
    first_part = steps(engine, job_id)

    assert engine.client.fine_tuning.jobs.resume(job_id).status in ("queued", "running")
    job = engine.wait(job_id)
    assert job.status == "succeeded"
    assert steps(engine, job_id) == list(range(1, 11))
    messages = engine.messages(job_id)
    assert messages[: len(told) + 1] == [*told, "Fine-tuning job resumed"]
    assert messages[len(told) + 1].startswith(f"Step {first_part[-1] + 1}/10")
    assert messages.count("Fine-tuning job started") == 1
    engine.close()


def test_a_job_can_be_paused_more_than_once(engine: Running) -> None:
    job_id = running(engine)
    for times in (1, 2):
        assert pause(engine, job_id).status == "paused"
        assert engine.messages(job_id).count("Fine-tuning job paused") == times
        before = len(steps(engine, job_id))
        engine.client.fine_tuning.jobs.resume(job_id)
        eventually(lambda before=before: len(steps(engine, job_id)) > before)
    assert engine.client.fine_tuning.jobs.cancel(job_id).status == "cancelled"


def test_the_next_job_trains_while_one_is_paused(engine: Running) -> None:
    job_id = running(engine)
    second, third = engine.job(**SHORT), engine.job(**LONG)
    engine.wait(third.id, "queued")
    assert pause(engine, third.id).status == "paused"
    assert pause(engine, job_id).status == "paused"
    assert engine.wait(second.id).status == "succeeded"
    assert engine.client.fine_tuning.jobs.retrieve(third.id).status == "paused"
    assert steps(engine, third.id) == []
    assert "Fine-tuning job started" not in engine.messages(third.id)

    # Order is by creation: the first goes on before the third begins, although that was resumed earlier.
    blocker = running(engine)
    engine.client.fine_tuning.jobs.resume(third.id)
    engine.client.fine_tuning.jobs.resume(job_id)
    engine.client.fine_tuning.jobs.cancel(blocker)
    engine.wait(job_id, "running")
    assert engine.client.fine_tuning.jobs.retrieve(third.id).status == "queued"
    for one in (third.id, job_id):
        assert engine.client.fine_tuning.jobs.cancel(one).status == "cancelled"


def test_a_job_whose_files_are_not_looked_at_yet_can_be_paused(start_engine: Start, tmp_path: Path) -> None:
    # Files are looked at one job after the other, and those of the first take their time.
    engine = start_engine(tmp_path / "home", real_check=True)
    first = engine.job(training_file=engine.upload(EXAMPLES * 1000))
    job = engine.job(**SHORT)
    paused = engine.client.fine_tuning.jobs.pause(job.id)
    assert paused.status == "paused"
    assert "Files validated, moving job to queued state" not in engine.messages(job.id)
    engine.client.fine_tuning.jobs.cancel(first.id)
    assert engine.client.fine_tuning.jobs.resume(job.id).status in ("validating_files", "queued", "running")
    assert engine.wait(job.id).status == "succeeded"
    messages = engine.messages(job.id)
    assert messages.count(f"Validating training file: {job.training_file}") == 1
    assert messages.index("Fine-tuning job resumed") < messages.index("Fine-tuning job started")


def test_a_trainer_that_does_not_listen_is_paused_by_force(engine: Running) -> None:
    job_id = running(engine, suffix="deaf", hyperparameters={"n_epochs": 50})
    assert pause(engine, job_id).status == "paused"
    assert engine.client.fine_tuning.jobs.cancel(job_id).status == "cancelled"


def test_a_paused_job_is_cancelled_and_keeps_its_checkpoints(engine: Running) -> None:
    job_id = running(engine, at_step=6)
    pause(engine, job_id)
    (checkpoint, *_) = engine.strict.fine_tuning.jobs.checkpoints.list(job_id)
    assert engine.client.models.retrieve(checkpoint.fine_tuned_model_checkpoint)
    assert engine.client.fine_tuning.jobs.cancel(job_id).status == "cancelled"
    assert engine.messages(job_id)[-2:] == ["Fine-tuning job paused", "Fine-tuning job cancelled"]
    assert engine.client.models.retrieve(checkpoint.fine_tuned_model_checkpoint)
    with pytest.raises(openai.BadRequestError, match="has the status 'cancelled'"):
        engine.client.fine_tuning.jobs.resume(job_id)


def test_jobs_in_other_states_are_refused_and_left_alone(engine: Running) -> None:
    jobs = engine.client.fine_tuning.jobs
    ended = engine.wait(engine.job(**SHORT).id).id
    with pytest.raises(openai.BadRequestError, match=r"cannot be paused.*'succeeded'") as refused:
        jobs.pause(ended)
    assert (refused.value.param, refused.value.code) == ("fine_tuning_job_id", "job_not_pausable")
    with pytest.raises(openai.BadRequestError, match=r"cannot be resumed.*'succeeded'") as refused:
        jobs.resume(ended)
    assert (refused.value.param, refused.value.code) == ("fine_tuning_job_id", "job_not_resumable")
    assert jobs.retrieve(ended).status == "succeeded"
    assert engine.messages(ended)[-1] == "The job has successfully completed"

    job_id = running(engine)
    with pytest.raises(openai.BadRequestError, match="'running'"):
        jobs.resume(job_id)
    pause(engine, job_id)
    with pytest.raises(openai.BadRequestError, match="'paused'"):
        jobs.pause(job_id)
    assert engine.messages(job_id).count("Fine-tuning job paused") == 1
    jobs.cancel(job_id)
    for unknown in (jobs.pause, jobs.resume):
        with pytest.raises(openai.NotFoundError) as missing:
            unknown("ftjob-unknown")
        assert missing.value.code == "fine_tune_not_found"


def test_a_paused_job_survives_a_killed_engine(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job_id = running(engine, suffix="slow", hyperparameters={"n_epochs": 2})
    waiting = engine.job(**SHORT)
    engine.wait(waiting.id, "queued")
    pause(engine, waiting.id)
    pause(engine, job_id)
    told = engine.messages(job_id)
    engine.kill()

    again = start_engine(tmp_path / "home")
    assert again.wait(again.job(**SHORT).id).status == "succeeded"
    for one in (job_id, waiting.id):
        assert again.client.fine_tuning.jobs.retrieve(one).status == "paused"
    assert again.messages(job_id) == told
    assert trainers(again) == []
    again.client.fine_tuning.jobs.resume(job_id)
    again.kill()

    last = start_engine(tmp_path / "home")
    assert last.wait(job_id).status == "succeeded"
    assert steps(last, job_id) == list(range(1, 11))
    assert last.messages(job_id).count("Fine-tuning job resumed") == 1
    assert last.client.fine_tuning.jobs.retrieve(waiting.id).status == "paused"
    last.close()


def test_an_engine_that_was_killed_while_pausing_pauses(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job_id = running(engine)
    left = trainers(engine)
    engine.kill()
    (tmp_path / "home" / "jobs" / job_id / "pause").touch()
    again = start_engine(tmp_path / "home")
    again.wait(job_id, "paused")
    assert again.messages(job_id)[-1] == "Fine-tuning job paused"
    eventually(lambda: not any(alive(pid) for pid in left))
    again.client.fine_tuning.jobs.cancel(job_id)
    again.close()


def test_a_paused_job_does_not_keep_an_idle_engine(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home", idle_exit=2.0)
    pause(engine, running(engine))
    assert engine.process.wait(timeout=30) == 0


def test_a_strict_client_is_told_of_a_status_that_its_types_lack(engine: Running) -> None:
    """The published types have no "paused", although the published operations answer it: the lax client shows it."""
    job_id = running(engine)
    with pytest.raises(openai.APIResponseValidationError, match="invalid for expected schema"):
        engine.strict.fine_tuning.jobs.pause(job_id)
    assert engine.strict.fine_tuning.jobs.with_raw_response.retrieve(job_id).http_response.json()["status"] == "paused"
    engine.strict.fine_tuning.jobs.resume(job_id)
    assert engine.strict.fine_tuning.jobs.cancel(job_id).status == "cancelled"
