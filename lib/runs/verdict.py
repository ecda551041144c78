"""One sentence with numbers about how a training went, how sure that is, and which step to use.

The bands of validation loss over training loss (1.2, 1.5, 2.0) are those of Microsoft's fine-tuning guide for agents;
a last validation loss above 1.2 times the best one is its sign of overfitting. Knows curves, and nothing of services.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import Literal

from lib.runs.book import FINAL
from lib.runs.metrics import Curves
from lib.runs.series import Point, Series

Kind = Literal["running", "too_few", "learning", "converged", "overfitting", "nothing_learned", "diverged"]
Sure = Literal["hardly", "fairly", "very"]

FEWEST_STEPS = 10
FEWEST_VALIDATIONS = 3
BEGINNING = 5
MILD, MODERATE, SEVERE = 1.2, 1.5, 2.0
RISE = 1.05
STILL_FALLING = 0.04
LEARNED_SHARE = 0.05
ZERO = 1e-6
LEAST_LOSS = 0.02
MOST_POINTS = 600


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the curves say. `best_step` is where validation was lowest, None without validation."""

    kind: Kind
    sentence: str
    best_step: int | None
    sure: Sure


@dataclass(frozen=True, slots=True)
class _Shape:
    """A series reduced to its start, its end and how much it fell in its last third, each with its noise."""

    start: float
    end: float
    noise: float
    late_fall: float
    late_noise: float
    n: int

    @property
    def fall(self) -> float:
        """How much of the start is gone in the end."""
        return self.start - self.end


def verdict(curves: Curves, status: str, method: str | None = None) -> Verdict:
    """Judge the loss curves of a job with this status and method ("supervised", "dpo"; None where it is not known).

    The best step is the lowest full validation, else the lowest validation; training loss alone names none.
    """
    train = _measured(curves.train_loss)
    full, sampled = _measured(curves.full_valid_loss), _measured(curves.valid_loss)
    valid = full if len(full) >= FEWEST_VALIDATIONS or not sampled else sampled
    best = _best_step(full, sampled)
    over = status in FINAL
    judged = valid if len(train) < FEWEST_STEPS and len(valid) >= FEWEST_VALIDATIONS else train
    won = _won(curves)
    # A preference loss begins at ln 2 = 0.693 and goes to nothing on pairs that were trained: there the ratio of
    # validation to training says nothing.
    beside = () if won is not None or method == "dpo" else train
    said = (
        _not_a_number(curves.train_loss, best)
        or _too_few(train, valid, over, best)
        or _all_zero(train, best)
        or _diverged(judged, best)
        or _overfitting(beside, valid, sampled is valid, over, best)
        or _nothing_learned(judged, best)
        or _on_its_way(judged, train, valid, over, best, _gap(beside, valid) + (won or ""))
    )
    return said


def _not_a_number(raw: Series, best: int | None) -> Verdict | None:
    if not raw or raw[-1].measured:
        return None
    first = next(point.step for point in reversed(raw) if not point.measured)
    for point in reversed(raw):
        if point.measured:
            break
        first = point.step
    sentence = (
        f"The training loss is not a number from step {first:,} on: the training diverged. "
        "Lower the learning rate multiplier and train again."
    )
    return Verdict("diverged", sentence, best, "very")


def _too_few(train: Series, valid: Series, over: bool, best: int | None) -> Verdict | None:
    if len(train) >= FEWEST_STEPS or len(valid) >= FEWEST_VALIDATIONS:
        return None
    points = _counted(len(train), "measured step")
    if not over:
        sentence = f"{points} so far: too few to say how it is going." if train else "No step has been measured yet."
        return Verdict("running", sentence, best, "hardly")
    return Verdict("too_few", f"Only {points}: too few to say how the training went.", best, "hardly")


def _all_zero(train: Series, best: int | None) -> Verdict | None:
    if not train or any(abs(point.value) > ZERO for point in train):
        return None
    sentence = (
        "The training loss is 0 at every step: no part of the examples was trained. "
        "Check that each example ends with an answer that is not cut off by the token limit."
    )
    return Verdict("nothing_learned", sentence, best, "very")


def _diverged(judged: Series, best: int | None) -> Verdict | None:
    shape = _shape(judged)
    lowest = min(_medians(judged), default=shape.start)
    if shape.end <= shape.start + 3 * shape.noise or shape.end < MODERATE * max(lowest, LEAST_LOSS):
        return None
    sentence = (
        f"The loss rose from {_loss(shape.start)} to {_loss(shape.end)}: the training diverged. "
        "Lower the learning rate multiplier and train again."
    )
    return Verdict("diverged", sentence, best, _sure(shape.n, 0))


def _overfitting(train: Series, valid: Series, sampled: bool, over: bool, best: int | None) -> Verdict | None:
    if len(valid) < FEWEST_VALIDATIONS or best is None:
        return None
    shape = _shape(valid, tail=None if sampled else 1)
    lowest = min(_medians(valid)) if sampled else min(point.value for point in valid)
    if lowest < LEAST_LOSS / 2 and shape.end < LEAST_LOSS:
        return None
    rise = shape.end / max(lowest, ZERO)
    after = [point for point in train if point.step > valid[-1].step - (valid[-1].step - valid[0].step) / len(valid)]
    train_end = median(point.value for point in after) if after else math.nan
    ratio = shape.end / max(train_end, ZERO) if math.isfinite(train_end) else math.nan
    clear = shape.end - lowest > (4 * shape.noise if sampled else 0.0)
    if not clear or not (rise >= MILD or (rise >= RISE and ratio >= MODERATE)):
        return None
    words = f"Overfitting since step {best:,}: validation loss rose from {_loss(lowest)} to {_loss(shape.end)}"
    if math.isfinite(ratio) and ratio > 1:
        words += f" and is {_times(ratio)} times the training loss of {_loss(train_end)} ({_band(ratio)})"
    advice = f" Use the checkpoint nearest to step {best:,}" + ("." if over else ", or stop here.")
    return Verdict("overfitting", f"{words}.{advice}", best, _sure(len(train), 0 if sampled else len(valid)))


def _nothing_learned(judged: Series, best: int | None) -> Verdict | None:
    shape = _shape(judged)
    # Few steps of batch size 1 look noisy when they fall steeply: a loss that is halved was learned from.
    halved = shape.end <= shape.start / 2
    if halved or shape.fall > max(3 * shape.noise, LEARNED_SHARE * abs(shape.start)):
        return None
    if shape.start < LEAST_LOSS:
        sentence = (
            f"The loss was {_loss(shape.start)} from the start and still is: "
            "the base model gives these answers already, or the examples repeat each other."
        )
    else:
        sentence = (
            f"Nothing was learned: the loss is {_loss(shape.end)} and began at {_loss(shape.start)}, "
            "which is within its noise. Train for more epochs, or raise the learning rate multiplier."
        )
    return Verdict("nothing_learned", sentence, best, _sure(shape.n, 0))


def _on_its_way(judged: Series, train: Series, valid: Series, over: bool, best: int | None, gap: str) -> Verdict:
    shape = _shape(judged)
    trend = valid if len(valid) >= 2 * FEWEST_VALIDATIONS else judged
    late = _shape(trend)
    falling = late.late_fall > max(STILL_FALLING * max(late.fall, ZERO), 2 * late.late_noise)
    fell = f"loss fell from {_loss(shape.start)} to {_loss(shape.end)}"
    told = "Training " + fell if judged is train else "Validation " + fell
    sure = _sure(shape.n, len(valid))
    if falling:
        ending = "and was still falling at the end: more epochs may help" if over else "and is still falling"
        return Verdict("learning", f"Learning: {told[0].lower()}{told[1:]} {ending}{gap}.", best, sure)
    level = f"{told[0].lower()}{told[1:]} and has been level since step {_level_since(trend):,}{gap}"
    if not over:
        # A curve often rests and falls again: only its end can say that it has converged.
        return Verdict("learning", f"Learning so far: {level}.", best, sure)
    return Verdict("converged", f"Converged: {level}.", best, sure)


def _won(curves: Curves) -> str | None:
    """In preference training, in how many pairs the preferred answer gained, as a clause's end. None elsewhere."""
    for series, which in (
        (curves.full_valid_preference, "held-out pairs"),
        (curves.valid_preference, "held-out pairs"),
        (curves.train_preference, "training pairs"),
    ):
        found = _measured(series)
        if found:
            share = _shape(found, tail=1 if series is curves.full_valid_preference else None).end
            return f"; the preferred answer gained in {share:.0%} of the {which}"
    return None


def _gap(train: Series, valid: Series) -> str:
    """The last validation loss beside the training loss, in words that begin a clause."""
    if not valid:
        return "; without validation examples nobody can say whether it generalises"
    end, train_end = _shape(valid, tail=1).end, _shape(train).end if train else math.nan
    if not math.isfinite(train_end) or train_end < ZERO:
        return f"; validation loss is {_loss(end)}"
    ratio = end / train_end
    if ratio <= 1:
        return f"; validation loss is {_loss(end)}, no higher than training"
    if train_end < LEAST_LOSS:
        # A ratio to next to nothing says nothing: the examples are known by heart.
        return f"; validation loss is {_loss(end)}, while the training examples are known by heart"
    return f"; validation loss is {_loss(end)}, {_times(ratio)} times training ({_band(ratio)})"


def _band(ratio: float) -> str:
    if ratio < MILD:
        return "a healthy gap"
    if ratio < MODERATE:
        return "a mild gap"
    return "a moderate gap" if ratio < SEVERE else "a wide gap"


def _level_since(series: Series) -> int:
    """The first step from which the medians stay within a twentieth of the whole fall above the end."""
    shape, medians = _shape(series), _medians(series)
    ceiling = shape.end + max(LEARNED_SHARE * max(shape.fall, 0.0), 2 * shape.noise)
    since = len(series) - 1
    while since > 0 and medians[since - 1] <= ceiling:
        since -= 1
    return series[since].step


def _best_step(full: Series, sampled: Series) -> int | None:
    """Where validation was lowest: full validation as it is, sampled validation by the median of its neighbours."""
    if full:
        return min(full, key=lambda point: (point.value, point.step)).step
    if not sampled:
        return None
    return min(zip(_medians(sampled), sampled, strict=True), key=lambda pair: (pair[0], pair[1].step))[1].step


def _measured(series: Series) -> Series:
    """The points that are numbers; of a long series, the medians of equal stretches, each at its middle step."""
    points = tuple(point for point in series if point.measured)
    size = -(-len(points) // MOST_POINTS)
    if size <= 1:
        return points
    stretches = (points[start : start + size] for start in range(0, len(points), size))
    return tuple(Point(part[len(part) // 2].step, median(point.value for point in part)) for part in stretches)


def _medians(series: Series) -> list[float]:
    """Each value's median with its neighbours: a tenth of all points, three at least from 9 points on, else itself."""
    reach = max(len(series) // 20, 2 if len(series) >= 25 else 1 if len(series) >= 9 else 0)
    values = [point.value for point in series]
    return [median(values[max(0, at - reach) : at + reach + 1]) for at in range(len(values))]


def _shape(series: Series, tail: int | None = None) -> _Shape:
    """Start and end as medians of a tenth of the points (3 at least, or `tail`); the start of fewer, it falls fast."""
    values = [point.value for point in series] or [0.0]
    few = tail if tail is not None else max(min(3, len(values)), len(values) // 10)
    third = values[-max(2, len(values) // 3) :]
    # Second differences know no trend; sqrt(6) is how much wider they scatter than the values. 1.48 turns a median
    # deviation into a standard deviation, and the median of n values scatters by 1.25 / sqrt(n) of theirs.
    bends = [
        abs(before - 2 * here + after) for before, here, after in zip(values, values[1:], values[2:], strict=False)
    ]
    scatter = 1.25 * 1.48 / math.sqrt(6) * median(bends) if bends else 0.0
    return _Shape(
        start=median(values[: min(few, BEGINNING)]),
        end=median(values[-few:]),
        noise=scatter / math.sqrt(few),
        late_fall=-linear_regression(range(len(third)), third).slope * len(third) if len(third) > 1 else 0.0,
        late_noise=scatter * math.sqrt(12 / len(third)),
        n=len(series),
    )


def _sure(steps: int, validations: int) -> Sure:
    """How sure a judgement is, from how much was measured."""
    if steps >= 100 and validations >= FEWEST_VALIDATIONS:
        return "very"
    return "fairly" if steps >= 30 or validations >= FEWEST_VALIDATIONS else "hardly"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _loss(value: float) -> str:
    """A loss with three digits that count."""
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
