"""A training shared by two processes of this machine: the same losses as one, and all stop, fail and go on together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lib.engine import sealed
from lib.engine.network import Config, Network, save
from lib.engine.train.stop import Stopped
from lib.engine.train.together import Together

ROOT = Path(__file__).parents[3]
ALONE = (sys.executable, "-m", "lib.engine.train")
SHARED = (
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"),
    *("--nproc-per-node", "2", "-m", "lib.engine.train"),
)
WAIT_SECONDS = 120.0

MakeJob = Callable[..., Path]


def test_one_process_sends_nothing_and_changes_nothing() -> None:
    alone = Together(torch.device("cpu"))
    assert alone.leads
    assert alone.share(np.arange(5)).tolist() == list(range(5))
    numbers = torch.ones(3)
    assert alone.summed(numbers, False) is numbers
    with pytest.raises(Stopped):
        alone.summed(numbers, True)
    with pytest.raises(Stopped):
        alone.add_gradients([], True)


def test_each_process_takes_its_part_and_neighbours_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Together(torch.device("cpu"))
    parts = []
    for number in range(3):
        monkeypatch.setenv("RANK", str(number))
        monkeypatch.setattr(alone, "_size", 3)
        parts.append(alone.share(np.arange(8)).tolist())
    assert parts == [[0, 3, 6], [1, 4, 7], [2, 5]]


@pytest.fixture
def job(tmp_path: Path) -> MakeJob:
    """A job on a tiny random network that knows the tokens of the built-in base."""
    torch.manual_seed(3)
    base = tmp_path / "base"
    save(Network(Config(width=32, layers=2, heads=2, hidden=48, taps=3)), base)
    sealed.seal(base)

    def make(name: str, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        data = {
            "id": "ftjob-1",
            "start_from": str(base),
            "training_file": "training.jsonl",
            "validation_file": "validation.jsonl",
            "method": "supervised",
            "seed": 5,
            "n_epochs": 3,
            "batch_size": 5,
            "learning_rate_multiplier": 1,
            "context": 2048,
            **changes,
        }
        for split, count in (("training", 41), ("validation", 7)):
            lines = (json.dumps(example(number, data["method"])) for number in range(count))
            (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "job.json").write_text(json.dumps(data), encoding="utf-8")
        return folder

    return make


def example(number: int, method: str) -> dict[str, Any]:
    asked = {"role": "user", "content": f"What is {number} times {number % 7}?"}
    said = {"role": "assistant", "content": str(number * (number % 7))}
    if method == "supervised":
        return {"messages": [asked, said]}
    other = {"role": "assistant", "content": "I wonder " * (number % 3) + "what."}
    return {"input": {"messages": [asked]}, "preferred_output": [said], "non_preferred_output": [other]}


def start(command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ETUDE_TRAIN_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*command, str(folder)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def finish(command: tuple[str, ...], folder: Path) -> None:
    with start(command, folder) as process:
        assert process.wait(WAIT_SECONDS) == 0


def told(folder: Path) -> list[dict[str, Any]]:
    path = folder / "events.jsonl"
    text = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def curve(folder: Path) -> dict[int, dict[str, Any]]:
    return {event["step"]: event for event in told(folder) if event["kind"] == "step"}


def assert_same_losses(one: Path, other: Path) -> None:
    first, second = curve(one), curve(other)
    assert first.keys() == second.keys() != set()
    for step, event in first.items():
        for name in ("train_loss", "valid_loss", "full_valid_loss"):
            assert event.get(name) == pytest.approx(second[step].get(name), abs=1e-5)
        assert event["train_mean_token_accuracy"] == second[step]["train_mean_token_accuracy"]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()]


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"method": "dpo", "beta": 0.5}, {"batch_size": 1}])
def test_two_processes_give_the_losses_of_one(job: MakeJob, changes: dict[str, Any]) -> None:
    alone, shared = job("alone", **changes), job("shared", **changes)
    finish(ALONE, alone)
    finish(SHARED, shared)
    assert_same_losses(alone, shared)
    assert [event["kind"] for event in told(shared)] == [event["kind"] for event in told(alone)]
    rows = [(folder / "example_losses.csv").read_text(encoding="utf-8").split() for folder in (alone, shared)]
    for one, other in zip(*rows, strict=True):
        for mine, theirs in zip(one.split(",")[1:3], other.split(",")[1:3], strict=True):
            assert mine == theirs or float(mine) == pytest.approx(float(theirs), abs=1e-4)


@pytest.mark.slow
def test_a_process_that_is_killed_ends_all_and_the_training_goes_on(job: MakeJob) -> None:
    # Sums in another order differ in the last digits, which hundreds of large steps would multiply.
    alone, shared = (job(name, n_epochs=25, learning_rate_multiplier=0.2) for name in ("alone", "shared"))
    finish(ALONE, alone)
    with start(SHARED, shared) as process:
        wait_for(lambda: 15 in curve(shared))
        os.kill(children(process.pid)[-1], signal.SIGKILL)
        assert process.wait(WAIT_SECONDS) != 0
    assert {"failed", "done"}.isdisjoint({event["kind"] for event in told(shared)})
    finish(SHARED, shared)
    assert_same_losses(alone, shared)
    assert told(shared)[-1]["kind"] == "done"


@pytest.mark.slow
@pytest.mark.parametrize("ask", ["pause", "cancel"])
def test_all_stop_together_and_one_alone_can_go_on(job: MakeJob, ask: str) -> None:
    shared = job("shared", n_epochs=50)
    with start(SHARED, shared) as process:
        wait_for(lambda: 15 in curve(shared))
        (shared / ask).touch()
        assert process.wait(WAIT_SECONDS) == 0
    events = told(shared)
    assert {"failed", "done"}.isdisjoint({event["kind"] for event in events})
    if ask == "cancel":
        return
    last = max(curve(shared))
    assert [folder.name for folder in (shared / "resume").iterdir()] == [f"step-{last}"]
    (shared / ask).unlink()
    finish(ALONE, shared)
    assert [event["step"] for event in told(shared) if event["kind"] == "step"] == list(range(1, 411))
