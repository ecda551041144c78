"""Models: what is listed, what an alias resolves to, and what may be deleted."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from tests.engine.server.conftest import BASE, Running, Start


def test_base_models_are_discovered_with_their_alias(engine: Running) -> None:
    models = {model.id: model for model in engine.strict.models.list()}
    assert set(models) >= {BASE, "base-one"}
    assert "notes" not in models
    assert (models[BASE].owned_by, models[BASE].created, models[BASE].shutdown_date) == ("system", 1767312000, None)
    assert engine.strict.models.retrieve("base-one").id == "base-one"


def test_a_fine_tune_can_be_deleted_and_is_then_gone(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job = engine.wait(engine.job(hyperparameters={"n_epochs": 2}).id)
    checkpoint = f"{job.fine_tuned_model}:ckpt-step-5"
    listed = [model.id for model in engine.strict.models.list()]
    assert {job.fine_tuned_model, checkpoint, f"{job.fine_tuned_model}:ckpt-step-10"} <= set(listed)
    assert engine.strict.models.retrieve(job.fine_tuned_model).owned_by == "local"
    told = [one.fine_tuned_model_checkpoint for one in engine.strict.fine_tuning.jobs.checkpoints.list(job.id)]
    assert told == [job.fine_tuned_model, checkpoint]
    weights = list((tmp_path / "home" / "models").iterdir())
    assert len(weights) == 1

    assert engine.strict.models.delete(job.fine_tuned_model).deleted
    assert list((tmp_path / "home" / "models").iterdir()) == []
    for ask in (
        lambda: engine.client.models.retrieve(job.fine_tuned_model),
        lambda: engine.client.models.delete(job.fine_tuned_model),
        lambda: engine.client.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": "a"}]
        ),
    ):
        with pytest.raises(openai.NotFoundError) as gone:
            ask()
        assert gone.value.code == "model_not_found"
    # Its checkpoints are models of their own, and the job still says what it made.
    told = [one.fine_tuned_model_checkpoint for one in engine.strict.fine_tuning.jobs.checkpoints.list(job.id)]
    assert told == [f"{job.fine_tuned_model}:ckpt-step-10", checkpoint]
    assert engine.strict.models.retrieve(checkpoint).id == checkpoint
    assert engine.client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model == job.fine_tuned_model
    assert engine.strict.models.delete(checkpoint).deleted
    assert not (tmp_path / "home" / "jobs" / job.id / "checkpoints" / "step-5").exists()


@pytest.mark.parametrize("model", [BASE, "base-one"])
def test_a_base_model_cannot_be_deleted(engine: Running, model: str) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="base model"):
        engine.client.models.delete(model)
    assert engine.strict.models.retrieve(model)


@pytest.mark.parametrize("model", ["gpt-4o", "ft:base-one-2026-01-02:local::aaaaaaaa", "..", "notes", "x" * 3000])
def test_an_unknown_model_is_told_so(engine: Running, model: str) -> None:
    answer = engine.http.get(f"models/{model}" if model != ".." else "models/%2E%2E")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
