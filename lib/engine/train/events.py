"""What a training tells whoever started it: one JSON object a line, appended to the job folder's `events.jsonl`.

A resumed training says some steps again, with the same values; readers key by kind and step. It knows the shape of a
line, not where the numbers come from.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EVENTS_FILE = "events.jsonl"


class Events:
    """The event file, open until a `with` block ends. What a killed process left half-written is removed first.

    Of several processes that share a training one `leads` and tells what happens; the others tell nothing.
    """

    def __init__(self, folder: Path, *, leads: bool = True) -> None:
        path = folder / EVENTS_FILE
        self._leads = leads
        self._file = path.open("a+b")
        self._file.seek(0)
        known = self._file.read()
        if leads:
            self._file.truncate(known.rfind(b"\n") + 1)
        self._kinds = {json.loads(line)["kind"] for line in known.split(b"\n")[:-1]}

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def done(self) -> bool:
        """Whether an earlier run of the same job said that it was done."""
        return "done" in self._kinds

    def step(
        self, step: int, total_steps: int, epoch: float, metrics: Mapping[str, float], seconds_left: float
    ) -> None:
        """One step of training. `epoch` counts the passes over the data so far, `seconds_left` is an estimate.

        A metric that is not a finite number is told as null, with a warning in words.
        """
        self._say(
            {
                "kind": "step",
                "step": step,
                "total_steps": total_steps,
                **_finite(metrics),
                "epoch": round(epoch, 4),
                "at": round(time.time(), 3),
                "seconds_left": round(seconds_left, 1),
            }
        )

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, float], best: int | None) -> None:
        """A checkpoint that can be used from now on. `best` is the step of the one with the lowest full validation
        loss so far, where there is one; it is kept for as long as it is the best."""
        line = {"kind": "checkpoint", "step": step, "folder": str(folder), **_finite(metrics), "best": best}
        self._say(line, lasting=True)

    def examples(self, file: Path) -> None:
        """The losses of the examples before and after the training have been written."""
        self._say({"kind": "examples", "file": file.name}, lasting=True)

    def finish(self, trained_tokens: int, folder: Path) -> None:
        """The end of the training. `trained_tokens` is what a service would bill."""
        self._say({"kind": "done", "trained_tokens": trained_tokens, "folder": str(folder)}, lasting=True)

    def fail(self, code: str, message: str, param: str | None = None) -> None:
        """The end of the job without a model; `code` and `param` as OpenAI's error objects have them."""
        self._say({"kind": "failed", "code": code, "param": param, "message": message}, lasting=True)

    def _say(self, event: Mapping[str, Any], *, lasting: bool = False) -> None:
        if not self._leads:
            return
        self._file.write(json.dumps(event, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self._file.flush()
        if lasting:
            os.fsync(self._file.fileno())


def _finite(metrics: Mapping[str, float]) -> dict[str, Any]:
    told: dict[str, Any] = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    lost = [name for name, value in told.items() if value is None]
    if lost:
        told["warning"] = f"{', '.join(lost)}: no finite number at this step. A lower learning rate may help."
    return told
