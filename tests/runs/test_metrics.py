"""The same curves whatever order, repetition and source the figures come in; progress that a person can believe."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.runs.book import Run
from lib.runs.heard import Checkpoint, Event
from lib.runs.metrics import Curves, curves, metrics_in, progress
from lib.runs.series import Point


def event(number: int, data: Mapping[str, Any], *, at: float | None = None, message: str = "") -> Event:
    return Event(f"ftevent-{number}", 1000.0 + number if at is None else at, "info", "metrics", message, data)


def whole_log(steps: int, epochs: int = 3) -> list[Event]:
    """A log with all that a job may say: metrics, messages, a resumed stretch that repeats steps, a NaN."""
    log = [event(0, {}, message="Fine-tuning job started")]
    for step in range(1, steps + 1):
        data = {"step": step, "total_steps": steps, "train_loss": 3.0 / step, "train_mean_token_accuracy": 0.5}
        if step % 2:
            data["valid_loss"] = 3.3 / step
        if step % max(1, steps // epochs) == 0:
            data["full_valid_loss"] = 3.2 / step
        if step == 5:
            data["train_loss"] = math.nan
        log.append(event(step, data))
    for step in range(steps // 2, steps // 2 + 5):
        data = {"step": step, "total_steps": steps, "train_loss": 2.9 / step}
        log.append(event(10_000 + step, data, at=9_000.0 + step))
    return log


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(12, 60))
def test_shuffled_repeated_and_paged_events_make_the_same_curves(chance: random.Random, steps: int) -> None:
    log = whole_log(steps)
    truth = curves(log, (), n_epochs=3)
    disturbed = [*log, *chance.choices(log, k=len(log) // 2)]
    chance.shuffle(disturbed)
    found = curves(disturbed, (), n_epochs=3)
    assert repr(found) == repr(truth)
    assert [point.step for point in found.train_loss] == list(range(1, steps + 1))
    assert not found.train_loss[4].measured


def test_a_step_told_twice_has_the_value_that_was_told_last() -> None:
    early, late = event(1, {"step": 1, "train_loss": 2.0}), event(2, {"step": 1, "train_loss": 1.5})
    assert curves([late, early], ()).train_loss == (Point(1, 1.5),)


def test_losses_from_checkpoints_fill_what_no_event_tells() -> None:
    checkpoints = [
        Checkpoint("c1", 10, "m1", 5.0, {"step": 10, "train_loss": 1.0, "full_valid_loss": 1.2}),
        Checkpoint("c2", 20, "m2", 6.0, {"step": 20, "train_loss": 0.5, "full_valid_loss": 0.9}),
    ]
    found = curves([event(1, {}, message="Job started")], checkpoints)
    assert found.train_loss == (Point(10, 1.0), Point(20, 0.5))
    assert found.full_valid_loss == (Point(10, 1.2), Point(20, 0.9))


def test_an_event_is_believed_before_a_checkpoint_and_a_checkpoint_before_the_result_file() -> None:
    said = event(1, {"step": 10, "train_loss": 1.0})
    filed = Event("r1", 99.0, "info", "result_file", "", {"step": "10", "train_loss": "3.0", "valid_loss": "4.0"})
    checkpoint = Checkpoint("c1", 10, "m1", 50.0, {"train_loss": 2.0, "valid_loss": 2.5})
    found = curves([filed, said], [checkpoint])
    assert found.train_loss == (Point(10, 1.0),)
    assert found.valid_loss == (Point(10, 2.5),)


def test_a_sentence_is_read_where_a_service_sends_no_figures() -> None:
    text = "Step 300/300: training loss=0.15, validation loss=0.27, full validation loss=0.40"
    found = curves([event(1, {}, message=text)], ())
    assert (found.train_loss, found.valid_loss) == ((Point(300, 0.15),), (Point(300, 0.27),))
    assert (found.full_valid_loss, found.total_steps) == ((Point(300, 0.40),), 300)


def test_a_sentence_without_figures_makes_no_point() -> None:
    assert curves([event(1, {}, message="Step 3 of the tutorial: training loss=unknown")], ()) == Curves()


def test_null_training_is_a_gap_and_null_validation_was_not_measured() -> None:
    found = metrics_in({"train_loss": None, "valid_loss": None, "full_valid_loss": math.inf})
    assert math.isnan(found["train_loss"])
    assert math.isnan(found["full_valid_loss"])
    assert "valid_loss" not in found


def test_rewards_lie_one_level_deeper() -> None:
    found = curves([event(1, {"step": 2, "scores": {"train_reward_mean": 0.4, "valid_reward_mean": 0.6}})], ())
    assert (found.train_reward, found.valid_reward) == ((Point(2, 0.4),), (Point(2, 0.6),))


def test_preferences_are_read_from_events_tables_and_under_the_names_of_others() -> None:
    ours = {
        f"{when}_rewards_{what}": 0.5 for when in ("train", "valid", "full_valid") for what in ("accuracy", "margin")
    }
    assert set(metrics_in(ours)) == {
        f"{when}_{what}" for when in ("train", "valid", "full_valid") for what in ("preference", "margin")
    }
    assert metrics_in({"rewards/accuracies": 0.8, "eval_rewards/margins": "-0.1"}) == {
        "train_preference": 0.8,
        "valid_margin": -0.1,
    }
    assert math.isnan(metrics_in({"train_rewards_margin": None})["train_margin"])
    assert not metrics_in({"valid_rewards_margin": None})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["step", "total_steps", "train_loss", "valid_loss", "full_valid_loss", "scores", "x"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(fields, anything, max_size=7), max_size=5))
def test_no_shape_of_data_is_too_strange(shapes: list[dict[str, Any]]) -> None:
    found = curves([event(number, data) for number, data in enumerate(shapes)], ())
    for series in (found.train_loss, found.valid_loss, found.full_valid_loss):
        assert all(point.step >= 0 for point in series)


def test_epochs_come_from_the_steps() -> None:
    found = Curves(total_steps=100, n_epochs=3)
    assert found.epoch_ends == (33, 67, 100)
    assert found.epoch(50) == pytest.approx(1.5)
    assert Curves(total_steps=100).epoch_ends == ()
    assert Curves().epoch(3) is None


def run(status: str = "running", **job: Any) -> Run:
    return Run("run_1", "s", "ftjob-1", None, "m", status, job, None, 1000.0, job.get("finished_at"), 1000.0, None)


def at_steps(last: int, total: int, each: float) -> Curves:
    times = tuple((step, 1000.0 + each * step) for step in range(1, last + 1))
    return Curves(train_loss=tuple(Point(step, 1.0) for step, _ in times), total_steps=total, n_epochs=2, times=times)


def test_time_left_is_measured_between_events() -> None:
    found = progress(run(), at_steps(40, 100, 2.0), now=1080.0)
    assert (found.step, found.total_steps, found.share, found.epoch) == (40, 100, 0.4, pytest.approx(0.8))
    assert found.seconds_left == pytest.approx(120.0)
    assert found.seconds_elapsed == 80.0


def test_the_services_own_estimate_counts_while_it_lies_ahead() -> None:
    assert progress(run(estimated_finish=1200), at_steps(40, 100, 2.0), now=1080.0).seconds_left == 120.0
    assert progress(run(estimated_finish=900), at_steps(40, 100, 2.0), now=1080.0).seconds_left == pytest.approx(120)


def walk(total: int) -> Iterator[tuple[float, Curves]]:
    """Every second of a job whose steps take two seconds and that stalls after its half for a minute."""
    for now in range(0, total * 2 + 60):
        done = min(now // 2, total // 2) if now < total + 60 else (now - 60) // 2
        yield 1000.0 + now, at_steps(done, total, 2.0)


def test_time_left_is_never_negative_and_only_falls_while_steps_go_on_evenly() -> None:
    before = math.inf
    for now, found in walk(40):
        left = progress(run(), found, now).seconds_left
        if left is not None:
            assert 0 <= left <= before + 1e-6
            before = left


@pytest.mark.parametrize("skew", [-7200.0, -3600.0, 3600.0, 86_400.0])
def test_a_clock_that_is_wrong_makes_no_absurd_time(skew: float) -> None:
    found = progress(run(), at_steps(40, 100, 2.0), now=1080.0 + skew)
    assert found.seconds_left is not None
    assert 118 <= found.seconds_left <= 120
    assert found.seconds_elapsed >= 0


def test_nothing_is_promised_before_two_steps_and_after_the_end() -> None:
    assert progress(run(), at_steps(1, 100, 2.0), now=1080.0).seconds_left is None
    done = progress(run("succeeded", finished_at=1300.0), at_steps(99, 100, 2.0), now=5000.0)
    assert (done.seconds_left, done.share, done.seconds_elapsed) == (None, 1.0, 300.0)
    assert progress(run("failed", finished_at=1300.0), at_steps(50, 100, 2.0), now=5000.0).share == 0.5
