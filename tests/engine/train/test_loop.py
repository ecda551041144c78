"""A whole training of a tiny network in this process: it learns, it repeats itself, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lib.engine import sealed, weights
from lib.engine.model import Learning
from lib.engine.network import load, save
from lib.engine.template import Template
from lib.engine.train import loop
from lib.engine.train.corpus import Corpus, pack
from lib.engine.train.events import EVENTS_FILE, Events
from lib.engine.train.job import Job
from lib.engine.train.loop import Training
from lib.engine.train.scoring import validate
from lib.engine.train.stop import Stop, Stopped
from lib.errors import EngineError

ANSWERS = {"red": "stop", "green": "walk", "amber": "wait"}


class StopAfter(Stop):
    """Asks to stop at the n-th look."""

    def __init__(self, folder: Path, looks: int) -> None:
        super().__init__(folder)
        self.looks = looks

    def check(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise Stopped


def corpus(template: Template, count: int, weight: int = 1) -> Corpus:
    lights = [list(ANSWERS)[number % 3] for number in range(count)]
    messages = [
        [
            {"role": "user", "content": f"{number}: {light}"},
            {"role": "assistant", "content": ANSWERS[light], "weight": weight},
        ]
        for number, light in enumerate(lights)
    ]
    return pack((template.example({"messages": each}) for each in messages), billed_tokens=100)


@pytest.fixture
def job(tmp_path: Path, model_folder: Path) -> Job:
    folder = tmp_path / "job"
    return Job(folder, "ftjob-1", model_folder, folder, None, "supervised", 7, 3, 4, 30.0, 128)


def keep_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RESUME_SECONDS", 0.0)
    monkeypatch.setattr(loop, "RESUME_SHARE", float("inf"))


Train = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def train(template: Template) -> Train:
    def run(
        job: Job, examples: Corpus | None = None, validation: Corpus | None = None, stop_after: int = 10**9
    ) -> list[dict[str, Any]]:
        job.folder.mkdir(exist_ok=True)
        model = weights.load(job.start_from, Learning(), template.encoding)
        with Events(job.folder) as events:
            stop = StopAfter(job.folder, stop_after)
            training = Training(job, model, examples or corpus(template, 30), validation, events, stop)
            training.run()
        return told(job.folder)

    return run


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / EVENTS_FILE).read_bytes().splitlines()]


def steps(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The step events without times, the last word on each step."""
    by_step = {event["step"]: event for event in events if event["kind"] == "step"}
    timeless = [
        {name: value for name, value in event.items() if name not in ("at", "seconds_left")}
        for event in by_step.values()
    ]
    return sorted(timeless, key=lambda event: event["step"])


def test_it_learns_and_tells_each_step(job: Job, train: Train, template: Template) -> None:
    job = replace(job, n_epochs=12)
    events = train(job, validation=corpus(template, 9))
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


def test_validation_is_whole_at_each_epochs_end_and_partial_between(job: Job, train: Train, template: Template) -> None:
    held_out = corpus(template, 9)
    events = train(job, validation=held_out)
    curve = steps(events)
    ends = [event["step"] for event in curve if "full_valid_loss" in event]
    assert ends == [8, 15, 23]
    assert [event["step"] for event in events if event["kind"] == "checkpoint"] == ends
    looked = [event["step"] for event in curve if "valid_loss" in event]
    assert looked == [1, 5, 8, 9, 13, 15, 17, 21, 23]
    checkpoint = next(event for event in events if event["kind"] == "checkpoint")
    model = weights.load(Path(checkpoint["folder"]), encoding=template.encoding)
    score = validate(model, held_out, np.arange(9), template.pad, lambda: None)
    assert checkpoint["full_valid_loss"] == pytest.approx(score.loss / score.tokens, abs=1e-6)
    assert checkpoint["full_valid_mean_token_accuracy"] == pytest.approx(score.right / score.tokens)


def test_without_a_validation_file_nothing_is_said_of_validation(job: Job, train: Train) -> None:
    assert not any("valid" in name for event in train(job) for name in event)


def test_validation_does_not_change_what_is_learned(job: Job, train: Train, template: Template, tmp_path: Path) -> None:
    with_it = train(job, validation=corpus(template, 9))
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


@pytest.mark.parametrize("looks", [0, 1, 9, 22])
def test_an_interrupted_training_goes_on_bit_for_bit(
    job: Job, train: Train, tmp_path: Path, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(replace(job, folder=tmp_path / "whole"))
    keep_each_step(monkeypatch)
    with pytest.raises(Stopped):
        train(job, stop_after=looks)
    before = len(told(job.folder))
    events = train(job)
    assert steps(events) == steps(whole)
    # State was kept after each step, so none is done twice.
    assert [event["step"] for event in events[before:] if event["kind"] == "step"][:1] == [looks + 1]
    final = [folder / "checkpoints" / "step-23" / "model.safetensors" for folder in (job.folder, tmp_path / "whole")]
    assert final[0].read_bytes() == final[1].read_bytes()


def test_a_damaged_state_means_starting_again_with_the_same_curve(
    job: Job, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(replace(job, folder=tmp_path / "whole"))
    keep_each_step(monkeypatch)
    with pytest.raises(Stopped):
        train(job, stop_after=12)
    (state,) = (job.folder / "resume").glob("step-*/state.safetensors")
    state.write_bytes(state.read_bytes()[:100])
    assert steps(train(job)) == steps(whole)


def test_a_finished_training_is_not_done_again(job: Job, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_each_step(monkeypatch)
    events = train(job)
    again = train(job)
    assert [event["kind"] for event in again[len(events) :]] == ["done"]


def test_examples_of_weight_zero_teach_nothing(job: Job, train: Train, template: Template) -> None:
    events = train(job, examples=corpus(template, 8, weight=0))
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


def test_one_step_can_hold_several_epochs(job: Job, train: Train, template: Template) -> None:
    events = train(replace(job, batch_size=64, n_epochs=5), examples=corpus(template, 10))
    assert [event["kind"] for event in events] == ["step", "checkpoint", "done"]
    assert events[0]["epoch"] == 5.0


def test_training_can_go_on_from_a_fine_tune(job: Job, train: Train, tmp_path: Path) -> None:
    first = train(replace(job, n_epochs=12))
    second = train(replace(job, folder=tmp_path / "more", start_from=Path(first[-1]["folder"])))
    assert second[0]["train_loss"] < 0.5 * first[0]["train_loss"]
