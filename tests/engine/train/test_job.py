"""The job file: resolved values, and a sentence for each that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.engine.train.job import read
from lib.errors import EngineError

GOOD: dict[str, Any] = {
    "id": "ftjob-1",
    "base": "/models/base",
    "start_from": "/models/base",
    "training_file": "/files/a",
    "validation_file": None,
    "method": "supervised",
    "seed": 0,
    "n_epochs": 3,
    "batch_size": 1,
    "learning_rate_multiplier": 2,
    "suffix": None,
    "context": 2048,
}


def write(folder: Path, data: Any) -> Path:
    (folder / "job.json").write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return folder


def test_a_job_is_read(tmp_path: Path) -> None:
    job = read(write(tmp_path, GOOD | {"validation_file": "held_out.jsonl"}))
    assert job.start_from == Path("/models/base")
    assert job.validation_file == tmp_path / "held_out.jsonl"
    assert job.learning_rate_multiplier == 2.0
    assert read(write(tmp_path, GOOD)).validation_file is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("training_file", 3),
        ("seed", -1),
        ("seed", True),
        ("n_epochs", 0),
        ("n_epochs", "auto"),
        ("batch_size", 1.5),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", "auto"),
        ("context", 1),
        ("method", "reinforcement"),
        ("weights", "half"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(EngineError, match=name):
        read(write(tmp_path, GOOD | {name: value}))


def test_preference_training_has_a_beta_and_no_other_has(tmp_path: Path) -> None:
    preference = GOOD | {"method": "dpo", "weights": "lora"}
    assert read(write(tmp_path, preference | {"beta": 0.1})).beta == 0.1
    assert read(write(tmp_path, GOOD | {"beta": 0.1})).beta is None
    for beta in (None, "auto", 0):
        with pytest.raises(EngineError, match="beta"):
            read(write(tmp_path, preference | {"beta": beta}))


def test_which_weights_learn_is_left_to_the_kind_of_model_unless_said(tmp_path: Path) -> None:
    assert read(write(tmp_path, GOOD)).weights is None
    assert read(write(tmp_path, GOOD | {"weights": "full"})).weights == "full"


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_file_that_is_no_job_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(EngineError, match=r"job\.json"):
        read(write(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"job\.json"):
        read(tmp_path)
