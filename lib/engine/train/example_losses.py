"""The loss of each example before and after a training, kept with the job as `example_losses.csv`.

It says what was learned and what was not, and which examples may be wrong. It knows numbers of examples and losses.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.engine.train.batches import Indices

LOSSES_FILE = "example_losses.csv"
COLUMNS = ("example", "loss_before", "loss_after", "split")

# Of more examples than this, so many are measured, evenly from the first to the last. And measuring them twice, at a
# third of the work of learning from them, takes at most a quarter of the training: three for eight trained.
MOST_EXAMPLES = 2_000
MEASURED_PER_TRAINED = 3 / 8


@dataclass(frozen=True, slots=True)
class Losses:
    """The mean losses in nats of the examples of one split, "training" or "validation"."""

    split: str
    examples: Indices
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def sample(count: int, trained: int) -> Indices:
    """Which of `count` examples are measured in a training that learns from `trained` examples, repeated ones too."""
    measured = min(count, MOST_EXAMPLES, math.ceil(trained * MEASURED_PER_TRAINED))
    return np.linspace(0, count - 1, measured).round().astype(np.int64)


def write(folder: Path, splits: Iterable[Losses]) -> Path:
    """Write the file into the job's folder, whole or not at all. Raises OSError when the disk does not take it.

    Examples count from 1, as the service's errors count them. Where nothing is trained on, there is no loss.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for split in splits:
        rows.writerows(_rows(split))
    path = folder / LOSSES_FILE
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return path


def _rows(split: Losses) -> Iterator[tuple[str, str, str, str]]:
    for example, before, after in zip(split.examples, split.before, split.after, strict=True):
        yield str(example + 1), _number(before), _number(after), split.split


def _number(loss: float) -> str:
    return f"{loss:.6f}" if np.isfinite(loss) else ""
