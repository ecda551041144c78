"""What the server believes: files, jobs, events, checkpoints, models. Jobs move one stage each time they are looked at.

The stages of a job are validating_files, queued, running (as many polls as `running_polls`) and succeeded; `manual`
stops that, and a test moves it with `advance`. Nothing is trained: losses are a made-up falling curve.
"""

from __future__ import annotations

import base64
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ORGANIZATION = "org-test"
FINAL = ("succeeded", "failed", "cancelled")


@dataclass(slots=True)
class Job:
    """A job and what hangs on it; `view` is the object that the protocol shows."""

    view: dict[str, Any]
    total_steps: int
    steps_per_epoch: int
    polls: int = 0
    steps_done: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)  # oldest first
    checkpoints: list[dict[str, Any]] = field(default_factory=list)  # oldest first


class World:
    """All state and the switches that tests turn. Ids count up, so that they are the same in every run."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.answer: Callable[[dict[str, Any]], str] = lambda body: f"You said: {last_text(body)}"
        self.manual = False  # jobs stand still until `advance`
        self.running_polls = 2  # looks a job spends in "running"
        self.events_shuffled = False  # pages keep their size, their order within is random
        self.events_twice = False  # each page repeats its last event at its start
        self.has_more: bool | None = None  # what every list claims, instead of the truth
        self.ignores_after = False  # every page is the first one
        self.ignores_metadata = False  # jobs forget the metadata that they were created with
        self.largest_page = 100
        self._count = 0
        for name, shutdown in (
            ("gpt-4.1-2025-04-14", "2027-01-14"),
            ("gpt-4.1-mini-2025-04-14", "2027-01-14"),
            ("gpt-4o-mini-2024-07-18", "2027-01-14"),
            ("open-base-8b", None),
        ):
            self.add_model(name, shutdown_date=shutdown, owned_by="system")

    def new_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:08d}"

    def add_model(self, name: str, *, shutdown_date: str | None = None, owned_by: str = ORGANIZATION) -> None:
        self.models[name] = {
            "id": name,
            "object": "model",
            "created": int(time.time()),
            "owned_by": owned_by,
            "shutdown_date": shutdown_date,
        }

    def add_file(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = self.new_id("file-")
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
            "expires_at": None,
        }
        return self.files[file_id]

    def add_job(self, body: Mapping[str, Any]) -> Job:
        method = body.get("method") or {"type": "supervised"}
        inner = (method.get(method["type"]) or {}).get("hyperparameters") or body.get("hyperparameters") or {}
        lines = self.contents[body["training_file"]].splitlines()
        examples = max(1, sum(1 for line in lines if line.strip()))
        epochs = _number(inner.get("n_epochs"), 3)
        batch = _number(inner.get("batch_size"), 1)
        steps_per_epoch = math.ceil(examples / batch)
        hyperparameters = {
            "n_epochs": epochs,
            "batch_size": batch,
            "learning_rate_multiplier": _number(inner.get("learning_rate_multiplier"), 2.0),
        }
        view = {
            "id": self.new_id("ftjob-"),
            "object": "fine_tuning.job",
            "model": body["model"],
            "created_at": int(time.time()),
            "finished_at": None,
            "estimated_finish": None,
            "fine_tuned_model": None,
            "organization_id": ORGANIZATION,
            "result_files": [],
            "status": "validating_files",
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "trained_tokens": None,
            "error": {},
            "seed": body.get("seed", 7),
            "hyperparameters": hyperparameters,
            "method": {"type": method["type"], method["type"]: {"hyperparameters": hyperparameters}},
            "integrations": [],
            "metadata": None if self.ignores_metadata else body.get("metadata"),
            "user_provided_suffix": body.get("suffix"),
        }
        job = Job(view, total_steps=steps_per_epoch * epochs, steps_per_epoch=steps_per_epoch)
        self.jobs[view["id"]] = job
        self.say(job, f"Created fine-tuning job: {view['id']}")
        self.say(job, f"Validating training file: {view['training_file']}")
        return job

    def look(self, job: Job) -> dict[str, Any]:
        """The job as a poll sees it; looking moves it on unless `manual`."""
        if not self.manual:
            self.advance(job)
        return dict(job.view)

    def advance(self, job: Job) -> None:
        """One stage further."""
        if job.view["status"] in (*FINAL, "paused"):
            return
        job.polls += 1
        if job.polls == 1:
            return
        if job.polls == 2:
            job.view["status"] = "queued"
            self.say(job, "Files validated, moving job to queued state")
        elif job.polls <= 2 + self.running_polls:
            if job.view["status"] == "queued":
                job.view["status"] = "running"
                self.say(job, "Fine-tuning job started")
            self.run_steps(job, math.ceil(job.total_steps * (job.polls - 2) / self.running_polls))
        else:
            self.succeed(job)

    def run_steps(self, job: Job, up_to: int) -> None:
        """Metrics for the steps up to this one; a checkpoint at each epoch's end."""
        for step in range(job.steps_done + 1, min(up_to, job.total_steps) + 1):
            ends_epoch = step % job.steps_per_epoch == 0
            metrics = {
                "step": step,
                "train_loss": round(2.0 / step**0.5, 4),
                "train_mean_token_accuracy": round(1 - 0.9 / step**0.5, 4),
            }
            if job.view["validation_file"]:
                metrics["valid_loss"] = round(2.2 / step**0.5, 4)
                metrics["valid_mean_token_accuracy"] = round(1 - 0.95 / step**0.5, 4)
                if ends_epoch:
                    metrics["full_valid_loss"] = round(2.1 / step**0.5, 4)
                    metrics["full_valid_mean_token_accuracy"] = round(1 - 0.93 / step**0.5, 4)
            text = f"Step {step}/{job.total_steps}: training loss={metrics['train_loss']:.2f}"
            self.say(job, text, type="metrics", data={**metrics, "total_steps": job.total_steps})
            if ends_epoch:
                self._checkpoint(job, step, metrics)
            job.steps_done = step

    def succeed(self, job: Job) -> None:
        """All steps, then the model, the result file and the last two events."""
        self.run_steps(job, job.total_steps)
        name = self.model_name(job)
        self.add_model(name)
        rows = [f"{e['data']['step']},{e['data']['train_loss']}," for e in job.events if e["type"] == "metrics"]
        table = "\n".join(["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy", *rows])
        result = self.add_file("step_metrics.csv", base64.b64encode(table.encode()), "fine-tune-results")
        job.view |= {
            "status": "succeeded",
            "fine_tuned_model": name,
            "finished_at": int(time.time()),
            "result_files": [result["id"]],
            "trained_tokens": 10 * job.total_steps,
            "error": {"code": None, "message": None, "param": None},
        }
        self.say(job, f"New fine-tuned model created: {name}")
        self.say(job, "The job has successfully completed")

    def fail(self, job: Job, code: str, message: str, param: str | None = "training_file") -> None:
        job.view |= {"status": "failed", "finished_at": int(time.time())}
        job.view["error"] = {"code": code, "message": message, "param": param}
        self.say(job, message, level="error")

    def say(
        self, job: Job, message: str, *, level: str = "info", type: str = "message", data: dict[str, Any] | None = None
    ) -> None:
        job.events.append(
            {
                "id": self.new_id("ftevent-"),
                "object": "fine_tuning.job.event",
                "created_at": int(time.time()),
                "level": level,
                "message": message,
                "type": type,
                "data": data or {},
            }
        )

    def model_name(self, job: Job) -> str:
        return f"ft:{job.view['model']}:test:{job.view['user_provided_suffix'] or ''}:{job.view['id'][-8:]}"

    def page(self, items: list[dict[str, Any]], query: Mapping[str, str], usual: int) -> dict[str, Any]:
        """One page of a list, with the faults of paging that are switched on."""
        limit = min(int(query.get("limit", usual)), self.largest_page)
        ids = [item["id"] for item in items]
        after = query.get("after")
        start = ids.index(after) + 1 if after in ids and not self.ignores_after else 0
        data = items[start : start + limit]
        more = start + limit < len(items) if self.has_more is None else self.has_more
        return {
            "object": "list",
            "data": data,
            "has_more": more,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
        }

    def events_page(self, job: Job, query: Mapping[str, str]) -> dict[str, Any]:
        page = self.page(job.events[::-1], query, 20)
        data = page["data"]
        if self.events_shuffled and len(data) > 1:
            # The last one stays: clients continue after it.
            data = [*random.Random(len(data)).sample(data[:-1], len(data) - 1), data[-1]]
        if self.events_twice and data:
            data = [data[-1], *data]
        return {**page, "data": data}

    def _checkpoint(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        name = f"{self.model_name(job)}:ckpt-step-{step}"
        self.add_model(name)
        job.checkpoints.append(
            {
                "id": self.new_id("ftckpt_"),
                "object": "fine_tuning.job.checkpoint",
                "created_at": int(time.time()),
                "fine_tuned_model_checkpoint": name,
                "fine_tuning_job_id": job.view["id"],
                "step_number": step,
                "metrics": metrics,
            }
        )


def last_text(body: Mapping[str, Any]) -> str:
    """The text of the last message of a chat request."""
    content = body["messages"][-1].get("content") or ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)


def _number(value: Any, usual: Any) -> Any:
    return usual if value in (None, "auto") else value
