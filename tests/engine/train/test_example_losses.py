"""The loss of each example before and after: a bounded sample, whole on the disk, empty where there is no loss."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lib.engine.train.example_losses import LOSSES_FILE, MOST_EXAMPLES, Losses, sample, write


@pytest.mark.parametrize("count", [1, 2, 240, MOST_EXAMPLES])
def test_of_few_examples_all_are_measured(count: int) -> None:
    assert sample(count, 3 * count).tolist() == list(range(count))


@pytest.mark.parametrize("count", [MOST_EXAMPLES + 1, 3_333, 1_000_000])
def test_of_many_examples_some_are_measured_evenly(count: int) -> None:
    chosen = sample(count, 3 * count)
    assert len(chosen) == MOST_EXAMPLES
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    gaps = np.diff(chosen)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_measuring_takes_at_most_a_quarter_of_the_training() -> None:
    assert sample(800, 800).tolist()[:4] == [0, 3, 5, 8]
    assert len(sample(800, 800)) == 300
    assert len(sample(10_000, 80)) == 30
    assert sample(5, 1).tolist() == [0]


def test_the_file_counts_examples_from_one_and_leaves_out_what_is_no_number(tmp_path: Path) -> None:
    training = Losses("training", np.array([0, 7]), np.array([2.5, math.nan]), np.array([0.25, math.inf]))
    validation = Losses("validation", np.array([0]), np.array([3.0]), np.array([1.0]))
    path = write(tmp_path, [training, validation])
    assert path == tmp_path / LOSSES_FILE
    assert path.read_text(encoding="utf-8").splitlines() == [
        "example,loss_before,loss_after,split",
        "1,2.500000,0.250000,training",
        "8,,,training",
        "1,3.000000,1.000000,validation",
    ]
    assert [file.name for file in tmp_path.iterdir()] == [LOSSES_FILE]
