"""A trainer without a network: obeys the job folder's contract, so that what the server makes of it can be tested fast.

The job's suffix says how it behaves: "slow" takes its time, "crash" dies once in the middle, "stuck" dies there each
time, "hopeless" dies at once, "fails" reports a failure, "deaf" ignores SIGTERM and what lies in its folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

STEPS_AN_EPOCH = 5


def main() -> None:
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text())
    manner = job["suffix"] or ""
    (folder / "environment.json").write_text(json.dumps(dict(os.environ)))
    signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "deaf" else lambda *_: sys.exit(0))
    if manner == "hopeless":
        sys.exit("no such thing as a weight")
    if manner == "fails":
        say(folder, kind="failed", code="invalid_training_file", param="training_file", message="It cannot be learnt.")
        sys.exit(1)
    done = folder / "resume" / "step"
    first = int(done.read_text()) + 1 if done.exists() else 1
    total = job["n_epochs"] * STEPS_AN_EPOCH
    parent = os.getppid()
    for step in range(first, total + 1):
        if manner != "deaf" and ((folder / "cancel").exists() or os.getppid() != parent):
            sys.exit(0)
        if manner != "deaf" and (folder / "pause").exists():
            keep(folder, step - 1)
            sys.exit(0)
        one_step(folder, job, step, total)
        if manner == "crash" and step == 7 and first == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if manner == "stuck" and step == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2 if manner in ("slow", "deaf", "stuck") else 0.001)
    losses = "".join(f"{number},{3 / number:.5f},{2 / number:.5f}\n" for number in range(1, 21))
    (folder / "example_losses.csv").write_text("example,loss_before,loss_after\n" + losses)
    say(folder, kind="examples", file="example_losses.csv")
    say(folder, kind="done", trained_tokens=1234, folder=f"checkpoints/step-{total}")


def one_step(folder: Path, job: dict[str, Any], step: int, total: int) -> None:
    numbers: dict[str, float] = {"train_loss": 3 / step, "train_mean_token_accuracy": step / total}
    if job["method"] == "dpo":
        numbers |= {"train_rewards_accuracy": step / total, "train_rewards_margin": job["beta"] * step}
    if job["validation_file"]:
        numbers |= {"valid_loss": 4 / step, "valid_mean_token_accuracy": step / total}
    whole = step % STEPS_AN_EPOCH == 0
    if whole and job["validation_file"]:
        numbers |= {"full_valid_loss": 5 / step, "full_valid_mean_token_accuracy": step / total}
    say(folder, kind="step", step=step, total_steps=total, **numbers, epoch=step / 5, at=time.time(), seconds_left=60.0)
    if whole:
        weights = folder / "checkpoints" / f"step-{step}"
        weights.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "model.safetensors", "manifest.json"):
            (weights / name).write_text(f"{name} at step {step}")
        say(folder, kind="checkpoint", step=step, folder=str(weights), **numbers)
        keep(folder, step)


def keep(folder: Path, step: int) -> None:
    (folder / "resume").mkdir(exist_ok=True)
    (folder / "resume" / "step").write_text(str(step))


def say(folder: Path, /, **event: Any) -> None:
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")


main()
