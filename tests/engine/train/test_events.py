"""The event file: a JSON object a line, always; nothing of a killed process's last line stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.engine.train.events import EVENTS_FILE, Events


def told(folder: Path) -> list[dict[str, Any]]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    lines = (folder / EVENTS_FILE).read_bytes().split(b"\n")
    assert lines.pop() == b""
    return [json.loads(line, parse_constant=refuse) for line in lines]


def test_each_kind_has_the_fields_of_the_protocol(tmp_path: Path) -> None:
    with Events(tmp_path) as events:
        events.step(3, 10, 0.3, {"train_loss": 1.5, "train_mean_token_accuracy": 0.5}, 12.34)
        events.checkpoint(3, tmp_path / "c", {"full_valid_loss": 2.0}, 3)
        events.examples(tmp_path / "example_losses.csv")
        events.finish(1234, tmp_path / "c")
        events.fail("invalid_training_file", "Es geht nicht: ü.", "training_file")
    step, checkpoint, examples, done, failed = told(tmp_path)
    assert step.pop("at") > 1.7e9
    assert step == {
        "kind": "step",
        "step": 3,
        "total_steps": 10,
        "train_loss": 1.5,
        "train_mean_token_accuracy": 0.5,
        "epoch": 0.3,
        "seconds_left": 12.3,
    }
    assert checkpoint == {
        "kind": "checkpoint",
        "step": 3,
        "folder": str(tmp_path / "c"),
        "full_valid_loss": 2.0,
        "best": 3,
    }
    assert examples == {"kind": "examples", "file": "example_losses.csv"}
    assert done == {"kind": "done", "trained_tokens": 1234, "folder": str(tmp_path / "c")}
    assert failed["message"] == "Es geht nicht: ü."
    assert (failed["code"], failed["param"]) == ("invalid_training_file", "training_file")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_null_and_warned_of(tmp_path: Path, bad: float) -> None:
    with Events(tmp_path) as events:
        events.step(1, 2, 0.5, {"train_loss": bad, "train_mean_token_accuracy": 0.0}, 1.0)
    (step,) = told(tmp_path)
    assert step["train_loss"] is None
    assert step["train_mean_token_accuracy"] == 0.0
    assert step["warning"].startswith("train_loss: no finite number")


def test_a_half_written_line_is_removed_and_whole_ones_stay(tmp_path: Path) -> None:
    with Events(tmp_path) as events:
        events.step(1, 2, 0.5, {"train_loss": 1.0}, 1.0)
    whole = (tmp_path / EVENTS_FILE).read_bytes()
    (tmp_path / EVENTS_FILE).write_bytes(whole + b'{"kind":"step","st')
    with Events(tmp_path) as events:
        events.step(2, 2, 1.0, {"train_loss": 0.5}, 0.0)
    assert (tmp_path / EVENTS_FILE).read_bytes().startswith(whole)
    assert [event["step"] for event in told(tmp_path)] == [1, 2]


def test_it_knows_whether_the_job_was_done(tmp_path: Path) -> None:
    with Events(tmp_path) as events:
        assert not events.done
        events.finish(1, tmp_path)
    with Events(tmp_path) as events:
        assert events.done


def test_half_of_a_character_pair_in_a_message_is_no_crash(tmp_path: Path) -> None:
    with Events(tmp_path) as events:
        events.fail("invalid_training_file", "bad \ud83d text")
    assert told(tmp_path)[0]["message"] == "bad ? text"


def test_only_the_first_of_several_processes_tells(tmp_path: Path) -> None:
    with Events(tmp_path) as first, Events(tmp_path, leads=False) as second:
        for events in (first, second):
            events.step(1, 2, 0.5, {"train_loss": 1.0}, 1.0)
    assert [event["step"] for event in told(tmp_path)] == [1]


def test_another_process_does_not_cut_what_the_first_is_writing(tmp_path: Path) -> None:
    (tmp_path / EVENTS_FILE).write_bytes(b'{"kind":"step","st')
    with Events(tmp_path, leads=False) as events:
        assert not events.done
    assert (tmp_path / EVENTS_FILE).read_bytes() == b'{"kind":"step","st'
