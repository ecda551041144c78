"""Synthetic curves of known kind: the verdict names the kind, the right step, and no other kind."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from lib.runs.metrics import Curves
from lib.runs.series import Point, Series
from lib.runs.verdict import verdict


def series(shape: Callable[[float], float], steps: int, *, noise: float = 0.0, seed: int = 1, every: int = 1) -> Series:
    """`shape` over the share of the training that is done (0 to 1), with noise relative to the value."""
    chance = random.Random(seed)
    return tuple(
        Point(step, max(0.0, (value := shape(step / steps)) + noise * value * chance.gauss(0, 1)))
        for step in range(every, steps + 1, every)
    )


def falling(start: float, end: float, speed: float = 6.0) -> Callable[[float], float]:
    """Falls quickly at first and is level at the end."""
    return lambda x: end + (start - end) * math.exp(-speed * x)


def linear(start: float, end: float) -> Callable[[float], float]:
    return lambda x: start + (end - start) * x


def u_shaped(start: float, lowest: float, end: float, at: float) -> Callable[[float], float]:
    """Falls to `lowest` at the share `at`, then rises to `end`."""
    return lambda x: start + (lowest - start) * x / at if x < at else lowest + (end - lowest) * (x - at) / (1 - at)


def flat(value: float) -> Callable[[float], float]:
    return lambda x: value


def diverging(at: float, to: float) -> Callable[[float], float]:
    return lambda x: 2.0 - x if x < at else 2.0 - at + (to - 2.0) * (x - at) / (1 - at)


def curve(train: Series = (), valid: Series = (), full: Series = ()) -> Curves:
    return Curves(train_loss=train, valid_loss=valid, full_valid_loss=full)


KNOWN = {
    "level, quiet": ("converged", curve(series(falling(2.5, 0.5), 200))),
    "level, noisy": ("converged", curve(series(falling(2.5, 0.5, 10), 300, noise=0.15))),
    "level, very noisy": ("converged", curve(series(falling(3.0, 0.6, 12), 1000, noise=0.35))),
    "level, with validation": (
        "converged",
        curve(series(falling(2.0, 0.4, 9), 300, noise=0.1), full=series(falling(2.0, 0.45, 9), 300, every=30)),
    ),
    "level, batch of one": ("converged", curve(series(falling(2.0, 0.3, 15), 500, noise=0.5, seed=3))),
    "level, short": ("converged", curve(series(falling(2.0, 0.3, 12), 40, noise=0.03))),
    "falling, quiet": ("learning", curve(series(linear(3.0, 1.0), 100))),
    "falling, noisy": ("learning", curve(series(linear(3.0, 1.0), 300, noise=0.1))),
    "falling, slow decay": ("learning", curve(series(falling(3.0, 0.5, 2.0), 300, noise=0.05))),
    "falling, with validation": (
        "learning",
        curve(series(linear(3.0, 1.0), 200, noise=0.05), full=series(linear(3.0, 1.1), 200, every=20)),
    ),
    "falling, few steps": ("learning", curve(series(linear(2.5, 1.2), 15))),
    "overfitting, full validation": (
        "overfitting",
        curve(series(linear(2.0, 0.1), 300, noise=0.1), full=series(u_shaped(2.0, 0.8, 1.4, 0.4), 300, every=30)),
    ),
    "overfitting, three epochs": (
        "overfitting",
        curve(series(linear(1.5, 0.1), 90, noise=0.1), full=series(u_shaped(1.6, 0.9, 1.3, 0.34), 90, every=30)),
    ),
    "overfitting, sampled validation": (
        "overfitting",
        curve(series(linear(2.0, 0.1), 300, noise=0.1), series(u_shaped(2.0, 0.7, 1.6, 0.4), 300, noise=0.08)),
    ),
    "overfitting, mild rise and wide gap": (
        "overfitting",
        curve(series(falling(2.0, 0.1), 300), full=series(u_shaped(1.5, 1.0, 1.12, 0.5), 300, every=30)),
    ),
    "overfitting, checkpoints alone": ("overfitting", curve(full=series(u_shaped(2.0, 0.8, 1.5, 0.4), 100, every=10))),
    "flat": ("nothing_learned", curve(series(flat(2.3), 200, noise=0.05))),
    "flat, very noisy": ("nothing_learned", curve(series(flat(1.7), 400, noise=0.3))),
    "flat, tiny from the start": ("nothing_learned", curve(series(flat(0.004), 100, noise=0.2))),
    "zero": ("nothing_learned", curve(series(flat(0.0), 100))),
    "diverging late": ("diverged", curve(series(diverging(0.6, 6.0), 200, noise=0.05))),
    "diverging from the start": ("diverged", curve(series(linear(2.0, 9.0), 100, noise=0.1))),
    "not a number": (
        "diverged",
        curve((*series(linear(2.0, 1.5), 50), *(Point(step, math.nan) for step in range(51, 80)))),
    ),
    "one point": ("too_few", curve(series(linear(2.0, 1.0), 1))),
    "nothing": ("too_few", curve()),
    "five points": ("too_few", curve(series(linear(2.0, 1.0), 5))),
    "memorised, validation level": (
        "converged",
        curve(series(falling(2.0, 0.05, 8), 300, noise=0.1), full=series(falling(2.0, 0.3, 9), 300, every=30)),
    ),
    "tiny losses do not count as a rise": (
        "converged",
        curve(series(falling(2.0, 0.001, 9), 300), full=series(u_shaped(1.0, 0.004, 0.008, 0.6), 300, every=30)),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_curves_get_their_kind(name: str) -> None:
    kind, curves = KNOWN[name]
    assert verdict(curves, "succeeded").kind == kind, verdict(curves, "succeeded").sentence


@pytest.mark.parametrize("seed", range(40))
def test_noise_alone_raises_no_alarm(seed: int) -> None:
    healthy = curve(
        series(falling(2.5, 0.5, 8), 240, noise=0.2, seed=seed),
        series(falling(2.5, 0.55, 8), 240, noise=0.2, seed=seed + 1000),
    )
    assert verdict(healthy, "succeeded").kind in ("converged", "learning"), verdict(healthy, "succeeded").sentence


def test_a_hundred_thousand_steps_are_judged_by_their_shape() -> None:
    long = curve(series(falling(2.5, 0.5, 9), 100_000, noise=0.4), series(falling(2.5, 0.55, 9), 100_000, noise=0.4))
    said = verdict(long, "succeeded")
    assert (said.kind, said.sure) == ("converged", "very")


def test_best_step_is_the_lowest_full_validation() -> None:
    _, curves = KNOWN["overfitting, full validation"]
    assert verdict(curves, "succeeded").best_step == 120


def test_without_full_validation_one_lucky_batch_is_not_the_best_step() -> None:
    valid = list(series(u_shaped(2.0, 0.8, 1.6, 0.5), 100))
    valid[4] = Point(5, 0.01)
    assert abs((verdict(curve(series(linear(2, 1), 100), tuple(valid)), "succeeded").best_step or 0) - 50) < 5


def test_training_alone_names_no_best_step_and_says_what_is_missing() -> None:
    said = verdict(curve(series(falling(2.5, 0.5), 200)), "succeeded")
    assert said.best_step is None
    assert "without validation" in said.sentence


def test_a_running_job_is_not_judged_on_a_handful_of_points() -> None:
    assert verdict(curve(series(linear(2.0, 1.0), 3)), "running").kind == "running"
    assert "too few" in verdict(curve(series(linear(2.0, 1.0), 3)), "running").sentence


def test_a_steep_fall_in_few_steps_is_learning() -> None:
    losses = (2.36, 2.9, 1.8, 2.2, 0.9, 1.6, 0.4, 0.9, 0.1, 0.3, 0.05, 0.02, 0.01, 0.004, 0.001, 0.0005, 0.0004, 0.0003)
    train = tuple(Point(step, loss) for step, loss in enumerate(losses, start=1))
    assert verdict(curve(train), "cancelled").kind in ("learning", "converged")


def test_a_ratio_to_next_to_nothing_is_not_told() -> None:
    train, valid = series(falling(3.0, 0.001, 30), 200), series(falling(3.0, 0.09, 30), 200, every=20)
    said = verdict(curve(train, valid), "succeeded").sentence
    assert "by heart" in said
    assert "times training" not in said


def test_a_running_job_that_rests_is_not_called_converged() -> None:
    levelled = series(falling(3.0, 0.2, 30), 200)
    assert verdict(curve(levelled), "succeeded").kind == "converged"
    said = verdict(curve(levelled), "running")
    assert said.kind == "learning"
    assert "level since step" in said.sentence


def test_a_running_job_is_told_in_the_present() -> None:
    said = verdict(curve(series(linear(3.0, 1.0), 100)), "running")
    assert said.kind == "learning"
    assert "is still falling" in said.sentence
    assert "at the end" not in said.sentence


def test_more_points_and_validation_make_it_surer() -> None:
    few = verdict(curve(series(linear(2.5, 1.2), 15)), "succeeded")
    some = verdict(curve(series(linear(2.5, 1.2), 50)), "succeeded")
    many = verdict(KNOWN["falling, with validation"][1], "succeeded")
    assert (few.sure, some.sure, many.sure) == ("hardly", "fairly", "very")


@pytest.mark.parametrize("name", KNOWN)
def test_every_sentence_has_a_number_and_is_one_line(name: str) -> None:
    said = verdict(KNOWN[name][1], "failed").sentence
    assert any(letter.isdigit() for letter in said) or "No step" in said
    assert "nan" not in said
    assert "\n" not in said


def pairs(train: Series, full: Series = (), *, won: float = 0.9) -> Curves:
    """A preference training: its loss begins at ln 2, and the preferred answer gains in more and more pairs."""
    gained = series(falling(0.5, won), 60)
    held_out = tuple(Point(point.step, won - 0.05) for point in full)
    return Curves(train_loss=train, full_valid_loss=full, train_preference=gained, full_valid_preference=held_out)


def test_preferences_are_judged_by_the_pairs_and_not_by_the_ratio_of_losses() -> None:
    nearly_nothing = series(falling(math.log(2), 0.01), 60, noise=0.05)
    said = verdict(pairs(nearly_nothing, series(falling(math.log(2), 0.35), 60, every=15)), "succeeded")
    assert said.kind in ("learning", "converged")
    assert "gained in 85% of the held-out pairs" in said.sentence
    for nonsense in ("times training", "gap", "by heart", "gives these answers already", "verfitting"):
        assert nonsense not in said.sentence
    alone = verdict(pairs(nearly_nothing), "succeeded").sentence
    assert "gained in 9" in alone
    assert "of the training pairs" in alone


def test_preferences_are_known_by_the_method_where_only_losses_are_told() -> None:
    train, full = series(falling(math.log(2), 0.03), 60), series(falling(math.log(2), 0.35), 60, every=15)
    assert "times training" in verdict(curve(train, full=full), "succeeded", "supervised").sentence
    said = verdict(curve(train, full=full), "succeeded", "dpo").sentence
    assert "times training" not in said
    assert "validation loss is 0.3" in said


@pytest.mark.parametrize(
    ("train", "full", "kind"),
    [
        (series(flat(math.log(2)), 60, noise=0.02), (), "nothing_learned"),
        (series(linear(math.log(2), 2.5), 60, noise=0.02), (), "diverged"),
        (
            series(falling(math.log(2), 0.05), 60),
            series(u_shaped(0.69, 0.3, 0.6, 0.4), 60, every=6),
            "overfitting",
        ),
    ],
)
def test_preferences_that_go_wrong_are_told(train: Series, full: Series, kind: str) -> None:
    said = verdict(pairs(train, full), "succeeded")
    assert said.kind == kind
    assert "times the training loss" not in said.sentence
