"""Puts a training together: the job, the weights it starts from, its examples as ids; then runs it.

It knows where everything comes from, and nothing of how training is done.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

from lib.engine import weights
from lib.engine.model import Learning, Model
from lib.engine.train import corpus, rank
from lib.engine.train.batches import MOST_TOKENS
from lib.engine.train.events import Events
from lib.engine.train.job import Job, read
from lib.engine.train.loop import Training
from lib.engine.train.objective import Objective
from lib.engine.train.preference import Preference, pair
from lib.engine.train.stop import Stop
from lib.engine.train.supervised import Supervised
from lib.errors import DataError, Rejected

THREADS_SETTING = "ETUDE_TRAIN_THREADS"


def train(folder: Path, events: Events, stop: Stop) -> None:
    """Train the job in `folder`. Raises Stopped when stopped, Rejected for its files, EngineError for the rest."""
    job = read(folder)
    torch.set_num_threads(threads())
    stop.check()
    # The two answers of a pair are held together, however long they are.
    at_once = MOST_TOKENS if job.beta is None else max(MOST_TOKENS, 2 * job.context)
    model = weights.load(job.start_from, Learning(job.weights, job.seed, job.context, at_once))
    stop.check()
    objective = _objective(job, model, job.training_file, "training_file", stop)
    held_out = job.validation_file
    validation = _objective(job, model, held_out, "validation_file", stop) if held_out else None
    Training(job, model, objective, validation, events, stop).run()


def threads() -> int:
    """How many threads torch gets: as set in the environment, or all cores but one, which stays free for a person.

    Several processes of a training on this machine share them.
    """
    setting = os.environ.get(THREADS_SETTING, "")
    if setting.isdecimal() and int(setting) > 0:
        return int(setting)
    return max(1, (len(os.sched_getaffinity(0)) - 1) // rank.local_size())


def _objective(job: Job, model: Model, path: Path, param: str, stop: Stop) -> Objective:
    try:
        if job.beta is not None:
            return Preference(model, corpus.load(path, pair, model.template, stop.check), job.beta)
        return Supervised(model, corpus.load(path, corpus.conversation, model.template, stop.check))
    except DataError as error:
        raise Rejected(error.what, error.todo, code="invalid_training_file", param=param) from error
