"""A job's seed: with everything else on auto, the same one gives the same curve and the same weights, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.server.conftest import Start
from tests.engine.server.test_real_training import REAL, examples, metrics, tiny_base

pytestmark = pytest.mark.slow
__all__ = ["tiny_base"]


def test_a_seed_gives_the_same_training_again_and_another_seed_does_not(
    start_engine: Start, tiny_base: Path, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home", bases=[str(tiny_base)], **REAL)
    training, validation = engine.upload(examples(40)), engine.upload(examples(12))
    curves: list[list[dict[str, Any]]] = []
    weights: list[bytes] = []
    for seed in (7, 7, 8):
        asked = {"model": "tiny", "training_file": training, "validation_file": validation, "seed": seed}
        job = engine.wait(engine.client.fine_tuning.jobs.create(**asked).id)
        assert (job.status, job.seed) == ("succeeded", seed), job.error
        curves.append(metrics(engine, job.id))
        kept = (tmp_path / "home").glob(f"**/{job.id}/checkpoints/step-{curves[-1][-1]['step']}/model.safetensors")
        weights.append(next(kept).read_bytes())
    engine.close()
    assert curves[0]
    assert curves[0] == curves[1] != curves[2]
    assert weights[0] == weights[1] != weights[2]
