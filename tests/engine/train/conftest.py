"""A whole training in this process, of either method, that can be stopped at any look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib.engine import weights
from lib.engine.model import Learning
from lib.engine.template import Template
from lib.engine.train import loop
from lib.engine.train.corpus import Corpus, pack
from lib.engine.train.events import Events
from lib.engine.train.job import Job
from lib.engine.train.loop import Training
from lib.engine.train.preference import pair
from tests.engine.train.training import StopAfter, Told, objective, told

ANSWERS = {"red": "stop", "green": "walk", "amber": "wait"}

Train = Callable[..., Told]


@pytest.fixture
def job(tmp_path: Path, model_folder: Path) -> Job:
    folder = tmp_path / "job"
    return Job(folder, "ftjob-1", model_folder, folder, None, "supervised", 7, 3, 4, 30.0, 128)


@pytest.fixture
def conversations(template: Template) -> Callable[..., Corpus]:
    """So many conversations about traffic lights."""

    def make(count: int, weight: int = 1) -> Corpus:
        lights = [list(ANSWERS)[number % 3] for number in range(count)]
        messages = [
            [
                {"role": "user", "content": f"{number}: {light}"},
                {"role": "assistant", "content": ANSWERS[light], "weight": weight},
            ]
            for number, light in enumerate(lights)
        ]
        return pack((template.example({"messages": each}) for each in messages), billed_tokens=100)

    return make


@pytest.fixture
def pairs(template: Template) -> Callable[..., Corpus]:
    """So many preference pairs about traffic lights: the right word is preferred to a wrong one that is longer."""

    def make(count: int) -> Corpus:
        rows = []
        for number in range(count):
            light = list(ANSWERS)[number % 3]
            data = {
                "input": {"messages": [{"role": "user", "content": f"{number}: {light}"}]},
                "preferred_output": [{"role": "assistant", "content": ANSWERS[light]}],
                "non_preferred_output": [{"role": "assistant", "content": "rather " * (number % 4) + "not"}],
            }
            rows += pair(data, template)[0]
        return pack(rows, billed_tokens=100)

    return make


@pytest.fixture
def train(template: Template, conversations: Callable[..., Corpus], pairs: Callable[..., Corpus]) -> Train:
    """Train a job, by default on thirty examples, and give all that was told of it."""

    def run(
        job: Job, examples: Corpus | None = None, validation: Corpus | None = None, stop_after: int = 10**9
    ) -> Told:
        job.folder.mkdir(exist_ok=True)
        model = weights.load(job.start_from, Learning(), template.encoding)
        examples = examples or (conversations(30) if job.beta is None else pairs(30))
        with Events(job.folder) as events:
            stop = StopAfter(job.folder, stop_after)
            held_out = objective(job, model, validation) if validation else None
            Training(job, model, objective(job, model, examples), held_out, events, stop).run()
        return told(job.folder)

    return run


@pytest.fixture
def keep_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """State is kept after each step, however long it takes."""
    monkeypatch.setattr(loop, "RESUME_SECONDS", 0.0)
    monkeypatch.setattr(loop, "RESUME_SHARE", float("inf"))
