"""The road through lib.runs on the embedded service itself, which trains for real and is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from lib.dataset import shelf
from lib.runs import book
from lib.runs.launch import launch
from lib.runs.metrics import curves, progress
from lib.runs.plan import Plan
from lib.runs.verdict import verdict
from lib.runs.watch import Watcher
from lib.services import embedded
from lib.services.reach import reach
from lib.services.service import EMBEDDED
from lib.workspace.database import Workspace

SECONDS = 240.0


def taught(number: int) -> str:
    question = {"role": "user", "content": f"Which team takes mail number {number}?"}
    answer = {"role": "assistant", "content": ("billing", "support", "sales")[number % 3]}
    return json.dumps({"messages": [question, answer]})


@pytest.mark.slow
def test_a_service_that_is_killed_in_the_middle_of_a_job_loses_no_point(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path / "home")
    lines = "\n".join(taught(number) for number in range(60))
    version = shelf.bring_in(ws, lines.encode(), "teams.jsonl", validation=tuple(range(50, 60)))
    watcher = Watcher(ws, lambda _: reach(ws, EMBEDDED, {}), quickest=0.5)
    connection = reach(ws, EMBEDDED, {})
    assert connection is not None
    try:
        run = launch(ws, connection, Plan(EMBEDDED.id, "etude-tiny", version.id, n_epochs=2))
        connection.close()
        watcher.start()
        killed, until = False, time.monotonic() + SECONDS
        while not (run := book.run(ws, run.id)).finished and time.monotonic() < until:
            measured = curves(book.events(ws, run.id), (), n_epochs=run.n_epochs)
            if len(measured.train_loss) >= 10 and not killed:
                running = embedded.address(ws.home)
                assert running is not None
                os.kill(running.pid, signal.SIGKILL)
                killed = True
            left = progress(run, measured, ws.clock()).seconds_left
            assert left is None or left >= 0
            assert run.status != "failed"
            time.sleep(0.2)
        assert killed
        assert (run.status, run.error) == ("succeeded", None)
        measured = curves(book.events(ws, run.id), book.checkpoints(ws, run.id), n_epochs=run.n_epochs)
        assert [point.step for point in measured.train_loss] == list(range(1, (measured.total_steps or 0) + 1))
        assert len(measured.full_valid_loss) == 2
        assert run.fine_tuned_model
        print(verdict(measured, run.status).sentence)
    finally:
        watcher.stop()
        embedded.stop(ws.home)
        ws.close()
