"""A model folder in Hugging Face's form, made here with random weights, goes the whole way with nothing replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.hugging_face.jobs import conversations, pairs
from tests.engine.server.conftest import Running, Start, eventually
from tests.engine.server.test_bases import add
from tests.engine.server.test_real_training import REAL, metrics

pytestmark = pytest.mark.slow


def lines(examples: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, examples)).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.engine.hugging_face import tiny

    return tiny.save(tmp_path_factory.mktemp("folder") / "tiny-qwen", "qwen", tiny.QWEN)


def answer(engine: Running, model: str) -> str:
    said = engine.strict.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "3: red"}], max_tokens=5, temperature=0
    )
    assert said.model == model
    return said.choices[0].message.content or ""


def test_an_adapter_and_then_preferences_through_pause_kill_and_chat(
    start_engine: Start, folder: Path, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home", **REAL)
    base = add(engine, folder=str(folder), name="little")["id"]
    jobs = engine.client.fine_tuning.jobs
    training, held_out = engine.upload(lines(conversations(60))), engine.upload(lines(conversations(12)))
    numbers = {"n_epochs": 5, "batch_size": 4, "learning_rate_multiplier": 100}
    adapter = jobs.create(
        model=base,
        training_file=training,
        validation_file=held_out,
        seed=5,
        method={"type": "supervised", "supervised": {"hyperparameters": numbers}},  # type: ignore[typeddict-item]
    )
    eventually(lambda: len(metrics(engine, adapter.id)) > 5)
    assert engine.client.with_options(timeout=2.5).fine_tuning.jobs.pause(adapter.id).status == "paused"
    jobs.resume(adapter.id)
    engine.wait(adapter.id)
    made = engine.strict.fine_tuning.jobs.retrieve(adapter.id)
    assert made.status == "succeeded", made.error
    told = metrics(engine, adapter.id)
    assert [step["step"] for step in told] == list(range(1, 76))
    assert told[-1]["full_valid_loss"] < told[0]["train_loss"] / 2
    # The last three, and the best if it is none of them.
    listed = [one.step_number for one in engine.strict.fine_tuning.jobs.checkpoints.list(adapter.id)]
    assert listed[:3] == [75, 60, 45]
    assert made.fine_tuned_model is not None
    assert answer(engine, made.fine_tuned_model) == answer(engine, f"{made.fine_tuned_model}:ckpt-step-75")
    assert answer(engine, base) != answer(engine, made.fine_tuned_model)

    preference = jobs.create(
        model=made.fine_tuned_model,
        training_file=engine.upload(lines(pairs(30))),
        seed=5,
        method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "batch_size": 3, "beta": 0.3}}},
    )
    eventually(lambda: len(metrics(engine, preference.id)) > 3)
    engine.kill()

    again = start_engine(tmp_path / "home", **REAL)
    again.wait(preference.id)
    tuned = again.strict.fine_tuning.jobs.retrieve(preference.id)
    assert tuned.status == "succeeded", tuned.error
    told = metrics(again, preference.id)
    assert [step["step"] for step in told] == list(range(1, 31))
    assert told[0]["train_loss"] == pytest.approx(0.693, abs=0.01)
    assert told[-1]["train_loss"] < 0.69
    assert tuned.fine_tuned_model is not None
    for model in (base, made.fine_tuned_model, tuned.fine_tuned_model):
        assert isinstance(answer(again, model), str)
    again.close()
