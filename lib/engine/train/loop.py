"""The training itself: step after step of gradient descent, what is said about each, and what is kept on the way.

Everything depends on the job, the data and the step alone, so a training that goes on from kept state gives the same
numbers as one that was never interrupted. It knows no process and no file format.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from lib.engine.model import Model
from lib.engine.train.batches import Batches, Indices, runs
from lib.engine.train.checkpoint import Checkpoints
from lib.engine.train.corpus import Corpus
from lib.engine.train.descent import Descent, base_rate
from lib.engine.train.events import Events
from lib.engine.train.job import Job
from lib.engine.train.looks import Looks
from lib.engine.train.pace import STEP_COST, VALIDATION_COST, Pace
from lib.engine.train.scoring import Score, score, validate
from lib.engine.train.stop import Stop

# State is kept at each epoch's end and this often between, but never so often that it takes more of the time than this.
RESUME_SECONDS = 10.0
RESUME_SHARE = 0.05


class Training:
    """One job's training on examples that are already ids."""

    def __init__(
        self,
        job: Job,
        model: Model,
        corpus: Corpus,
        validation: Corpus | None,
        events: Events,
        stop: Stop,
    ) -> None:
        self._job = job
        self._model = model
        self._corpus = corpus
        self._validation = validation
        self._events = events
        self._stop = stop
        self._batches = Batches(corpus.lengths, job.n_epochs, job.batch_size, job.seed)
        self._looks = Looks(len(validation) if validation else 0, job.batch_size)
        rate = base_rate(job.batch_size) * model.rate * job.learning_rate_multiplier
        self._descent = Descent(model.weights(), rate, self._batches.total_steps)
        self._checkpoints = Checkpoints(job.folder)

    def run(self) -> None:
        """Train to the end, from the beginning or from the state that an earlier run kept.

        Raises Stopped when it must end before that; EngineError when the weights have become no numbers; OSError when
        the disk does not take what must be kept.
        """
        done = self._restore()
        pace = Pace(self._work_after(done), time.monotonic)
        kept_at, kept_in = time.monotonic(), 0.0
        for step in range(done + 1, self._batches.total_steps + 1):
            examples = self._batches.step(step)
            trained = self._learn(examples)
            self._descent.step(step)
            validated, validation_work = self._validated(step)
            seconds_left = pace.step(float(self._corpus.lengths[examples].sum()) + STEP_COST + validation_work)
            folder = self._tell(step, trained.metrics("train") | validated, seconds_left)
            began = time.monotonic()
            pause = 0.0 if folder else RESUME_SECONDS
            if began - kept_at > max(pause, kept_in / RESUME_SHARE):
                self._checkpoints.keep_state(step, self._descent.state())
                kept_at = time.monotonic()
                kept_in = kept_at - began
        final = self._checkpoints.keep(self._batches.total_steps, self._model)
        self._events.finish(self._corpus.billed_tokens * self._job.n_epochs, final)

    def _restore(self) -> int:
        """Go back to the latest kept state; the step after which it was kept, 0 when there is none."""
        kept = self._checkpoints.state()
        if kept is None:
            return 0
        step, state = kept
        self._descent.restore(state)
        return step

    def _learn(self, examples: Indices) -> Score:
        """Gather the gradients of the mean loss over all trained tokens of a step, and say what the loss was."""
        total = Score()
        tokens = max(1, int(self._corpus.trained_tokens[examples].sum()))
        for group in runs(examples, self._corpus.lengths):
            self._stop.check()
            loss, scored = score(self._model, self._corpus, group, self._model.template.pad)
            torch.autograd.backward(loss / tokens)
            total += scored
        return total

    def _validated(self, step: int) -> tuple[dict[str, float], float]:
        """What validation says after a step: of a few examples when due, of all at an epoch's end; and its work."""
        metrics: dict[str, float] = {}
        work = 0.0
        if self._validation is None:
            return metrics, work
        ends_epoch = self._batches.ends_epoch(step)
        chosen = {"valid": self._looks.at(step)} if ends_epoch or self._looks.due(step) else {}
        if ends_epoch:
            chosen["full_valid"] = np.arange(len(self._validation))
        for prefix, examples in chosen.items():
            scored = validate(self._model, self._validation, examples, self._model.template.pad, self._stop.check)
            metrics |= scored.metrics(prefix)
            work += float(self._validation.lengths[examples].sum()) * VALIDATION_COST
        return metrics, work

    def _tell(self, step: int, metrics: dict[str, float], seconds_left: float) -> Path | None:
        """Tell of a step; at an epoch's end keep a checkpoint, tell of it, and return its folder."""
        self._events.step(step, self._batches.total_steps, self._batches.epochs(step), metrics, seconds_left)
        if not self._batches.ends_epoch(step):
            return None
        folder = self._checkpoints.keep(step, self._model)
        self._events.checkpoint(step, folder, metrics)
        return folder

    def _work_after(self, step: int) -> float:
        """About the work, in tokens, of all steps after this one."""
        steps, epochs = self._batches.total_steps, self._job.n_epochs
        total = float(self._corpus.lengths.sum()) * epochs + steps * STEP_COST
        if self._validation is not None:
            looked_at = steps / self._looks.every * self._looks.size / len(self._validation)
            total += float(self._validation.lengths.sum()) * (epochs + looked_at) * VALIDATION_COST
        return total * (1 - step / steps)
