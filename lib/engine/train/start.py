"""Puts a training together: the job, the weights it starts from, its examples as ids; then runs it.

It knows where everything comes from, and nothing of how training is done.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

from lib.engine import weights
from lib.engine.model import ChatTemplate, Learning
from lib.engine.train import corpus
from lib.engine.train.events import Events
from lib.engine.train.job import read
from lib.engine.train.loop import Training
from lib.engine.train.stop import Stop
from lib.errors import DataError, EngineError, Rejected

THREADS_SETTING = "ETUDE_TRAIN_THREADS"


def train(folder: Path, events: Events, stop: Stop) -> None:
    """Train the job in `folder`. Raises Stopped when stopped, Rejected for its files, EngineError for the rest."""
    job = read(folder)
    if job.method != "supervised":
        raise EngineError(f"The method {job.method} cannot be trained here.", "Use the method supervised.")
    torch.set_num_threads(threads())
    stop.check()
    model = weights.load(job.start_from, Learning(seed=job.seed, context=job.context))
    stop.check()
    examples = _corpus(job.training_file, "training_file", model.template, stop)
    held_out = job.validation_file
    validation = _corpus(held_out, "validation_file", model.template, stop) if held_out else None
    Training(job, model, examples, validation, events, stop).run()


def threads() -> int:
    """How many threads torch gets: as set in the environment, or all cores but one, which stays free for a person."""
    setting = os.environ.get(THREADS_SETTING, "")
    return int(setting) if setting.isdecimal() and int(setting) > 0 else max(1, len(os.sched_getaffinity(0)) - 1)


def _corpus(path: Path, param: str, template: ChatTemplate, stop: Stop) -> corpus.Corpus:
    try:
        return corpus.load(path, template, stop.check)
    except DataError as error:
        raise Rejected(error.what, error.todo, code="invalid_training_file", param=param) from error
