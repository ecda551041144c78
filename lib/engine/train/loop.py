"""The training itself: step after step of gradient descent, what is said about each, and what is kept on the way.

Everything depends on the job, the data and the step alone, so a training that goes on from kept state gives the same
numbers as one that was never interrupted. It knows no method, no process and no file format.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib.engine.model import Model
from lib.engine.train import example_losses
from lib.engine.train.batches import Batches
from lib.engine.train.checkpoint import Checkpoints
from lib.engine.train.descent import Descent, base_rate
from lib.engine.train.events import Events
from lib.engine.train.example_losses import Losses, sample
from lib.engine.train.job import Job
from lib.engine.train.looks import Looks
from lib.engine.train.measuring import Measuring
from lib.engine.train.objective import Objective
from lib.engine.train.pace import STEP_COST, VALIDATION_COST, Pace
from lib.engine.train.scoring import Score
from lib.engine.train.stop import Stop, Stopped
from lib.engine.train.together import Together

# State is kept at each epoch's end and this often between, but never so often that it takes more of the time than this.
RESUME_SECONDS = 10.0
RESUME_SHARE = 0.05

UNTOLD = "untold"


class Training:
    """One job's training: of what it makes smaller, `objective`, over examples that are already ids."""

    def __init__(
        self,
        job: Job,
        model: Model,
        objective: Objective,
        validation: Objective | None,
        events: Events,
        stop: Stop,
    ) -> None:
        self._job = job
        self._model = model
        self._objective = objective
        self._validation = validation
        self._sets = {"training": objective} | ({"validation": validation} if validation else {})
        self._events = events
        self._stop = stop
        self._together = Together(model.device)
        self._measuring = Measuring(model, self._together, stop)
        self._batches = Batches(objective.lengths, job.n_epochs, job.batch_size, job.seed)
        trained = self._batches.examples * job.n_epochs
        self._sampled = {name: sample(len(each.lengths), trained) for name, each in self._sets.items()}
        self._looks = Looks(len(validation.lengths) if validation else 0, job.batch_size)
        rate = base_rate(job.batch_size) * model.rate * objective.rate * job.learning_rate_multiplier
        self._descent = Descent(model.weights(), rate, self._batches.total_steps)
        self._checkpoints = Checkpoints(job.folder, leads=self._together.leads)
        # The last step taken, its score as long as nothing was told of it, and what the starting weights said.
        self._done = 0
        self._untold: Score | None = None
        self._first: dict[str, Tensor] = {}
        self._kept_at, self._kept_in = time.monotonic(), 0.0

    def run(self) -> None:
        """Train to the end, from the beginning or from the state that an earlier run kept.

        Raises Stopped when it must end before that, Parted when another process of the training is gone; EngineError
        when the weights have become no numbers; OSError when the disk does not take what must be kept.
        """
        self._restore()
        self._together.agree(self._model.weights().values())
        try:
            self._look_first()
            pace = Pace(self._work_after(self._done), time.monotonic)
            if self._untold is not None:
                self._tell(self._untold, pace)
            for step in range(self._done + 1, self._batches.total_steps + 1):
                trained = self._learn(step)
                self._descent.step(step)
                self._done, self._untold = step, trained
                self._tell(trained, pace)
            self._finish()
        except Stopped:
            if not self._stop.cancelled:
                self._keep_state()
            raise

    def _restore(self) -> None:
        """Go back to the latest kept state, if there is one."""
        kept = self._checkpoints.state()
        if kept is None:
            return
        self._done, state = kept
        if self._done:
            self._descent.restore(state)
        if UNTOLD in state:
            self._untold = self._objective.blank.with_numbers(state[UNTOLD])
        self._first = {name: state[_first(name)] for name in self._sets}

    def _keep_state(self) -> None:
        """Keep what is needed to go on. Before everything is known that must be at the first step, that is nothing."""
        if len(self._first) < len(self._sets):
            return
        state = self._descent.state() if self._done else {}
        state |= {_first(name): losses for name, losses in self._first.items()}
        if self._untold is not None:
            state[UNTOLD] = self._untold.numbers()
        began = time.monotonic()
        self._checkpoints.keep_state(self._done, state)
        self._kept_at = time.monotonic()
        self._kept_in = self._kept_at - began

    def _look_first(self) -> None:
        """Learn what the starting weights say of the examples, unless an earlier run did."""
        if not self._first:
            self._first = {
                name: self._measuring.rows(objective, objective.first_rows(self._sampled[name]))
                for name, objective in self._sets.items()
            }
        for name, objective in self._sets.items():
            objective.know(self._first[name])
        self._keep_now_and_then(RESUME_SECONDS)

    def _learn(self, step: int) -> Score:
        """Gather the gradients of the mean loss of a step's examples, and say what it was.

        The mean is over all trained tokens, or pairs, of the step, in however many runs they are read.
        """
        objective = self._objective
        examples = self._batches.step(step)
        total, stopped = objective.blank, False
        count = max(1, int(objective.counts[examples].sum()))
        for group in objective.runs(self._together.share(examples)):
            stopped = self._stop.wanted
            if stopped:
                break
            losses, scored = objective.score(group)
            torch.autograd.backward(losses.sum() / count)
            total += scored
        self._together.add_gradients(self._model.weights().values(), stopped)
        return total.with_numbers(self._together.summed(total.numbers(), False))

    def _tell(self, trained: Score, pace: Pace) -> None:
        """Validate after the last step, tell of it, and keep a checkpoint at an epoch's end."""
        step, batches = self._done, self._batches
        validated, validation_work = self._validated(step)
        metrics = trained.metrics("train") | validated
        work = float(self._objective.lengths[batches.step(step)].sum()) + STEP_COST + validation_work
        self._events.step(step, batches.total_steps, batches.epochs(step), metrics, pace.step(work))
        if batches.ends_epoch(step):
            folder = self._checkpoints.keep(step, self._model, metrics.get("full_valid_loss", math.nan))
            self._events.checkpoint(step, folder, metrics, self._checkpoints.best)
        self._untold = None
        self._keep_now_and_then(0.0 if batches.ends_epoch(step) else RESUME_SECONDS)

    def _keep_now_and_then(self, pause: float) -> None:
        """Keep state if the last is older than `pause` in seconds, and keeping it did not take too long for that."""
        if time.monotonic() - self._kept_at > max(pause, self._kept_in / RESUME_SHARE):
            self._keep_state()

    def _validated(self, step: int) -> tuple[dict[str, float], float]:
        """What validation says after a step: of a few examples when due, of all at an epoch's end; and its work."""
        metrics: dict[str, float] = {}
        work = 0.0
        if self._validation is None:
            return metrics, work
        ends_epoch = self._batches.ends_epoch(step)
        chosen = {"valid": self._looks.at(step)} if ends_epoch or self._looks.due(step) else {}
        if ends_epoch:
            chosen["full_valid"] = np.arange(len(self._validation.lengths))
        for prefix, examples in chosen.items():
            metrics |= self._measuring.score(self._validation, examples).metrics(prefix)
            work += float(self._validation.lengths[examples].sum()) * VALIDATION_COST
        return metrics, work

    def _finish(self) -> None:
        """Look at the examples again, and tell that the training is done."""
        splits = []
        for name, objective in self._sets.items():
            examples = self._sampled[name]
            after = self._measuring.each(objective, examples)
            splits.append(Losses(name, examples, objective.before(examples), after))
        if self._together.leads:
            self._events.examples(example_losses.write(self._job.folder, splits))
        final: Path = self._checkpoints.keep(self._batches.total_steps, self._model)
        self._events.finish(self._objective.corpus.billed_tokens * self._job.n_epochs, final)

    def _work_after(self, step: int) -> float:
        """About the work, in tokens, of all steps after this one, and of the look at the end."""
        steps, epochs = self._batches.total_steps, self._job.n_epochs
        total = float(self._objective.lengths.sum()) * epochs + steps * STEP_COST
        if self._validation is not None:
            looked_at = steps / self._looks.every * self._looks.size / len(self._validation.lengths)
            total += float(self._validation.lengths.sum()) * (epochs + looked_at) * VALIDATION_COST
        last = sum(float(each.lengths[self._sampled[name]].sum()) for name, each in self._sets.items())
        return total * (1 - step / steps) + last * VALIDATION_COST


def _first(name: str) -> str:
    return f"first {name}"
