"""What a training in this process told, and how to stop it at any look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.engine.model import Model
from lib.engine.train.corpus import Corpus
from lib.engine.train.events import EVENTS_FILE
from lib.engine.train.job import Job
from lib.engine.train.objective import Objective
from lib.engine.train.preference import Preference
from lib.engine.train.stop import Stop
from lib.engine.train.supervised import Supervised

Told = list[dict[str, Any]]


class StopAfter(Stop):
    """Asks to stop from the n-th look on."""

    def __init__(self, folder: Path, looks: int) -> None:
        super().__init__(folder)
        self.looks = looks

    @property
    def wanted(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def objective(job: Job, model: Model, corpus: Corpus) -> Objective:
    return Supervised(model, corpus) if job.beta is None else Preference(model, corpus, job.beta)


def told(folder: Path) -> Told:
    """Everything that was told of a job so far."""
    path = folder / EVENTS_FILE
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def steps(events: Sequence[dict[str, Any]]) -> Told:
    """The step events without times, the last word on each step."""
    by_step = {event["step"]: event for event in events if event["kind"] == "step"}
    timeless = [
        {name: value for name, value in event.items() if name not in ("at", "seconds_left")}
        for event in by_step.values()
    ]
    return sorted(timeless, key=lambda event: event["step"])
