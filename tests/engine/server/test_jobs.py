"""The life of a job as OpenAI's: statuses, events word for word, checkpoints, model, result file."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import openai
import pytest

from tests.engine.server.conftest import BASE, Running, Start, eventually

METRICS = {"step", "total_steps", "train_loss", "train_mean_token_accuracy"}


def test_a_job_goes_all_the_way(engine: Running) -> None:
    training = engine.upload()
    created = engine.job(
        training_file=training,
        suffix="My Suffix",
        seed=7,
        metadata={"who": "me"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    )
    assert created.status == "validating_files"
    assert created.model == BASE
    assert created.fine_tuned_model is None
    assert created.trained_tokens is None
    assert created.hyperparameters.n_epochs == 2
    assert created.hyperparameters.batch_size == "auto"

    job = engine.wait(created.id)
    assert job.status == "succeeded"
    assert re.fullmatch(rf"ft:{BASE}:local:my-suffix:\w{{8}}", job.fine_tuned_model)
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (2, 1)
    assert job.hyperparameters.learning_rate_multiplier == 1.0
    assert job.method.supervised.hyperparameters.batch_size == 1
    assert (job.seed, job.metadata, job.trained_tokens) == (7, {"who": "me"}, 1234)
    assert job.estimated_finish is None
    assert job.finished_at >= job.created_at
    assert engine.messages(job.id) == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {training}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        *(f"Step {step}/10: training loss={3 / step:.2f}" for step in range(1, 11)),
        f"Checkpoint created at step 5 with Snapshot ID: {job.fine_tuned_model}:ckpt-step-5",
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]


def test_a_strict_client_reads_a_job_in_every_state(engine: Running) -> None:
    job = engine.strict.fine_tuning.jobs.create(model=BASE, training_file=engine.upload())
    assert job.error is None
    assert 0 <= job.seed < 2**31
    assert engine.strict.fine_tuning.jobs.retrieve(job.id).error is None
    engine.wait(job.id)
    ended = engine.strict.fine_tuning.jobs.retrieve(job.id)
    assert (ended.status, ended.error) == ("succeeded", None)
    assert next(iter(engine.strict.fine_tuning.jobs.list())).id == job.id
    assert list(engine.strict.fine_tuning.jobs.list_events(job.id))
    assert list(engine.strict.fine_tuning.jobs.checkpoints.list(job.id))


def test_metrics_events_checkpoints_and_result_file_agree(engine: Running) -> None:
    job = engine.wait(engine.job(validation_file=engine.upload(), hyperparameters={"n_epochs": 1}).id)
    metrics = [e for e in engine.strict.fine_tuning.jobs.list_events(job.id, limit=100) if e.type == "metrics"][::-1]
    assert set(metrics[0].data) == METRICS | {"valid_loss", "valid_mean_token_accuracy"}
    assert set(metrics[4].data) == set(metrics[0].data) | {"full_valid_loss", "full_valid_mean_token_accuracy"}
    assert metrics[4].message == "Step 5/5: training loss=0.60, validation loss=0.80, full validation loss=1.00"
    assert f"Validating training file: {job.training_file} and validation file: {job.validation_file}" in (
        engine.messages(job.id)
    )
    (checkpoint,) = engine.strict.fine_tuning.jobs.checkpoints.list(job.id)
    assert checkpoint.fine_tuned_model_checkpoint == job.fine_tuned_model
    assert (checkpoint.step_number, checkpoint.metrics.full_valid_loss) == (5, 1.0)

    result = engine.strict.files.retrieve(job.result_files[0])
    assert result.purpose == "fine-tune-results"
    rows = base64.b64decode(engine.strict.files.content(result.id).content).decode().splitlines()
    assert rows[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert rows[1] == "1,3,0.2,4,0.2"
    assert len(rows) == 6


def test_losses_of_single_examples_are_a_second_result_file(engine: Running) -> None:
    job = engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    names = [engine.strict.files.retrieve(file_id).filename for file_id in job.result_files]
    assert names == ["step_metrics.csv", "example_losses.csv"]
    rows = base64.b64decode(engine.strict.files.content(job.result_files[1]).content).decode().splitlines()
    assert rows[:2] == ["example,loss_before,loss_after", "1,3.00000,2.00000"]
    assert len(rows) == 21
    engine.client.files.delete(job.result_files[1])
    assert engine.client.fine_tuning.jobs.retrieve(job.id).result_files == job.result_files


def test_result_file_leaves_cells_empty_without_validation(engine: Running) -> None:
    job = engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    content = base64.b64decode(engine.strict.files.content(job.result_files[0]).content).decode()
    assert content.splitlines()[2] == "2,1.5,0.4,,"


def test_a_job_with_too_few_examples_fails_in_the_services_words(engine: Running) -> None:
    job = engine.wait(engine.job(training_file=engine.upload(b"{}\n" * 7)).id)
    assert job.status == "failed"
    assert job.error.code == "invalid_n_examples"
    assert job.error.param == "training_file"
    assert job.error.message == "Training file has 7 example(s), but must have at least 10 examples"
    assert job.fine_tuned_model is None
    assert not any("queued" in message for message in engine.messages(job.id))


def test_what_the_trainer_reports_as_failed_is_the_jobs_error(engine: Running) -> None:
    job = engine.wait(engine.job(suffix="fails").id)
    assert (job.status, job.error.code, job.error.message) == (
        "failed",
        "invalid_training_file",
        "It cannot be learnt.",
    )


def test_a_trainer_that_never_gets_anywhere_fails_the_job_and_not_the_queue(engine: Running) -> None:
    job = engine.wait(engine.job(suffix="hopeless").id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "no such thing as a weight" in job.error.message
    assert engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id).status == "succeeded"


def test_a_trainer_that_died_goes_on_without_a_gap_or_a_repetition(engine: Running) -> None:
    job = engine.wait(engine.job(suffix="crash", hyperparameters={"n_epochs": 3}).id)
    assert job.status == "succeeded"
    steps = [message for message in engine.messages(job.id) if message.startswith("Step")]
    assert [int(message.split("/")[0][5:]) for message in steps] == list(range(1, 16))


def test_a_trainer_that_dies_at_the_same_step_each_time_is_not_started_for_ever(engine: Running) -> None:
    job = engine.wait(engine.job(suffix="stuck", hyperparameters={"n_epochs": 3}).id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "The trainer ended with status -9" in job.error.message
    assert [point.step_number for point in engine.client.fine_tuning.jobs.checkpoints.list(job.id)] == [5]


def test_cancelling_a_running_job_keeps_its_checkpoints(engine: Running) -> None:
    job = engine.job(suffix="slow", hyperparameters={"n_epochs": 50})
    eventually(lambda: engine.strict.fine_tuning.jobs.checkpoints.list(job.id).data)
    running = engine.client.fine_tuning.jobs.retrieve(job.id)
    assert running.status == "running"
    assert running.estimated_finish is not None
    cancelled = engine.client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.fine_tuned_model is None
    (checkpoint, *_) = engine.strict.fine_tuning.jobs.checkpoints.list(job.id)
    assert engine.client.models.retrieve(checkpoint.fine_tuned_model_checkpoint)
    before = engine.messages(job.id)
    assert before[-1] == "Fine-tuning job cancelled"
    with pytest.raises(openai.BadRequestError, match="already completed"):
        engine.client.fine_tuning.jobs.cancel(job.id)
    assert engine.messages(job.id) == before


def test_a_trainer_that_does_not_listen_is_ended_by_force(engine: Running) -> None:
    job = engine.job(suffix="deaf", hyperparameters={"n_epochs": 50})
    engine.wait(job.id, "running")
    eventually(lambda: any(message.startswith("Step") for message in engine.messages(job.id)))
    # The bound of two seconds stands in the client's own clock: it gives up after that.
    assert engine.client.with_options(timeout=2.5).fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_one_job_trains_and_the_others_wait(engine: Running) -> None:
    first = engine.job(suffix="slow", hyperparameters={"n_epochs": 50})
    second = engine.job(hyperparameters={"n_epochs": 1})
    third = engine.job(hyperparameters={"n_epochs": 1})
    engine.wait(first.id, "running")
    engine.wait(second.id, "queued")
    assert engine.client.fine_tuning.jobs.cancel(third.id).status == "cancelled"
    assert not any("started" in message for message in engine.messages(third.id))
    assert engine.client.fine_tuning.jobs.retrieve(second.id).status == "queued"
    engine.client.fine_tuning.jobs.cancel(first.id)
    assert engine.wait(second.id).status == "succeeded"
    assert engine.client.fine_tuning.jobs.retrieve(third.id).status == "cancelled"


def test_the_trainer_sees_no_secret_and_learns_no_token(
    start_engine: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://canary")
    engine = start_engine(tmp_path / "home")
    job = engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    environment = (tmp_path / "home" / "jobs" / job.id / "environment.json").read_text()
    assert "canary" not in environment
    assert engine.api_key not in environment


def test_training_goes_on_from_an_earlier_fine_tune(engine: Running) -> None:
    first = engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    second = engine.wait(engine.job(model=first.fine_tuned_model, hyperparameters={"n_epochs": 1}).id)
    assert second.model == first.fine_tuned_model
    assert second.fine_tuned_model.startswith(f"ft:{BASE}:local::")
    assert second.fine_tuned_model != first.fine_tuned_model


def test_jobs_are_listed_newest_first_paged_and_filtered(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    training = engine.upload()
    made = [engine.job(training_file=training, metadata={"n": str(n % 2)}).id for n in range(5)]
    jobs = engine.client.fine_tuning.jobs
    assert [job.id for job in jobs.list(limit=2)] == made[::-1]
    assert [job.id for job in jobs.list(metadata={"n": "1"})] == [made[3], made[1]]
    assert engine.http.get("fine_tuning/jobs?metadata=null").json()["data"] == []
    page = jobs.list(limit=2, after=made[3])
    assert [job.id for job in page.data] == [made[2], made[1]]
    assert page.has_more
    with pytest.raises(openai.NotFoundError):
        jobs.list(after="ftjob-unknown")
    with pytest.raises(openai.BadRequestError, match="at most 16 pairs"):
        jobs.list(metadata={f"k{number}": "v" for number in range(1500)})


def test_the_same_idempotency_key_gives_the_same_job(engine: Running) -> None:
    training = engine.upload()
    keyed = {"extra_headers": {"Idempotency-Key": "once"}}
    first = engine.job(training_file=training, hyperparameters={"n_epochs": 1}, **keyed)
    again = engine.job(training_file=training, hyperparameters={"n_epochs": 1}, **keyed)
    assert again.id == first.id
    with pytest.raises(openai.BadRequestError, match="another request"):
        engine.job(training_file=training, hyperparameters={"n_epochs": 2}, **keyed)
    assert engine.job(training_file=training, hyperparameters={"n_epochs": 1}).id != first.id


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "gpt-4o-mini"}, "model"),
        ({"training_file": "file-unknown"}, "training_file"),
        ({"validation_file": "file-unknown"}, "validation_file"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": "many"}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"batch_size": 257}}, "hyperparameters.batch_size"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, "hyperparameters.learning_rate_multiplier"),
        ({"suffix": ""}, "suffix"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": {}}}}, "method.type"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised"),
        ({"method": {"type": "supervised", "dpo": {}}}, "method.dpo"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0}}}}, "method.dpo.hyperparameters.beta"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.1}}}}, "method.dpo.hyperparameters.beta"),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 0}}}},
            "method.dpo.hyperparameters.n_epochs",
        ),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"weights": "some"}}}},
            "method.supervised.hyperparameters.weights",
        ),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"weights": "lora"}}}},
            "method.dpo.hyperparameters.weights",
        ),
        ({"method": {}}, "method.type"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_name(engine: Running, fields: dict[str, object], param: str) -> None:
    before = engine.client.fine_tuning.jobs.list(limit=1).data[0].id
    with pytest.raises(openai.BadRequestError) as refused:
        engine.client.fine_tuning.jobs.create(**({"model": BASE, "training_file": engine.upload()} | fields))
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"
    assert engine.client.fine_tuning.jobs.list(limit=1).data[0].id == before


def test_integers_may_be_written_with_a_point(engine: Running) -> None:
    body = f'{{"model": "{BASE}", "training_file": "{engine.upload()}", "seed": 3.0}}'
    answer = engine.http.post("fine_tuning/jobs", content=body, headers={"content-type": "application/json"})
    assert answer.json()["seed"] == 3
    engine.wait(answer.json()["id"])
