"""What a trainer is told: "auto" as numbers, and a file that may be moved with its folder."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.engine.job_orders import resolve, write
from lib.errors import NotThere

AUTO = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}


@pytest.mark.parametrize(
    ("examples", "n_epochs", "batch_size"), [(10, 10, 1), (25, 4, 1), (104, 3, 1), (5000, 3, 10), (30_000, 1, 60)]
)
def test_auto_depends_on_the_number_of_examples(examples: int, n_epochs: int, batch_size: int) -> None:
    assert resolve(AUTO, examples) == {
        "n_epochs": n_epochs,
        "batch_size": batch_size,
        "learning_rate_multiplier": 1.0,
    }


def test_what_was_said_stays_and_only_what_was_asked_is_answered() -> None:
    asked = {"n_epochs": 7, "batch_size": "auto", "learning_rate_multiplier": 0.3, "weights": "lora"}
    assert resolve(asked, 10) == asked | {"batch_size": 1}
    assert resolve(AUTO | {"beta": "auto"}, 10)["beta"] == 0.1
    assert resolve(AUTO | {"beta": 1.5}, 10)["beta"] == 1.5


def row(**fields: Any) -> sqlite3.Row:
    job = {
        "id": "ftjob-one",
        "base": "base",
        "model": "ft:base:local::abcdefgh",
        "validation_file": None,
        "method": "dpo",
        "seed": 4,
        "suffix": None,
        "hyperparameters": json.dumps({"n_epochs": 2, "beta": 0.5}),
    } | fields
    return job  # type: ignore[return-value]


def test_orders_name_files_from_their_folder_and_models_from_the_root(tmp_path: Path) -> None:
    def find(name: str) -> SimpleNamespace:
        return SimpleNamespace(folder=Path("/models") / name, kind="hugging_face" if name == "added" else "built_in")

    models: Any = SimpleNamespace(find=find, base=find)
    write(row(base="added"), tmp_path, models)
    assert json.loads((tmp_path / "job.json").read_text())["context"] == 4096
    write(row(validation_file="file-two"), tmp_path, models)
    told = json.loads((tmp_path / "job.json").read_text())
    assert (told["training_file"], told["validation_file"]) == ("training.jsonl", "validation.jsonl")
    assert (told["base"], told["start_from"]) == ("/models/base", "/models/ft:base:local::abcdefgh")
    assert told["context"] == 2048
    assert (told["method"], told["beta"], told["n_epochs"]) == ("dpo", 0.5, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]


def test_a_model_that_is_gone_leaves_the_orders_unwritten(tmp_path: Path) -> None:
    def gone(_: str) -> None:
        raise NotThere("The model does not exist.", status=404)

    models: Any = SimpleNamespace(find=gone, base=gone)
    with pytest.raises(NotThere):
        write(row(), tmp_path, models)
    assert list(tmp_path.iterdir()) == []
