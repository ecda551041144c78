"""Curves and progress out of what a job reported, the same whatever order, repetition and source it came in.

Losses and accuracies come from events, from checkpoints (Nebius reports them nowhere else), from the result file and,
where a service sends no numbers, from the sentence of the event. Knows no service, no workspace and no chart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.runs.book import Run
from lib.runs.heard import Checkpoint, Event, number, whole
from lib.runs.series import Point, Series

# Our name of a metric, and the names under which services, result files and guides have it.
ALIASES = {
    "train_loss": ("train_loss", "training_loss"),
    "valid_loss": ("valid_loss", "validation_loss"),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "train_accuracy": ("train_mean_token_accuracy", "train_accuracy", "training_token_accuracy"),
    "valid_accuracy": ("valid_mean_token_accuracy", "valid_accuracy", "validation_token_accuracy"),
    "full_valid_accuracy": ("full_valid_mean_token_accuracy", "full_validation_token_accuracy"),
    # Preference training: in what share of pairs the preferred answer gained more, and by how much. Those with a slash
    # are the names of TRL, on which many services train.
    "train_preference": ("train_rewards_accuracy", "rewards/accuracies"),
    "valid_preference": ("valid_rewards_accuracy", "eval_rewards/accuracies"),
    "full_valid_preference": ("full_valid_rewards_accuracy",),
    "train_margin": ("train_rewards_margin", "rewards/margins"),
    "valid_margin": ("valid_rewards_margin", "eval_rewards/margins"),
    "full_valid_margin": ("full_valid_rewards_margin",),
    "train_reward": ("train_reward_mean", "train_mean_reward"),
    "valid_reward": ("valid_reward_mean", "full_validation_mean_reward"),
}
NAMES = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
TRAINED = frozenset({"train_loss", "train_accuracy", "train_preference", "train_margin", "train_reward"})

# "Step 300/300: training loss=0.15, validation loss=0.27, full validation loss=0.40"
SPOKEN_STEP = re.compile(r"\bstep\s+(\d+)(?:\s*/\s*(\d+))?", re.IGNORECASE)
SPOKEN_LOSS = re.compile(r"\b(full validation|validation|training|train) loss\s*=\s*([-+.\w]+)", re.IGNORECASE)
SPOKEN_NAMES = {
    "training": "train_loss",
    "train": "train_loss",
    "validation": "valid_loss",
    "full validation": "full_valid_loss",
}

# Which source is believed where two speak of the same step; within one, what was said last.
IN_EVENT, IN_CHECKPOINT, IN_RESULT_FILE, IN_SENTENCE = 4, 3, 2, 1
RESULT_FILE = "result_file"

LONGEST_SECONDS = 30 * 86_400.0
RECENT_STEPS = 20


@dataclass(frozen=True, slots=True)
class Curves:
    """All that a job reported by step. A series is ordered by step and has each step once.

    `times` says when each step was reported: (step, seconds since 1970 by the service's clock), by step.
    """

    train_loss: Series = ()
    valid_loss: Series = ()
    full_valid_loss: Series = ()
    train_accuracy: Series = ()
    valid_accuracy: Series = ()
    full_valid_accuracy: Series = ()
    train_preference: Series = ()
    valid_preference: Series = ()
    full_valid_preference: Series = ()
    train_margin: Series = ()
    valid_margin: Series = ()
    full_valid_margin: Series = ()
    train_reward: Series = ()
    valid_reward: Series = ()
    total_steps: int | None = None
    n_epochs: int | None = None
    times: tuple[tuple[int, float], ...] = ()

    @property
    def last_step(self) -> int:
        """The latest step that anything is known of, 0 before the first."""
        named = (getattr(self, name) for name in ALIASES)
        return max((series[-1].step for series in named if series), default=0)

    @property
    def epoch_ends(self) -> tuple[int, ...]:
        """The step at which each epoch ends; empty while the number of steps or epochs is unknown."""
        if not self.total_steps or not self.n_epochs:
            return ()
        return tuple(round(self.total_steps * epoch / self.n_epochs) for epoch in range(1, self.n_epochs + 1))

    def epoch(self, step: int) -> float | None:
        """How many epochs lie behind at a step, such as 1.5; None while that is unknown."""
        return step * self.n_epochs / self.total_steps if self.total_steps and self.n_epochs else None


def curves(events: Iterable[Event], checkpoints: Iterable[Checkpoint], *, n_epochs: int | None = None) -> Curves:
    """Everything a job reported, by step. `n_epochs` is the job's own (`Run.n_epochs`)."""
    kept: dict[str, dict[int, tuple[tuple[int, float, str], float]]] = {name: {} for name in ALIASES}
    total_steps = 0
    times: dict[int, float] = {}

    def note(step: int, values: Mapping[str, float], rank: tuple[int, float, str]) -> None:
        for name, value in values.items():
            known = kept[name].get(step)
            if known is None or rank > known[0]:
                kept[name][step] = (rank, value)

    for event in events:
        source = IN_RESULT_FILE if event.type == RESULT_FILE else IN_EVENT
        step, total, values = whole(event.data.get("step")), whole(event.data.get("total_steps")), {}
        if step is not None:
            values = metrics_in(event.data)
        if not values:
            source = IN_SENTENCE
            step, total, values = _spoken(event.message)
        if step is None or not values:
            continue
        total_steps = max(total_steps, total or 0)
        note(step, values, (source, event.created_at, event.id))
        if source != IN_RESULT_FILE and event.created_at > 0:
            times[step] = max(times.get(step, 0.0), event.created_at)
    for checkpoint in checkpoints:
        note(checkpoint.step, metrics_in(checkpoint.metrics), (IN_CHECKPOINT, checkpoint.created_at, checkpoint.id))
    series = {
        name: tuple(Point(step, value) for step, (_, value) in sorted(by_step.items()))
        for name, by_step in kept.items()
    }
    return Curves(**series, total_steps=total_steps or None, n_epochs=n_epochs, times=tuple(sorted(times.items())))


def metrics_in(said: Mapping[str, Any]) -> dict[str, float]:
    """The metrics in a service's mapping under our names (`ALIASES`); NaN for what is not a finite number.

    A training value of null is a gap. A validation value of null only says that none was measured at this step, and is
    left out. Rewards lie one level deeper, under `scores`.
    """
    scores = said.get("scores")
    found: dict[str, float] = {}
    for place in (scores, said) if isinstance(scores, Mapping) else (said,):
        for alias, raw in place.items():
            name = NAMES.get(alias)
            if name is None:
                continue
            value = math.nan if raw is None and name in TRAINED else _value(raw)
            if value is not None:
                found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `share` is from 0 to 1; what is not known is None."""

    step: int
    total_steps: int | None
    epoch: float | None
    n_epochs: int | None
    share: float | None
    seconds_elapsed: float
    seconds_left: float | None


def progress(run: Run, curves: Curves, now: float) -> Progress:
    """How far a run is at `now` (seconds since 1970), and how long it will still take.

    The service's own estimate is used while it lies ahead; else the time is measured between events, whose times are
    all the service's, so that a clock that runs differently here does not matter.
    """
    total = curves.total_steps or whole(run.job.get("total_steps")) or None
    step = max(curves.last_step, whole(run.job.get("trained_steps")) or 0)
    if run.status == "succeeded" and total:
        step = total
    until = run.finished_at if run.finished and run.finished_at is not None else now
    return Progress(
        step=step,
        total_steps=total,
        epoch=curves.epoch(step),
        n_epochs=curves.n_epochs,
        share=min(1.0, step / total) if total else None,
        seconds_elapsed=max(0.0, until - run.created_at),
        seconds_left=None if run.finished or run.paused else _seconds_left(run, curves, total, now),
    )


def _seconds_left(run: Run, curves: Curves, total: int | None, now: float) -> float | None:
    promised = number(run.job.get("estimated_finish"))
    if promised is not None and now < promised < now + LONGEST_SECONDS:
        return promised - now
    if total is None or len(curves.times) < 2:
        return None
    recent = curves.times[-max(RECENT_STEPS, len(curves.times) // 3) :]
    (first_step, first), (last_step, last) = recent[0], recent[-1]
    if last <= first:
        return None
    each = (last - first) / (last_step - first_step)
    # At most one step is taken off for the time since the last: a stalled job does not count down to nothing.
    under_way = min(max(0.0, now - last), each)
    left = max(0.0, each * (total - last_step) - under_way)
    return left if left < LONGEST_SECONDS else None


def _value(raw: Any) -> float | None:
    """A metric's value: NaN for a number that is not finite, None for what is no number at all."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except OverflowError:
        return math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else math.nan


def _spoken(message: str) -> tuple[int | None, int | None, dict[str, float]]:
    """Step, number of steps and losses out of the sentence of an event."""
    said = SPOKEN_STEP.search(message)
    if said is None:
        return None, None, {}
    spoken = ((what.lower(), _value(value.rstrip("."))) for what, value in SPOKEN_LOSS.findall(message))
    values = {SPOKEN_NAMES[what]: value for what, value in spoken if value is not None}
    return whole(said[1]), whole(said[2]), values
