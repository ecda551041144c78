"""The trainer as a process: killed, cancelled, orphaned, given bad data. Only the network is made smaller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from lib.engine import sealed, weights
from lib.engine.network import Config, Network, save

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "lib.engine.train")
WAIT_SECONDS = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random network that knows the tokens of the built-in base."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("base")
    save(Network(Config(width=32, layers=2, heads=2, hidden=48, taps=3)), folder)
    sealed.seal(folder)
    return folder


def write_examples(path: Path, count: int, method: str = "supervised") -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            asked = {"role": "user", "content": f"What is {number} times {number % 7}?"}
            said, other = ({"role": "assistant", "content": str(number * (number % 7) + off)} for off in (0, 1))
            example: dict[str, Any] = {"messages": [asked, said]}
            if method == "dpo":
                example = {"input": {"messages": [asked]}, "preferred_output": [said], "non_preferred_output": [other]}
            file.write(json.dumps(example) + "\n")
    return path


@pytest.fixture
def job(tmp_path: Path, base: Path) -> Callable[..., Path]:
    def make(name: str, examples: int = 60, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        method = changes.get("method", "supervised")
        data = {
            "id": "ftjob-1",
            "base": str(base),
            "start_from": str(base),
            "training_file": str(write_examples(tmp_path / f"{name}.jsonl", examples, method)),
            "validation_file": str(write_examples(tmp_path / f"{name} held out.jsonl", 12, method)),
            "method": "supervised",
            "seed": 5,
            "n_epochs": 3,
            "batch_size": 2,
            "learning_rate_multiplier": 10,
            "suffix": None,
            "context": 2048,
        }
        (folder / "job.json").write_text(json.dumps(data | changes), encoding="utf-8")
        return folder

    return make


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ETUDE_TRAIN_THREADS": "1"}
    return subprocess.Popen([*COMMAND, str(folder)], cwd=ROOT, env=environment, stderr=subprocess.PIPE)


def finish(folder: Path) -> tuple[int, bytes]:
    with start(folder) as process:
        _, errors = process.communicate(timeout=WAIT_SECONDS)
        return process.returncode, errors


def told(folder: Path) -> list[dict[str, Any]]:
    try:
        text = (folder / "events.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def steps(folder: Path) -> dict[int, dict[str, Any]]:
    return {event["step"]: event for event in told(folder) if event["kind"] == "step"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


@pytest.mark.parametrize("changes", [{}, {"method": "dpo", "beta": 0.5, "learning_rate_multiplier": 20}])
def test_killed_at_any_moment_it_ends_with_the_same_curve_and_weights(
    job: Callable[..., Path], changes: dict[str, Any]
) -> None:
    whole, killed = (job(name, n_epochs=8, **changes) for name in ("whole", "killed"))
    assert finish(whole)[0] == 0
    random = Random(9)
    for step in (1, 61, 120, 180):
        with start(killed) as process:
            wait_for(lambda step=step: max(steps(killed), default=0) >= step)
            # Sixty steps in, an epoch has ended and a checkpoint and a state are being written.
            time.sleep(random.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        for folder in (killed / "checkpoints").glob("step-*"):
            assert sealed.is_whole(folder) or folder.name.endswith(sealed.UNFINISHED)
    told_before = len(told(killed))
    assert finish(killed)[0] == 0
    assert told(killed)[told_before]["step"] > 60
    expected, curve = steps(whole), steps(killed)
    assert curve.keys() == expected.keys() == set(range(1, 241))
    for name in ("train_loss", "valid_loss", "full_valid_loss"):
        differences = [abs(curve[step][name] - event[name]) for step, event in expected.items() if name in event]
        assert max(differences) <= 1e-6
    for name in ("checkpoints/step-240/model.safetensors", "example_losses.csv"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
    assert names(whole / "checkpoints") == names(killed / "checkpoints")
    assert told(killed)[-1]["kind"] == "done"


def test_paused_it_keeps_its_state_and_goes_on_when_the_file_is_gone(job: Callable[..., Path]) -> None:
    whole, paused = (job(name, n_epochs=8) for name in ("whole", "paused"))
    assert finish(whole)[0] == 0
    with start(paused) as process:
        wait_for(lambda: 20 in steps(paused))
        asked = time.monotonic()
        (paused / "pause").touch()
        assert process.wait(WAIT_SECONDS) == 0
        assert time.monotonic() - asked < 2.0
    last = max(steps(paused))
    assert names(paused / "resume") == {f"step-{last}"}
    before = len(told(paused))
    assert finish(paused) == (0, b"")
    assert len(told(paused)) == before
    (paused / "pause").unlink()
    assert finish(paused)[0] == 0
    # Nothing was done twice and nothing was left out.
    assert [event["step"] for event in told(paused) if event["kind"] == "step"] == list(range(1, 241))
    assert [event["kind"] for event in told(paused)].count("done") == 1
    for step, event in steps(whole).items():
        assert steps(paused)[step]["train_loss"] == event["train_loss"]


@pytest.mark.parametrize("ask", ["cancel file", "SIGTERM"])
def test_it_stops_within_two_seconds_and_keeps_its_checkpoints(job: Callable[..., Path], ask: str) -> None:
    folder = job("long", n_epochs=50, examples=400)
    with start(folder) as process:
        wait_for(lambda: any(event["kind"] == "checkpoint" for event in told(folder)))
        asked = time.monotonic()
        if ask == "SIGTERM":
            process.terminate()
        else:
            (folder / "cancel").touch()
        assert process.wait(WAIT_SECONDS) == 0
        assert time.monotonic() - asked < 2.0
    assert {event["kind"] for event in told(folder)} == {"step", "checkpoint"}
    kept = sorted((folder / "checkpoints").iterdir())
    assert kept
    for checkpoint in kept:
        weights.load(checkpoint)


def test_a_cancelled_job_is_not_trained(job: Callable[..., Path]) -> None:
    folder = job("cancelled")
    (folder / "cancel").touch()
    assert finish(folder)[0] == 0
    assert told(folder) == []


def test_it_dies_with_its_parent(job: Callable[..., Path]) -> None:
    folder = job("orphan", n_epochs=50, examples=400)
    run = f"import subprocess; print(subprocess.Popen({[*COMMAND, str(folder)]!r}).pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", run], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        trainer = int(parent.stdout.readline())
        wait_for(lambda: 1 in steps(folder))
        parent.kill()
    wait_for(lambda: not running(trainer))
    assert "done" not in {event["kind"] for event in told(folder)}


def test_it_does_not_begin_for_an_engine_that_died_before_it_could_look(job: Callable[..., Path]) -> None:
    folder = job("late")
    with subprocess.Popen([sys.executable, "-c", ""]) as engine:
        engine.wait()
    environment = {**os.environ, "ETUDE_ENGINE_PID": str(engine.pid)}
    ended = subprocess.run([*COMMAND, str(folder)], cwd=ROOT, env=environment, timeout=WAIT_SECONDS, check=False)
    assert ended.returncode == 0
    assert "done" not in {event["kind"] for event in told(folder)}


def running(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


@pytest.mark.parametrize(
    ("param", "text"),
    [("training_file", ""), ("training_file", "{not json}\n"), ("validation_file", "\x00\x01\x02binary")],
)
def test_data_that_cannot_be_used_fails_with_a_sentence(
    job: Callable[..., Path], tmp_path: Path, param: str, text: str
) -> None:
    bad = tmp_path / "unusable.jsonl"
    bad.write_text(text, encoding="utf-8")
    folder = job("bad", **{param: str(bad)})
    code, errors = finish(folder)
    (event,) = told(folder)
    assert (code, errors) == (1, b"")
    assert (event["kind"], event["code"], event["param"]) == ("failed", "invalid_training_file", param)
    assert "Traceback" not in event["message"]
    assert event["message"].endswith(".")


def test_weights_that_are_damaged_fail_with_a_sentence_and_a_log(job: Callable[..., Path], tmp_path: Path) -> None:
    folder = job("damaged", start_from=str(tmp_path))
    assert finish(folder) == (1, b"")
    (event,) = told(folder)
    assert (event["kind"], event["code"]) == ("failed", "server_error")
    assert "not complete" in event["message"]
    assert "Traceback" in (folder / "trainer.log").read_text(encoding="utf-8")


def test_two_trainers_never_work_on_one_job_at_a_time(job: Callable[..., Path]) -> None:
    folder = job("twice")
    with start(folder) as first, start(folder) as second:
        assert {first.wait(WAIT_SECONDS), second.wait(WAIT_SECONDS)} == {0}
    events = told(folder)
    assert [event["step"] for event in events if event["kind"] == "step"] == list(range(1, 91))
    assert [event["kind"] for event in events].count("done") == 1
