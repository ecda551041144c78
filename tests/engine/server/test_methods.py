"""The methods of a job: what a request says of each, what the job object shows, and what the trainer is told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.engine.server.conftest import BASE, Running, Start

PAIRS = (
    json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": "a"}]},
            "preferred_output": [{"role": "assistant", "content": "b"}],
            "non_preferred_output": [{"role": "assistant", "content": "c"}],
        }
    ).encode()
    + b"\n"
) * 20


def dpo(**hyperparameters: Any) -> dict[str, Any]:
    return {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}


def orders(home: Path, job_id: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((home / "jobs" / job_id / "job.json").read_text())
    return told


def test_a_preference_job_goes_all_the_way_under_a_strict_client(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home", real_check=True)
    jobs = engine.strict.fine_tuning.jobs
    created = jobs.create(model=BASE, training_file=engine.upload(PAIRS), method=dpo(n_epochs=1, beta=0.5))  # type: ignore[arg-type]
    assert created.method is not None
    assert created.method.dpo is not None
    assert created.method.dpo.hyperparameters is not None
    assert created.method.dpo.hyperparameters.batch_size == "auto"
    engine.wait(created.id)

    job = jobs.retrieve(created.id)
    assert job.status == "succeeded", job.error
    shown = engine.http.get(f"fine_tuning/jobs/{job.id}").json()
    numbers = {"n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 1.0}
    assert shown["method"] == {"type": "dpo", "dpo": {"hyperparameters": numbers | {"beta": 0.5}}}
    assert shown["hyperparameters"] == numbers
    told = orders(tmp_path / "home", job.id)
    assert (told["method"], told["beta"], told["n_epochs"]) == ("dpo", 0.5, 1)

    step, *_ = [event for event in jobs.list_events(job.id, limit=100) if event.type == "metrics"]
    assert step.data == {
        "step": 5,
        "total_steps": 5,
        "train_loss": 0.6,
        "train_mean_token_accuracy": 1.0,
        "train_rewards_accuracy": 1.0,
        "train_rewards_margin": 2.5,
    }
    (checkpoint,) = jobs.checkpoints.list(job.id)
    assert checkpoint.metrics.train_loss == 0.6
    table = base64.b64decode(engine.strict.files.content(job.result_files[0]).content).decode().splitlines()
    assert table[0].endswith("valid_mean_token_accuracy,train_rewards_accuracy,train_rewards_margin")
    assert table[1] == "1,3,0.2,,,0.2,0.5"
    engine.close()


def test_auto_becomes_numbers_for_every_method(engine: Running) -> None:
    for method in (dpo(beta="auto"), {"type": "dpo"}, {"type": "dpo", "dpo": {}}):
        job = engine.job(method=method)
        assert engine.http.get(f"fine_tuning/jobs/{job.id}").json()["method"]["dpo"]["hyperparameters"]["beta"] in (
            "auto",
            0.1,
        )
        job = engine.wait(job.id)
        assert job.method.dpo.hyperparameters.to_dict() == {
            "n_epochs": 5,
            "batch_size": 1,
            "learning_rate_multiplier": 1.0,
            "beta": 0.1,
        }


def test_what_stands_under_the_method_counts_before_the_deprecated_place(engine: Running) -> None:
    outer = {"n_epochs": 3}
    both = engine.job(
        hyperparameters=outer, method={"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 2}}}
    )
    assert (both.hyperparameters.n_epochs, both.hyperparameters.batch_size) == ("auto", 2)
    only = engine.job(hyperparameters=outer, method={"type": "dpo"})
    assert only.method.dpo.hyperparameters.n_epochs == 3
    assert engine.job(hyperparameters=outer).method.supervised.hyperparameters.n_epochs == 3


def test_a_method_that_learns_from_graders_is_refused_with_the_reason(engine: Running) -> None:
    grader = {"type": "string_check", "name": "g", "operation": "eq", "input": "a", "reference": "b"}
    with pytest.raises(openai.BadRequestError, match="graders that score sampled answers") as refused:
        engine.job(method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    assert (refused.value.param, refused.value.code) == ("method.type", "unsupported_value")
    assert refused.value.body == {
        "message": refused.value.body["message"],  # type: ignore[index]
        "type": "invalid_request_error",
        "param": "method.type",
        "code": "unsupported_value",
    }


def test_a_file_for_another_method_fails_the_job_as_the_service_says_it(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home", real_check=True)
    chats, pairs = engine.upload(), engine.upload(PAIRS)
    job = engine.wait(engine.job(training_file=chats, method={"type": "dpo"}).id)
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_training_file", "training_file")
    assert job.error.message == (
        f"The job failed due to an invalid training file. Invalid file format. Input file {chats} is in the "
        "fine-tune-chat format, but the specified fine-tuning job is not using 'supervised' as the training method "
        "(provided method=dpo)."
    )
    assert engine.messages(job.id)[-2:] == [f"Validating training file: {chats}", job.error.message]
    assert job.hyperparameters.n_epochs == "auto"

    job = engine.wait(engine.job(training_file=pairs, validation_file=chats, method={"type": "dpo"}).id)
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")
    assert engine.wait(engine.job(training_file=pairs).id).error.code == "invalid_training_file"
    engine.close()


def test_what_of_a_model_is_trained_can_be_asked_for(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    asked = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1, "weights": "full"}}}
    job = engine.wait(engine.job(method=asked).id)
    shown = engine.http.get(f"fine_tuning/jobs/{job.id}").json()
    assert shown["method"]["supervised"]["hyperparameters"]["weights"] == "full"
    assert "weights" not in shown["hyperparameters"]
    assert orders(tmp_path / "home", job.id)["weights"] == "full"
    plain = engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    assert (
        "weights"
        not in engine.http.get(f"fine_tuning/jobs/{plain.id}").json()["method"]["supervised"]["hyperparameters"]
    )
    engine.close()
