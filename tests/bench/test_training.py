"""Training of folder models against TRL's SFTTrainer at its defaults, in tokens read without padding in a CPU second.

The same random weights, examples, batch size and learning rate, all weights trained, one thread each, and each in a
process of its own; what is measured are the steps, not loading and saving. What is set for TRL stands in `with_trl`.
TRL computes in bfloat16 unless told otherwise, which is slower than float32 on some processors: the bars are held
against whichever of the two is faster here. Ratios within one run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lib.engine.hugging_face import offline  # noqa: F401

# isort: split
from lib.engine import weights
from lib.engine.model import Learning
from lib.engine.train import corpus
from lib.engine.train.measuring import Measuring
from lib.engine.train.stop import Stop
from lib.engine.train.supervised import Supervised
from lib.engine.train.together import Together
from tests.bench.folder_models import CONTEXT, SIZES, Kind, examples, save

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
BATCH = 8
STEPS = {"7M": 24, "42M": 10}
RATE = "5e-4"
HELD_OUT = 64
# How many times TRL's tokens in a CPU second; and by how much the losses may differ, since the steps of the two hold
# other examples: those of the last fifth of the steps, and that of examples which neither has seen.
LEAST = {"mixed": 3.0, "uniform": 1.5}
MOST_APART, MOST_APART_HELD_OUT = 0.1, 0.05


@pytest.mark.parametrize("kind", ["mixed", "uniform"])
@pytest.mark.parametrize("size", SIZES)
def test_training_against_trl(size: str, kind: Kind, tmp_path: Path) -> None:
    base = save(tmp_path / "model", SIZES[size])
    learned = _write(tmp_path / "learned.jsonl", examples(kind, STEPS[size] * BATCH, seed=1))
    held_out = _write(tmp_path / "held-out.jsonl", examples(kind, HELD_OUT, seed=2))
    sides = {
        name: _side(module, [str(base), str(learned), str(tmp_path / name), RATE, str(BATCH), *more])
        for name, module, more in (
            ("Etude", "with_etude", []),
            ("TRL in bfloat16", "with_trl", ["bfloat16"]),
            ("TRL in float32", "with_trl", ["float32"]),
        )
    }
    speed = {name: side["tokens"] / side["cpu_seconds"] for name, side in sides.items()}
    after = {name: _loss(Path(side["folder"]), held_out) for name, side in sides.items()}
    ours = sides["Etude"]
    print(f"\n{size}, {kind} lengths, {ours['tokens'] / (STEPS[size] - 1) / BATCH:.0f} tokens an example:")
    for name, side in sides.items():
        first, last = _begin_and_end(side)
        print(
            f"  {name:<16} {speed[name]:6,.0f} tokens a CPU second, {speed['Etude'] / speed[name]:.1f} times; "
            f"{side['computed'] / side['tokens'] - 1:4.0%} padding; loss {first:.2f} -> {last:.2f}, "
            f"held out {after[name]:.3f}"
        )
    print(
        f"  Etude reaches {_used(base, ours):.0%} of the {ours['products_a_second'] / 1e9:.0f} GFLOP/s that products "
        f"of its matrices reach alone; loading, looking before and after and saving took "
        f"{ours['whole_cpu_seconds'] - ours['cpu_seconds']:.1f} CPU seconds more"
    )
    for name in ("TRL in bfloat16", "TRL in float32"):
        (first, last), (their_first, their_last) = _begin_and_end(ours), _begin_and_end(sides[name])
        assert first == pytest.approx(their_first, rel=MOST_APART)
        assert last == pytest.approx(their_last, rel=MOST_APART)
        assert last < 0.95 * first
        assert after["Etude"] == pytest.approx(after[name], rel=MOST_APART_HELD_OUT)
        assert speed["Etude"] / speed[name] >= LEAST[kind]


def _write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _side(module: str, arguments: list[str]) -> dict[str, Any]:
    """What one trainer says of its training, in a process with one thread and without a network."""
    Path(arguments[2]).mkdir()
    alone = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": arguments[2],
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "ETUDE_TRAIN_THREADS": "1",
    }
    command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **alone}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _begin_and_end(side: dict[str, Any]) -> tuple[float, float]:
    """The mean loss of a trained token in the first and in the last fifth of the steps."""
    losses, counts = np.array(side["losses"]), np.array(side["counts"])
    fifth = -(-len(losses) // 5)
    first, last = slice(None, fifth), slice(-fifth, None)
    return float(np.average(losses[first], weights=counts[first])), float(
        np.average(losses[last], weights=counts[last])
    )


def _loss(folder: Path, examples: Path) -> float:
    """What a trained model says of examples that it was not trained on: measured alike for all."""
    torch.set_num_threads(1)
    model = weights.load(folder, Learning("full", context=CONTEXT))
    objective = Supervised(model, corpus.load(examples, corpus.conversation, model.template, lambda: None))
    measuring = Measuring(model, Together(model.device), Stop(folder))
    score = measuring.score(objective, np.arange(HELD_OUT))
    return score.metrics("valid")["valid_loss"]


def _used(base: Path, side: dict[str, Any]) -> float:
    """The share of the products that the matrices reach alone which the training reaches.

    Each weight of a layer takes part in six operations for each token, two forwards and four backwards, and each of the
    head's for each trained one; looking up a token takes none. Attention is not counted.
    """
    model = weights.load(base, Learning("full", context=CONTEXT))
    sizes = {name: weight.numel() for name, weight in model.weights().items()}
    layers = sum(size for name, size in sizes.items() if "layers" in name)
    head = sum(size for name, size in sizes.items() if "lm_head" in name)
    operations = 6 * (layers * side["tokens"] + head * side["trained_tokens"])
    return float(operations / side["cpu_seconds"] / side["products_a_second"])
