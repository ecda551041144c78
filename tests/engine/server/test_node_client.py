"""The whole way of a fine-tune with the official Node client, unchanged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.server.conftest import BASE, ROOT, Running

pytestmark = pytest.mark.slow

HERE = ROOT / "tests" / "engine" / "node"


@pytest.fixture(scope="module")
def seen(node_client: Path, engine: Running) -> dict[str, Any]:
    """What the client saw on its way."""
    script = shutil.copy(HERE / "workflow.mjs", node_client)
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": engine.base_url,
        "OPENAI_API_KEY": engine.api_key,
        "BASE_MODEL": "base-one",
    }
    ran = subprocess.run(["node", script], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_job_goes_all_the_way(seen: dict[str, Any], engine: Running) -> None:
    assert (seen["processed"], seen["bytes"]) == ("processed", True)
    assert seen["created"] == {"status": "validating_files", "object": "fine_tuning.job"}
    job = seen["job"]
    assert job["fine_tuned_model"].startswith(f"ft:{BASE}:local:node:")
    assert job["hyperparameters"] == {"n_epochs": 2, "batch_size": 1, "learning_rate_multiplier": 1.0}
    assert seen["messages"] == engine.messages(job["id"])
    assert seen["messages"][-1] == "The job has successfully completed"
    assert seen["checkpoints"] == [10, 5]
    assert seen["result"] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"


def test_what_was_made_answers(seen: dict[str, Any]) -> None:
    assert seen["answered"] == ["assistant", "assistant"]
    assert seen["stream"] == {"chunks": True, "reason": "stop"}
    assert seen["responded"]


def test_a_preference_job_is_paused_resumed_and_cancelled(seen: dict[str, Any]) -> None:
    assert seen["paused"] == {"status": "paused", "estimated_finish": None}
    assert seen["dpo"]["dpo"]["hyperparameters"]["beta"] == 0.2
    assert seen["cancelled"] == "cancelled"


def test_lists_end_and_what_was_removed_is_gone(seen: dict[str, Any]) -> None:
    assert (seen["listed"], seen["models"], seen["deleted"]) == (True, True, True)
    assert (seen["gone"]["kind"], seen["gone"]["code"]) == ("NotFoundError", "model_not_found")


def test_refusals_are_the_clients_own_errors(seen: dict[str, Any]) -> None:
    kinds = [(told["kind"], told["status"], told["code"], told["param"]) for told in seen["refused"]]
    assert kinds == [
        ("BadRequestError", 400, "invalid_file", "training_file"),
        ("BadRequestError", 400, "unsupported_value", "method.type"),
        ("BadRequestError", 400, "job_not_cancellable", "fine_tuning_job_id"),
        ("NotFoundError", 404, "fine_tune_not_found", "fine_tuning_job_id"),
    ]
