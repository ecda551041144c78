"""What the built-in base learns from each example data set: the least that its held-out answers must reach."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib.dataset.samples.samples import find
from tests.bench.figures import BASE, asked, train

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

# On questions none of which is in words of training.
LEAST = {
    "routing": {"json": 0.95, "team": 0.8},
    "tone": {"tone": 1.0, "fact": 0.6},
    "extraction": {"json": 0.9, "fields": 0.7},
}


@pytest.mark.parametrize("key", LEAST)
def test_held_out_questions_in_other_words_are_answered(key: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    sample = find(key)
    trained = train(sample, BASE, tmp_path / "job", seed=1)
    shares = asked(trained.folder, sample.in_other_words(), sample)
    print(f"\n{sample.title}: {shares}, {trained.cpu_seconds:.0f} CPU seconds, {trained.megabytes:.0f} MB")
    assert {name: shares[name] for name, least in LEAST[key].items() if shares[name] < least} == {}
