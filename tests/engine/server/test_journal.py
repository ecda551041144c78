"""From the trainer's event file into the database: each line once, however it was cut, repeated or spoilt."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.engine.job_book import JobBook, event_object
from lib.engine.journal import Done, Failed, Journal
from lib.engine.store import Store

JOB = "ftjob-one"


class Desk:
    """A job, its folder, and the journal that reads it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "engine.db")
        self.book = JobBook(self.store, lambda: 1000.0)
        self.folder = folder / "job"
        self.folder.mkdir()
        self.journal = Journal(self.store, self.book)
        self.book.create(
            {
                "id": JOB,
                "model": "base",
                "base": "base",
                "training_file": "file-1",
                "method": "supervised",
                "hyperparameters": "{}",
                "suffix": None,
                "seed": 1,
            }
        )

    def write(self, text: bytes) -> None:
        with (self.folder / "events.jsonl").open("ab") as file:
            file.write(text)

    def told(self) -> list[dict[str, Any]]:
        """The metrics events, oldest first."""
        return [event_object(row) for row in self.book.metrics(JOB)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


def step(number: int, **other: Any) -> bytes:
    line = {"kind": "step", "step": number, "total_steps": 9, "train_loss": 1 / number, "at": 5.5} | other
    return json.dumps(line).encode() + b"\n"


def test_lines_are_entered_once_wherever_the_file_was_cut(desk: Desk) -> None:
    whole = b"".join(step(number) for number in range(1, 10))
    cuts = random.Random(4)
    while whole:
        size = cuts.randrange(1, 60)
        desk.write(whole[:size])
        whole = whole[size:]
        desk.journal.catch_up(JOB, desk.folder)
    assert [event["data"]["step"] for event in desk.told()] == list(range(1, 10))
    assert not desk.journal.catch_up(JOB, desk.folder)


def test_steps_that_a_resumed_trainer_repeats_are_told_once(desk: Desk) -> None:
    for number in (1, 2, 3, 2, 3, 4):
        desk.write(step(number))
    assert desk.journal.catch_up(JOB, desk.folder)
    assert [event["data"]["step"] for event in desk.told()] == [1, 2, 3, 4]


def test_a_spoilt_line_is_left_out_and_the_rest_is_there(desk: Desk) -> None:
    desk.write(step(1) + b'{"kind": "step", "st\n\xff\xfe\n{"kind": "dance"}\n[]\n' + step(2))
    desk.journal.catch_up(JOB, desk.folder)
    assert [event["data"]["step"] for event in desk.told()] == [1, 2]


def test_numbers_that_are_none_are_left_out_and_told_as_a_warning(desk: Desk) -> None:
    desk.write(step(1, train_loss=None, valid_loss=2.5, warning="train_loss: no finite number at this step."))
    desk.journal.catch_up(JOB, desk.folder)
    (event,) = desk.told()
    assert event["data"] == {"step": 1, "total_steps": 9, "valid_loss": 2.5}
    assert event["message"] == "Step 1/9: validation loss=2.50"
    assert event["created_at"] == 5
    newest, *_ = desk.book.events(JOB, behind=None, limit=1)[0]
    assert (newest["level"], newest["type"]) == ("warn", "message")


def test_the_estimate_moves_with_the_steps(desk: Desk) -> None:
    desk.write(step(1, seconds_left=100.0) + step(2, at=50.0, seconds_left=20.4))
    desk.journal.catch_up(JOB, desk.folder)
    assert desk.book.get(JOB)["estimated_finish"] == 70


def test_a_checkpoint_that_the_trainer_removed_is_listed_no_more(desk: Desk) -> None:
    for number in (1, 2):
        weights = desk.folder / "checkpoints" / f"step-{number}"
        weights.mkdir(parents=True)
        (weights / "manifest.json").write_text("{}")
        line = {"kind": "checkpoint", "step": number, "folder": str(weights), "train_loss": 0.5}
        desk.write(json.dumps(line).encode() + b"\n")
    desk.journal.catch_up(JOB, desk.folder)
    rows, _ = desk.book.checkpoints(JOB, behind=None, limit=10)
    assert [(row["step"], row["folder"]) for row in rows] == [(2, "checkpoints/step-2"), (1, "checkpoints/step-1")]
    (desk.folder / "checkpoints" / "step-1" / "manifest.json").unlink()
    desk.write(json.dumps({"kind": "checkpoint", "step": 2, "folder": "checkpoints/step-2"}).encode() + b"\n")
    desk.journal.catch_up(JOB, desk.folder)
    assert [row["step"] for row in desk.book.checkpoints(JOB, behind=None, limit=10)[0]] == [2]


def test_a_folder_outside_the_job_is_refused_and_enters_nothing(desk: Desk) -> None:
    desk.write(step(1) + b'{"kind": "checkpoint", "step": 1, "folder": "../../elsewhere"}\n')
    with pytest.raises(ValueError, match="is not in"):
        desk.journal.catch_up(JOB, desk.folder)
    assert desk.told() == []


def test_losses_of_examples_are_found_again_and_only_within_the_job(desk: Desk) -> None:
    desk.write(b'{"kind": "examples", "file": "example_losses.csv"}\n')
    desk.journal.catch_up(JOB, desk.folder)
    assert desk.book.get(JOB)["example_losses"] == "example_losses.csv"
    desk.write(b'{"kind": "examples", "file": "/etc/passwd"}\n')
    with pytest.raises(ValueError, match="is not in"):
        desk.journal.catch_up(JOB, desk.folder)
    assert desk.book.get(JOB)["example_losses"] == "example_losses.csv"


def test_the_outcome_is_what_was_said_last(desk: Desk) -> None:
    assert desk.journal.outcome(JOB) is None
    desk.write(b'{"kind": "failed", "code": "c", "message": "m", "param": null}\n')
    desk.journal.catch_up(JOB, desk.folder)
    assert desk.journal.outcome(JOB) == Failed("c", "m")
    desk.write(b'{"kind": "done", "trained_tokens": 5, "folder": "checkpoints/step-9"}\n')
    desk.journal.catch_up(JOB, desk.folder)
    assert desk.journal.outcome(JOB) == Done(5, "checkpoints/step-9")
