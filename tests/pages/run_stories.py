"""Runs as a service might have told them, written into a workspace the way the watcher does it."""

from __future__ import annotations

import math
from typing import Any

from lib.runs import book
from lib.runs.heard import checkpoint_of, event_of
from lib.workspace.database import Workspace

BEGAN = 1_795_255_000.0
STEPS, EPOCHS = 180, 6
BASE = "gpt-4.1-mini-2025-04-14"
TUNED = "ft:gpt-4.1-mini-2025-04-14:org:routing:9al2gCXA"


def tell(
    ws: Workspace,
    status: str,
    *,
    steps: int = STEPS,
    service_id: str = "openai",
    job_id: str = "ftjob-1",
    version_id: str | None = None,
    rising: float = 0.0,
    pairs: bool = False,
    **job: Any,
) -> str:
    """Write one run with `steps` of its 180 steps behind it; validation rises by `rising` a step after the middle.
    With `pairs` it is a preference training.

    Returns the run's id.
    """
    said = {
        "id": job_id,
        "object": "fine_tuning.job",
        "model": BASE,
        "status": status,
        "created_at": int(BEGAN),
        "finished_at": int(BEGAN + 400) if status in book.FINAL else None,
        "fine_tuned_model": TUNED if status == "succeeded" else None,
        "trained_tokens": 91_320 if status == "succeeded" else None,
        "hyperparameters": {"n_epochs": EPOCHS, "batch_size": 8, "learning_rate_multiplier": 1},
        "user_provided_suffix": "routing",
        "training_file": "file-1",
        "validation_file": "file-2",
        **job,
    }
    with ws.write() as db:
        run_id = book.record_job(db, service_id, said, heard_at=ws.clock(), version_id=version_id)
    book.record_events(ws, run_id, [event_of(event) for event in _events(job_id, steps, rising, pairs)])
    ends = range(STEPS // EPOCHS, steps + 1, STEPS // EPOCHS)
    kept = [checkpoint_of(_checkpoint(job_id, step, rising)) for step in ends]
    book.record_checkpoints(ws, run_id, [one for one in kept if one is not None])
    return run_id


def _losses(step: int, rising: float) -> dict[str, Any]:
    wave = 0.12 * math.sin(step * 1.7) * math.exp(-step / 80)
    train = 0.2 + 2.4 * math.exp(-step / 30)
    valid = 0.3 + 2.4 * math.exp(-step / 28) + max(0, step - STEPS / 2) * rising
    data: dict[str, Any] = {
        "step": step,
        "total_steps": STEPS,
        "train_loss": round(train + wave, 4),
        "train_mean_token_accuracy": round(1 - train / 3, 4),
    }
    if step % 10 == 0:
        data |= {"valid_loss": round(valid + wave / 2, 4), "valid_mean_token_accuracy": round(1 - valid / 3, 4)}
    if step % (STEPS // EPOCHS) == 0:
        data |= {"full_valid_loss": round(valid, 4), "full_valid_mean_token_accuracy": round(1 - valid / 3, 4)}
    return data


def _pairs(step: int) -> dict[str, Any]:
    """What preference training tells besides, from even chances on."""
    told = {"rewards_accuracy": round(1 - 0.5 * math.exp(-step / 60), 4), "rewards_margin": round(step / 40, 4)}
    full = {f"full_valid_{name}": value for name, value in told.items()} if step % (STEPS // EPOCHS) == 0 else {}
    return {f"train_{name}": value for name, value in told.items()} | full


def _events(job_id: str, steps: int, rising: float, pairs: bool) -> list[dict[str, Any]]:
    said = [("Created fine-tuning job: " + job_id, None), ("Validating training file: file-1", None)]
    said += [
        (f"Step {step}/{STEPS}", _losses(step, rising) | (_pairs(step) if pairs else {}))
        for step in range(1, steps + 1)
    ]
    return [
        {
            "id": f"{job_id}-event-{place}",
            "created_at": int(BEGAN) + 2 * place,
            "level": "info",
            "type": "metrics" if data else "message",
            "message": message,
            "data": data or {},
        }
        for place, (message, data) in enumerate(said)
    ]


def _checkpoint(job_id: str, step: int, rising: float) -> dict[str, Any]:
    return {
        "id": f"ftckpt_{job_id}_{step}",
        "created_at": int(BEGAN) + 2 * step,
        "fine_tuned_model_checkpoint": f"{TUNED}:ckpt-step-{step}",
        "fine_tuning_job_id": job_id,
        "step_number": step,
        "metrics": _losses(step, rising),
    }
