"""The whole engine with nothing replaced: a tiny network is trained, talked to, and survives a killed engine."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.engine import sealed
from lib.engine.network import Config, Network, save
from tests.engine.server.conftest import Running, Start, eventually
from tests.engine.server.test_chat import children
from tests.engine.server.test_continuity import alive

pytestmark = pytest.mark.slow

MODEL = "tiny-2026-01-01"
REAL: dict[str, Any] = {"real_check": True, "trainer": None, "answerer": None}


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(1)
    save(Network(Config(vocabulary=4096, width=64, layers=2, heads=2, hidden=96, context=2048, taps=3)), folder / MODEL)
    sealed.seal(folder / MODEL)
    return folder


def examples(count: int) -> bytes:
    pick = random.Random(3)
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"Number {n}, please? " + "and so on " * pick.randint(1, 9)},
                {"role": "assistant", "content": f"Of course: {n * 7}."},
            ]
        }
        for n in range(count)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def begin(engine: Running) -> str:
    training, validation = engine.upload(examples(60)), engine.upload(examples(12))
    return str(
        engine.client.fine_tuning.jobs.create(
            model="tiny",
            training_file=training,
            validation_file=validation,
            seed=3,
            hyperparameters={"n_epochs": 4, "batch_size": 4},
        ).id
    )


def metrics(engine: Running, job_id: str) -> list[dict[str, Any]]:
    events = engine.strict.fine_tuning.jobs.list_events(job_id, limit=100)
    return [dict(event.data) for event in events if event.type == "metrics"][::-1]  # type: ignore[call-overload]


def test_a_killed_engine_ends_with_the_losses_of_one_that_was_not(
    start_engine: Start, tiny_base: Path, tmp_path: Path
) -> None:
    whole = start_engine(tmp_path / "whole", bases=[str(tiny_base)], **REAL)
    undisturbed = begin(whole)
    job = whole.wait(undisturbed)
    assert job.status == "succeeded", job.error
    assert job.trained_tokens > 1000
    expected = metrics(whole, undisturbed)
    assert [step["step"] for step in expected] == list(range(1, 61))
    assert expected[-1]["train_loss"] < expected[0]["train_loss"]

    models = ("tiny", job.fine_tuned_model, f"{job.fine_tuned_model}:ckpt-step-30")
    for model in models:
        answer = whole.strict.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Number 3, please?"}], max_tokens=9, temperature=0
        )
        assert answer.usage is not None
        assert 0 < answer.usage.completion_tokens <= 9
    whole.close()

    engine = start_engine(tmp_path / "killed", bases=[str(tiny_base)], **REAL)
    job_id = begin(engine)
    eventually(lambda: len(metrics(engine, job_id)) > 20)
    engine.kill()
    again = start_engine(tmp_path / "killed", bases=[str(tiny_base)], **REAL)
    assert again.wait(job_id).status == "succeeded"
    assert metrics(again, job_id) == [pytest.approx(step, abs=1e-6) for step in expected]
    again.close()


def test_a_real_job_is_cancelled_at_once_and_its_checkpoint_answers(
    start_engine: Start, tiny_base: Path, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home", bases=[str(tiny_base)], **REAL)
    job = engine.job(model="tiny", training_file=engine.upload(examples(60)), hyperparameters={"n_epochs": 50})
    (checkpoint, *_) = eventually(lambda: engine.strict.fine_tuning.jobs.checkpoints.list(job.id).data)
    assert engine.client.with_options(timeout=2.5).fine_tuning.jobs.cancel(job.id).status == "cancelled"
    (checkpoint, *_) = engine.strict.fine_tuning.jobs.checkpoints.list(job.id)
    answer = engine.strict.chat.completions.create(
        model=checkpoint.fine_tuned_model_checkpoint, messages=[{"role": "user", "content": "Hello"}], max_tokens=3
    )
    assert answer.model == checkpoint.fine_tuned_model_checkpoint
    engine.close()


def preferences(count: int) -> bytes:
    """Pairs whose preferred answer is always the short one."""
    lines = [
        {
            "input": {"messages": [{"role": "user", "content": f"Number {n}, please?"}]},
            "preferred_output": [{"role": "assistant", "content": f"{n * 7}."}],
            "non_preferred_output": [{"role": "assistant", "content": f"Of course, here it is: {n * 7}."}],
        }
        for n in range(count)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def test_a_preference_job_learns_the_preference_and_survives_a_pause_and_a_kill(
    start_engine: Start, tiny_base: Path, tmp_path: Path
) -> None:
    def begin_pairs(engine: Running) -> str:
        return str(
            engine.strict.fine_tuning.jobs.create(
                model="tiny",
                training_file=engine.upload(preferences(40)),
                validation_file=engine.upload(preferences(12)),
                seed=3,
                method={
                    "type": "dpo",
                    "dpo": {"hyperparameters": {"n_epochs": 3, "batch_size": 4, "beta": 0.5}},
                },
            ).id
        )

    whole = start_engine(tmp_path / "whole", bases=[str(tiny_base)], **REAL)
    undisturbed = begin_pairs(whole)
    job = whole.wait(undisturbed)
    assert job.status == "succeeded", job.error
    expected = metrics(whole, undisturbed)
    assert [step["step"] for step in expected] == list(range(1, 31))
    assert expected[0]["train_loss"] == pytest.approx(0.693, abs=0.01)
    assert expected[-1]["train_loss"] < expected[0]["train_loss"]
    assert expected[-1]["full_valid_rewards_accuracy"] > 0.9
    assert expected[-1]["train_rewards_margin"] > 0
    assert len(job.result_files) == 2
    whole.close()

    engine = start_engine(tmp_path / "disturbed", bases=[str(tiny_base)], **REAL)
    job_id = begin_pairs(engine)
    eventually(lambda: len(metrics(engine, job_id)) > 5)
    assert engine.client.with_options(timeout=2.5).fine_tuning.jobs.pause(job_id).status == "paused"
    paused_at = len(metrics(engine, job_id))
    engine.client.fine_tuning.jobs.resume(job_id)
    eventually(lambda: len(metrics(engine, job_id)) > paused_at)
    engine.kill()
    again = start_engine(tmp_path / "disturbed", bases=[str(tiny_base)], **REAL)
    assert again.wait(job_id).status == "succeeded"
    assert metrics(again, job_id) == [pytest.approx(step, abs=1e-6) for step in expected]
    again.close()


def test_an_engine_can_start_several_processes_for_a_job(start_engine: Start, tiny_base: Path, tmp_path: Path) -> None:
    """torchrun stands between the engine and the trainers; pausing, killing and losses are as without it."""
    alone = start_engine(tmp_path / "alone", bases=[str(tiny_base)], **REAL)
    expected_id = begin(alone)
    assert alone.wait(expected_id).status == "succeeded"
    expected = metrics(alone, expected_id)
    alone.close()

    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    shared = REAL | {"trainer": [*torchrun, "-m", "lib.engine.train"], "bases": [str(tiny_base)]}
    engine = start_engine(tmp_path / "shared", **shared)
    job_id = begin(engine)
    eventually(lambda: len(metrics(engine, job_id)) > 5)
    started = trainers_among(descendants(engine.pid))
    assert len(started) >= 3
    assert engine.client.with_options(timeout=2.5).fine_tuning.jobs.pause(job_id).status == "paused"
    eventually(lambda: not any(alive(pid) for pid in started))
    engine.client.fine_tuning.jobs.resume(job_id)
    eventually(lambda: len(metrics(engine, job_id)) > 20)
    started = trainers_among(descendants(engine.pid))
    assert len(started) >= 3
    engine.kill()
    eventually(lambda: not any(alive(pid) for pid in started))

    again = start_engine(tmp_path / "shared", **shared)
    assert again.wait(job_id).status == "succeeded"
    assert metrics(again, job_id) == [pytest.approx(step, abs=1e-4) for step in expected]
    again.close()


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return [*found, *(one for child in found for one in descendants(child))]


def trainers_among(processes: list[int]) -> list[int]:
    """Those of the processes that still are a trainer, or the program that started one."""
    found = []
    for pid in processes:
        with contextlib.suppress(OSError):
            if b"lib.engine.train" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found
