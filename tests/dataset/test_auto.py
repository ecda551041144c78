from __future__ import annotations

import pytest

from lib.dataset.auto import auto_batch_size, auto_epochs


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        (1, 25),
        (5, 20),
        (10, 10),
        (11, 9),
        (14, 7),
        (25, 4),
        (60, 3),
        (85, 3),
        (104, 3),
        (8333, 3),
        (10_000, 2),
        (30_000, 1),
    ],
)
def test_epochs_agree_with_real_jobs_and_with_the_cookbook(examples: int, epochs: int) -> None:
    assert auto_epochs(examples) == epochs


def test_no_examples_do_not_divide_by_zero() -> None:
    assert auto_epochs(0) == 25
    assert auto_batch_size(0) == 1


@pytest.mark.parametrize(("examples", "size"), [(10, 1), (525, 1), (5000, 10), (10_000_000, 256)])
def test_the_batch_is_about_two_in_a_thousand(examples: int, size: int) -> None:
    assert auto_batch_size(examples) == size
