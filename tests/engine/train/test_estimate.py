"""The time a whole training says it still takes, on a clock that only the model's work moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lib.engine.built_in import BuiltIn
from lib.engine.model import Memory
from lib.engine.network import load
from lib.engine.template import Rendered, Template
from lib.engine.train import events, loop
from lib.engine.train.corpus import Corpus, pack
from lib.engine.train.events import Events
from lib.engine.train.job import Job
from lib.engine.train.loop import Training
from lib.engine.train.stop import Stop
from tests.engine.train.training import objective, told

# What learning from a token takes, in seconds; reading it alone takes a third. And what other things take.
LEARNING = 0.001
RUN = 0.012
SAVING = 1.0


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1e6

    def monotonic(self) -> float:
        return self.now

    time = monotonic


class Timed(BuiltIn):
    """A model whose work takes time on a clock: so much for a token, for a run, and for writing it to the disk."""

    def __init__(self, network: Any, template: Template, clock: Clock, slow: Callable[[], float]) -> None:
        super().__init__(network, template)
        self._clock = clock
        self._slow = slow

    def read(self, tokens: Tensor, cache: Memory | None = None) -> Tensor:
        share = 1.0 if torch.is_grad_enabled() else 1 / 3
        self._clock.now += self._slow() * share * (tokens.numel() * LEARNING + RUN)
        return super().read(tokens, cache)

    def save(self, folder: Path) -> None:
        self._clock.now += SAVING
        super().save(folder)


def lengths(count: int, seed: int, rows: int = 1) -> Corpus:
    """Examples of very different lengths, the answer being a third of each; with two rows, pairs."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        asked = random.integers(0, 250, int(np.clip(random.lognormal(3.4, 0.7), 6, 80))).tolist()
        for _ in range(rows):
            said = random.integers(0, 250, int(random.integers(2, 40))).tolist()
            made.append(Rendered(asked + said, [False] * len(asked) + [True] * len(said)))
    return pack(made)


@pytest.mark.parametrize(
    ("changes", "examples", "held_out"),
    [
        ({}, 160, 40),
        ({"batch_size": 1, "n_epochs": 2}, 100, 30),
        ({"batch_size": 16, "n_epochs": 4}, 320, 0),
        ({"n_epochs": 1}, 200, 200),
        ({"method": "dpo", "beta": 0.1}, 80, 30),
    ],
)
def test_after_a_tenth_of_the_steps_the_end_is_known_within_a_fifth(
    job: Job,
    template: Template,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    examples: int,
    held_out: int,
) -> None:
    job = replace(job, learning_rate_multiplier=1.0, **changes)
    job.folder.mkdir()
    clock, random = Clock(), np.random.default_rng(5)
    for module in (loop, events):
        monkeypatch.setattr(module, "time", clock)
    # Other programs come and go: a piece of work takes up to half as long again as it might.
    model = Timed(load(job.start_from).train(), template, clock, lambda: float(random.uniform(0.75, 1.5)))
    rows = 1 if job.beta is None else 2
    with Events(job.folder) as telling:
        training = objective(job, model, lengths(examples, 1, rows))
        validation = objective(job, model, lengths(held_out, 2, rows)) if held_out else None
        Training(job, model, training, validation, telling, Stop(job.folder)).run()
    curve = [event for event in told(job.folder) if event["kind"] == "step"]
    for event in curve[len(curve) // 10 : -len(curve) // 10]:
        estimated = event["at"] + event["seconds_left"] - curve[0]["at"]
        assert estimated == pytest.approx(clock.now - curve[0]["at"], rel=0.2)
