"""What a trainer is told to do: the job folder's `job.json`, made from a job's row, and what "auto" becomes.

Knows no process and no route.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.dataset.auto import auto_batch_size, auto_epochs
from lib.engine.hugging_face.memory import MOST_CONTEXT
from lib.engine.model_book import ModelBook
from lib.engine.settings import CONTEXT

ORDERS_FILE = "job.json"
TRAINING_FILE = "training.jsonl"
VALIDATION_FILE = "validation.jsonl"
# What OpenAI's guide to preference training uses, and the usual value of the field. Its "auto" is not published.
AUTO_BETA = 0.1


def resolve(asked: Mapping[str, Any], examples: int) -> dict[str, Any]:
    """Hyperparameters as numbers: what "auto" means for this many examples. The automatic multiplier is 1."""
    auto = {
        "n_epochs": auto_epochs(examples),
        "batch_size": auto_batch_size(examples),
        "learning_rate_multiplier": 1.0,
        "beta": AUTO_BETA,
    }
    return {name: auto[name] if value == "auto" else value for name, value in asked.items()}


def write(job: sqlite3.Row, folder: Path, models: ModelBook) -> None:
    """Write the orders of a job, whole or not at all; its files are named from its folder, which may so be moved.

    Raises NotThere for a model that was deleted meanwhile.
    """
    base = models.base(job["base"])
    orders = {
        "id": job["id"],
        "base": str(base.folder),
        "start_from": str(models.find(job["model"]).folder),
        "training_file": TRAINING_FILE,
        "validation_file": VALIDATION_FILE if job["validation_file"] else None,
        "method": job["method"],
        "seed": job["seed"],
        "suffix": job["suffix"],
        # An added model's own context, where it is less, is found by the trainer.
        "context": CONTEXT if base.kind == "built_in" else MOST_CONTEXT,
        **json.loads(job["hyperparameters"]),
    }
    temporary = folder / f"{ORDERS_FILE}.tmp"
    temporary.write_text(json.dumps(orders, indent=2), encoding="utf-8")
    temporary.replace(folder / ORDERS_FILE)
