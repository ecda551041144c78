"""`python -m tests.bench.with_etude MODEL EXAMPLES ROOM RATE BATCH`: one epoch over all weights, as a job would do it.

Prints one JSON line: what each step after the first read and cost, so that nothing is counted that is done once.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from lib.engine import weights
from lib.engine.model import Learning
from lib.engine.train import corpus, descent
from lib.engine.train.batches import Batches, runs
from lib.engine.train.events import Events
from lib.engine.train.start import train
from lib.engine.train.stop import Stop
from tests.bench.folder_models import CONTEXT

SEED = 1
# Products of about the size that the layers of the models take.
ROWS = 512
MEASURED_SECONDS = 1.0


class Timed(Events):
    """Remembers the CPU time at which each step was told of, and its loss."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.steps: dict[int, tuple[float, float]] = {}
        self.folder: Path | None = None

    def step(self, step: int, total_steps: int, epoch: float, metrics: Any, seconds_left: float) -> None:
        super().step(step, total_steps, epoch, metrics, seconds_left)
        self.steps[step] = time.process_time(), metrics["train_loss"]

    def finish(self, trained_tokens: int, folder: Path) -> None:
        super().finish(trained_tokens, folder)
        self.folder = folder


def main() -> None:
    base, examples, room, rate, batch = sys.argv[1:]
    folder, batch_size = Path(room), int(batch)
    model = weights.load(Path(base), Learning("full", SEED, CONTEXT))
    job = {
        "id": "ftjob-bench",
        "start_from": base,
        "training_file": examples,
        "validation_file": None,
        "method": "supervised",
        "seed": SEED,
        "n_epochs": 1,
        "batch_size": batch_size,
        "learning_rate_multiplier": float(rate) / (descent.base_rate(batch_size) * model.rate),
        "context": CONTEXT,
        "weights": "full",
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    begun = time.process_time()
    with Timed(folder) as events:
        train(folder, events, Stop(folder))
    whole = time.process_time() - begun
    read = corpus.load(Path(examples), corpus.conversation, model.template, lambda: None)
    batches = Batches(read.lengths, 1, batch_size, SEED)
    chosen = [batches.step(step) for step in events.steps]
    groups = [group for step in chosen[1:] for group in runs(step, read.lengths)]
    times = [at for at, _ in events.steps.values()]
    told = {
        "cpu_seconds": times[-1] - times[0],
        "whole_cpu_seconds": whole,
        "tokens": sum(int(read.lengths[step].sum()) for step in chosen[1:]),
        "trained_tokens": sum(int(read.trained_tokens[step].sum()) for step in chosen[1:]),
        "computed": sum(len(group) * int(read.lengths[group].max()) for group in groups),
        "losses": [loss for _, loss in events.steps.values()],
        "counts": [int(read.trained_tokens[step].sum()) for step in chosen],
        "folder": str(events.folder),
        "products_a_second": products_a_second(model),
    }
    print(json.dumps(told))


def products_a_second(model: Any) -> float:
    """The multiplications and additions in a CPU second of the model's own largest matrix with ROWS rows."""
    matrix = max((one for name, one in model.weights().items() if "layers" in name), key=torch.numel).detach()
    rows = torch.randn(ROWS, matrix.shape[1])
    taken = 0
    begun = time.process_time()
    while time.process_time() - begun < MEASURED_SECONDS:
        torch.mm(rows, matrix.T)
        taken += 1
    return taken * 2 * ROWS * matrix.numel() / (time.process_time() - begun)


if __name__ == "__main__":
    main()
