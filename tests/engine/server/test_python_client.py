"""The whole way of a fine-tune with the official Python client, strict about every answer."""

from __future__ import annotations

import base64
from pathlib import Path

import openai
import pytest

from tests.engine.server.conftest import BASE, EXAMPLES, Running, eventually
from tests.engine.server.test_methods import PAIRS

QUESTION = [{"role": "user", "content": "a"}]


@pytest.fixture(scope="module")
def fine_tuned(engine: Running) -> str:
    """The id of a model that a strict client made."""
    jobs = engine.strict.fine_tuning.jobs
    file = engine.strict.files.create(file=("train.jsonl", EXAMPLES), purpose="fine-tune")
    assert engine.strict.files.wait_for_processing(file.id, poll_interval=0.01).status == "processed"
    job = jobs.create(
        model=BASE,
        training_file=file.id,
        validation_file=file.id,
        suffix="strict",
        seed=5,
        metadata={"from": "strict"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 4}}},
    )
    engine.wait(job.id)
    done = jobs.retrieve(job.id)
    assert (done.status, done.error, done.trained_tokens) == ("succeeded", None, 1234)
    assert done.fine_tuned_model is not None
    return done.fine_tuned_model


def job_of(engine: Running, model: str) -> openai.types.fine_tuning.FineTuningJob:
    return next(job for job in engine.strict.fine_tuning.jobs.list() if job.fine_tuned_model == model)


def test_events_checkpoints_and_results_are_read_to_their_end(engine: Running, fine_tuned: str) -> None:
    job = job_of(engine, fine_tuned)
    events = list(engine.strict.fine_tuning.jobs.list_events(job.id, limit=3))
    assert len({event.id for event in events}) == len(events)
    assert [event.type for event in events].count("metrics") == 10
    assert events[0].message == "The job has successfully completed"
    checkpoints = list(engine.strict.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert [one.step_number for one in checkpoints] == [10, 5]
    assert checkpoints[0].metrics.full_valid_loss == 0.5
    for file_id in job.result_files:
        table = base64.b64decode(engine.strict.files.content(file_id).content).decode()
        assert table.splitlines()[0].split(",")[0] in ("step", "example")


def test_the_model_and_its_checkpoints_answer(engine: Running, fine_tuned: str) -> None:
    job = job_of(engine, fine_tuned)
    checkpoints = engine.strict.fine_tuning.jobs.checkpoints.list(job.id)
    for model in (BASE, fine_tuned, *(one.fine_tuned_model_checkpoint for one in checkpoints)):
        assert engine.strict.models.retrieve(model).id == model
        answer = engine.strict.chat.completions.create(model=model, messages=QUESTION)  # type: ignore[arg-type]
        assert answer.choices[0].finish_reason == "stop"
        with engine.strict.chat.completions.stream(model=model, messages=QUESTION) as stream:  # type: ignore[arg-type]
            assert stream.get_final_completion().choices[0].message.content
        assert engine.strict.responses.create(model=model, input="a").output_text


def test_training_goes_on_from_the_model_with_preferences(engine: Running, fine_tuned: str, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_bytes(PAIRS)
    file = engine.strict.uploads.upload_file_chunked(file=pairs, mime_type="text/jsonl", purpose="fine-tune").file
    assert file is not None
    jobs = engine.strict.fine_tuning.jobs
    job = jobs.create(
        model=fine_tuned,
        training_file=file.id,
        suffix="slow",
        method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 4, "beta": 0.1}}},
    )
    assert job.model == fine_tuned
    eventually(lambda: jobs.checkpoints.list(job.id).data)
    running = jobs.retrieve(job.id)
    assert running.status == "running"
    assert isinstance(running.estimated_finish, int)
    assert engine.client.fine_tuning.jobs.pause(job.id).status == "paused"
    assert jobs.resume(job.id).status in ("queued", "running")
    engine.wait(job.id)
    done = jobs.retrieve(job.id)
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith(f"ft:{BASE}:local:slow:")
    assert done.method is not None
    assert done.method.dpo is not None


def test_a_job_that_is_cancelled_and_a_model_that_is_deleted(engine: Running, fine_tuned: str) -> None:
    jobs = engine.strict.fine_tuning.jobs
    job = jobs.create(model=BASE, training_file=engine.upload(), suffix="slow")
    assert jobs.cancel(job.id).status == "cancelled"
    assert [one.id for one in jobs.list(metadata={"from": "strict"})] == [job_of(engine, fine_tuned).id]
    copy = jobs.create(model=BASE, training_file=engine.upload(), hyperparameters={"n_epochs": 1})
    engine.wait(copy.id)
    made = jobs.retrieve(copy.id).fine_tuned_model
    assert made is not None
    assert engine.strict.models.delete(made).deleted
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        engine.strict.chat.completions.create(model=made, messages=QUESTION)  # type: ignore[arg-type]
    assert jobs.retrieve(copy.id).fine_tuned_model == made
