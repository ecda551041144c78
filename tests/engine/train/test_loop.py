"""A whole training of a tiny network in this process: it learns, it repeats itself, it goes on where it was."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.engine import sealed, weights
from lib.engine.network import load, save
from lib.engine.template import Template
from lib.engine.train.corpus import Corpus
from lib.engine.train.job import Job
from lib.engine.train.measuring import Measuring
from lib.engine.train.stop import Stop, Stopped
from lib.engine.train.supervised import Supervised
from lib.engine.train.together import Together
from lib.errors import EngineError
from tests.engine.train.conftest import Train
from tests.engine.train.training import steps, told

Conversations = Callable[..., Corpus]


def test_it_learns_and_tells_each_step(job: Job, train: Train, conversations: Conversations) -> None:
    job = replace(job, n_epochs=12, learning_rate_multiplier=100.0)
    events = train(job, validation=conversations(9))
    curve = steps(events)
    assert [event["step"] for event in curve] == list(range(1, 91))
    assert {event["total_steps"] for event in curve} == {90}
    assert curve[0]["train_loss"] == pytest.approx(np.log(263), rel=0.1)
    assert curve[-1]["full_valid_loss"] < 0.5 * curve[0]["valid_loss"]
    assert curve[-1]["train_mean_token_accuracy"] > 0.8
    assert curve[-1]["epoch"] == 12.0
    assert all(event["seconds_left"] >= 0 for event in events if event["kind"] == "step")
    assert events[-1] == {
        "kind": "done",
        "trained_tokens": 1200,
        "folder": str(job.folder / "checkpoints" / "step-90"),
    }


def test_validation_is_whole_at_each_epochs_end_and_partial_between(
    job: Job, train: Train, conversations: Conversations, template: Template
) -> None:
    held_out = conversations(9)
    events = train(job, validation=held_out)
    curve = steps(events)
    ends = [event["step"] for event in curve if "full_valid_loss" in event]
    assert ends == [8, 15, 23]
    assert [event["step"] for event in events if event["kind"] == "checkpoint"] == ends
    looked = [event["step"] for event in curve if "valid_loss" in event]
    assert looked == [1, 5, 8, 9, 13, 15, 17, 21, 23]
    checkpoint = next(event for event in events if event["kind"] == "checkpoint")
    model = weights.load(Path(checkpoint["folder"]), encoding=template.encoding)
    measuring = Measuring(model, Together(model.device), Stop(job.folder))
    score = measuring.score(Supervised(model, held_out), np.arange(9)).metrics("full_valid")
    assert checkpoint["full_valid_loss"] == pytest.approx(score["full_valid_loss"], abs=1e-6)
    assert checkpoint["full_valid_mean_token_accuracy"] == pytest.approx(score["full_valid_mean_token_accuracy"])


def test_without_a_validation_file_nothing_is_said_of_validation(job: Job, train: Train) -> None:
    assert not any("valid" in name for event in train(job) for name in event)


def test_validation_does_not_change_what_is_learned(
    job: Job, train: Train, conversations: Conversations, tmp_path: Path
) -> None:
    with_it = train(job, validation=conversations(9))
    without = train(replace(job, folder=tmp_path / "other"))
    assert [event["train_loss"] for event in steps(with_it)] == [event["train_loss"] for event in steps(without)]


def test_the_seed_decides_everything(job: Job, train: Train, tmp_path: Path) -> None:
    first = steps(train(job))
    again = replace(job, folder=tmp_path / "again")
    other = replace(job, folder=tmp_path / "other", seed=8)
    assert steps(train(again)) == first
    assert steps(train(other)) != first
    files = [folder / "checkpoints" / "step-23" / "model.safetensors" for folder in (job.folder, again.folder)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("looks", [5, 8, 30])
def test_a_training_that_is_stopped_again_and_again_says_each_step_once_and_the_same(
    job: Job, train: Train, conversations: Conversations, tmp_path: Path, looks: int
) -> None:
    whole = train(replace(job, folder=tmp_path / "whole"), validation=conversations(9))
    stops = 0
    while "done" not in {event["kind"] for event in told(job.folder)}:
        stops += 1
        with contextlib.suppress(Stopped):
            train(job, validation=conversations(9), stop_after=looks)
    assert stops > 1
    events = told(job.folder)
    assert steps(events) == steps(whole)
    # State was kept where it stopped, in the middle of a validation too.
    assert [event["step"] for event in events if event["kind"] == "step"] == list(range(1, 24))
    assert [event["kind"] for event in events].count("checkpoint") == 3
    for name in ("checkpoints/step-23/model.safetensors", "example_losses.csv"):
        assert (job.folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_cancelled_training_keeps_no_state(job: Job, train: Train) -> None:
    job.folder.mkdir()
    (job.folder / "cancel").touch()
    with pytest.raises(Stopped):
        train(job, stop_after=9)
    assert list((job.folder / "resume").iterdir()) == []


def test_a_training_that_was_killed_goes_on_from_the_last_kept_state(
    job: Job, train: Train, tmp_path: Path, keep_each_step: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(replace(job, folder=tmp_path / "whole"))
    # Such a process keeps nothing at its end.
    with monkeypatch.context() as killed:
        killed.setattr(Stop, "cancelled", True)
        with pytest.raises(Stopped):
            train(job, stop_after=12)
    before = [event["step"] for event in told(job.folder)]
    events = train(job)
    assert steps(events) == steps(whole)
    assert len(before) > 1
    assert next(event["step"] for event in events[len(before) :]) == before[-1] + 1


def test_a_damaged_state_means_starting_again_with_the_same_curve(
    job: Job, train: Train, tmp_path: Path, keep_each_step: None
) -> None:
    whole = train(replace(job, folder=tmp_path / "whole"))
    with pytest.raises(Stopped):
        train(job, stop_after=12)
    (state,) = (job.folder / "resume").glob("step-*/state.safetensors")
    state.write_bytes(state.read_bytes()[:100])
    assert steps(train(job)) == steps(whole)


def test_a_finished_training_is_not_done_again(job: Job, train: Train, keep_each_step: None) -> None:
    events = train(job)
    again = train(job)
    assert [event["kind"] for event in again[len(events) :]] == ["examples", "done"]


def test_examples_of_weight_zero_teach_nothing(job: Job, train: Train, conversations: Conversations) -> None:
    events = train(job, examples=conversations(8, weight=0))
    assert all(event["train_loss"] is None and "warning" in event for event in steps(events))
    trained, base = (load(folder) for folder in (job.folder / "checkpoints" / "step-6", job.start_from))
    assert all(map(torch.equal, trained.state_dict().values(), base.state_dict().values()))


def test_losses_that_are_no_numbers_are_told_as_null(job: Job, train: Train) -> None:
    network = load(job.start_from)
    with torch.no_grad():
        network.norm.gain[0] = float("nan")
    sealed.write(job.start_from, lambda folder: save(network, folder))
    with pytest.raises(EngineError, match="The training diverged: at step"):
        train(job)
    events = told(job.folder)
    assert json.dumps(events, allow_nan=False)
    assert all(event["train_loss"] is None and "warning" in event for event in steps(events))
    assert {event["kind"] for event in events} == {"step"}
    assert list((job.folder / "checkpoints").iterdir()) == []


def test_one_step_can_hold_several_epochs(job: Job, train: Train, conversations: Conversations) -> None:
    events = train(replace(job, batch_size=64, n_epochs=5), examples=conversations(10))
    assert [event["kind"] for event in events] == ["step", "checkpoint", "examples", "done"]
    assert events[0]["epoch"] == 5.0


def test_training_can_go_on_from_a_fine_tune(job: Job, train: Train, tmp_path: Path) -> None:
    first = train(replace(job, n_epochs=12, learning_rate_multiplier=100.0))
    second = train(replace(job, folder=tmp_path / "more", start_from=Path(first[-1]["folder"])))
    assert second[0]["train_loss"] < 0.5 * first[0]["train_loss"]


def test_the_loss_of_each_example_is_kept_before_and_after(
    job: Job, train: Train, conversations: Conversations, template: Template
) -> None:
    events = train(job, validation=conversations(9))
    with (job.folder / "example_losses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["split"], row["example"]) for row in rows] == [
        *(("training", str(number)) for number in range(1, 31)),
        *(("validation", str(number)) for number in range(1, 10)),
    ]
    for column, folder in (("loss_before", job.start_from), ("loss_after", job.folder / "checkpoints" / "step-23")):
        model = weights.load(folder, encoding=template.encoding)
        measuring = Measuring(model, Together(model.device), Stop(job.folder))
        expected = measuring.each(Supervised(model, conversations(30)), np.arange(30))
        assert [float(row[column]) for row in rows[:30]] == pytest.approx(expected, abs=1e-5)
    assert sum(float(row["loss_after"]) for row in rows) < sum(float(row["loss_before"]) for row in rows)
    assert [event["kind"] for event in events][-2:] == ["examples", "done"]


def test_the_checkpoint_line_says_which_is_the_best(job: Job, train: Train, conversations: Conversations) -> None:
    events = train(replace(job, n_epochs=8, learning_rate_multiplier=100.0), validation=conversations(9))
    checkpoints = [event for event in events if event["kind"] == "checkpoint"]
    losses = {event["step"]: event["full_valid_loss"] for event in checkpoints}
    for number, event in enumerate(checkpoints, start=1):
        so_far = list(losses)[:number]
        assert event["best"] == min(so_far, key=lambda step: losses[step])
    kept = {int(folder.name.removeprefix("step-")) for folder in (job.folder / "checkpoints").iterdir()}
    assert kept == {*list(losses)[-3:], checkpoints[-1]["best"]}


def test_without_validation_no_checkpoint_is_called_the_best(job: Job, train: Train) -> None:
    assert {event["best"] for event in train(job) if event["kind"] == "checkpoint"} == {None}
