"""A run in plain words: its name, its status, times and durations as a person says them.

Knows what a service may say about a job and how to say it here; touches no screen and no workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lib.runs.book import Run
from lib.runs.metrics import Progress

Colour = Literal["green", "gray", "orange", "red"]


@dataclass(frozen=True, slots=True)
class Status:
    """A status as a person reads it: a word, what it means, a Material symbol and a colour of the theme."""

    word: str
    meaning: str
    icon: str
    colour: Colour


STATUSES = {
    "validating_files": Status("Checking", "The service is checking the files.", ":material/fact_check:", "gray"),
    "queued": Status(
        "Queued",
        "The service has accepted the job and will start it when there is room.",
        ":material/schedule:",
        "gray",
    ),
    "running": Status("Training", "The model is being trained.", ":material/play_circle:", "green"),
    "pausing": Status(
        "Pausing", "The service will pause after the step under way.", ":material/pause_circle:", "orange"
    ),
    "paused": Status(
        "Paused", "The job rests where it is until somebody resumes it.", ":material/pause_circle:", "orange"
    ),
    "succeeded": Status("Finished", "The model is trained and can be talked to.", ":material/check_circle:", "green"),
    "failed": Status("Failed", "The service stopped the job.", ":material/error:", "red"),
    "cancelled": Status("Cancelled", "The job was stopped before its end.", ":material/cancel:", "gray"),
}


def status(said: str) -> Status:
    """What the service's word for a job's status means; a word that nobody knows is shown as it came."""
    said = "cancelled" if said == "canceled" else said
    unknown = Status(said or "Unknown", "The service uses a word that Etude does not know.", ":material/help:", "gray")
    return STATUSES.get(said, unknown)


def name(run: Run) -> str:
    """What a run is called: its base model, and the suffix the person gave."""
    suffix = run.job.get("suffix") or run.job.get("user_provided_suffix")
    return named(run.model, suffix if isinstance(suffix, str) else None)


def named(model: str, suffix: str | None) -> str:
    """What a job on this base model with this suffix is called."""
    return f"{model} · {suffix}" if suffix else model


def duration(seconds: float) -> str:
    """Seconds as a person says them: 40 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def clock(at: float, now: float) -> str:
    """A moment in this machine's time zone: the time alone today, with the day before that."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    if moment.date() == today.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment.day} {moment:%b %H:%M}" if moment.year == today.year else f"{moment.day} {moment:%b %Y}"


def how_far(progress: Progress, run: Run, now: float, *, brief: bool = False) -> str:
    """One line on how far a run is: step, epoch, time left, and when the service was last heard.

    `brief` leaves out the epoch, and when it ended or was heard.
    """
    if run.finished:
        steps = f"{progress.step:,} steps" if progress.step else "No step"
        line = f"{steps} in {duration(progress.seconds_elapsed)}"
        return line if brief else f"{line} · ended {clock(run.finished_at or run.heard_at, now)}"
    if not progress.step:
        return "No step yet" if brief else f"No step yet · heard {clock(run.heard_at, now)}"
    parts = [f"Step {progress.step:,}" + (f" of {progress.total_steps:,}" if progress.total_steps else "")]
    if progress.epoch is not None and not brief:
        parts.append(f"epoch {progress.epoch:.1f} of {progress.n_epochs}")
    if progress.seconds_left is not None:
        parts.append(f"about {duration(progress.seconds_left)} left")
    if not brief:
        parts.append(f"heard {clock(run.heard_at, now)}")
    return " · ".join(parts)
