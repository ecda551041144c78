"""Jobs on model folders, trained in this process to their end or until they are stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib.engine.train.events import EVENTS_FILE, Events
from lib.engine.train.start import train
from tests.engine.train.training import StopAfter

ANSWERS = {"red": "stop", "green": "walk", "amber": "wait"}


def conversations(count: int) -> list[dict[str, Any]]:
    lights = [list(ANSWERS)[number % 3] for number in range(count)]
    return [
        {
            "messages": [
                {"role": "user", "content": f"{number}: {light}" + " and so on" * (number % 4)},
                {"role": "assistant", "content": ANSWERS[light]},
            ]
        }
        for number, light in enumerate(lights)
    ]


def pairs(count: int) -> list[dict[str, Any]]:
    return [
        {
            "input": {"messages": [{"role": "user", "content": f"{number}: {light}"}]},
            "preferred_output": [{"role": "assistant", "content": ANSWERS[light]}],
            "non_preferred_output": [{"role": "assistant", "content": "no"}],
        }
        for number, light in enumerate(list(ANSWERS) * (count // 3))
    ]


def write(folder: Path, base: Path, lines: list[dict[str, Any]], **changes: Any) -> Path:
    """A job's folder with its file."""
    folder.mkdir(parents=True)
    (folder / "lines.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    job = {
        "id": "ftjob-1",
        "start_from": str(base),
        "training_file": "lines.jsonl",
        "validation_file": "lines.jsonl",
        "method": "supervised",
        "seed": 5,
        "n_epochs": 3,
        "batch_size": 4,
        "learning_rate_multiplier": 1000 if changes.get("weights") == "full" else 100,
        "context": 160,
    }
    (folder / "job.json").write_text(json.dumps(job | changes), encoding="utf-8")
    return folder


def run(folder: Path, looks: int = 10**9) -> list[dict[str, Any]]:
    """Train a job; all its events so far."""
    with Events(folder) as events:
        train(folder, events, StopAfter(folder, looks))
    return told(folder)


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / EVENTS_FILE).read_bytes().splitlines()]


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    """The last word on each step's training loss."""
    return {event["step"]: event["train_loss"] for event in events if event["kind"] == "step"}
