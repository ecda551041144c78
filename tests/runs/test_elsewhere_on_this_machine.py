"""A job that OpenAI's own clients start on this machine is followed to its end by a workspace that did not know it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest

from lib.runs import book
from lib.runs.book import Run
from lib.runs.elsewhere import Newcomers
from lib.runs.metrics import curves
from lib.runs.watch import Watcher
from lib.services import embedded
from lib.services.embedded import Address
from lib.services.reach import reach
from lib.services.service import EMBEDDED
from lib.workspace.database import Workspace
from tests.conftest import NODE
from tests.runs.conftest import lines

pytestmark = pytest.mark.slow

SECONDS = 240.0


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace by the real clock, whose watcher is at work."""
    ws = Workspace.open(tmp_path / "home")
    watcher = Watcher(ws, lambda _: reach(ws, EMBEDDED, {}), newcomers=Newcomers(ws), quickest=0.5)
    watcher.start()
    yield ws
    watcher.stop()
    embedded.stop(ws.home)
    ws.close()


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "letters.jsonl"
    path.write_bytes(lines(12))
    return path


def by_python(service: Address, letters: Path) -> str:
    with openai.OpenAI(base_url=service.base_url, api_key=service.api_key.reveal(), max_retries=0) as client:
        file = client.files.create(file=letters, purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="etude-tiny", training_file=file.id, suffix="from-python")
    return job.id


def by_node(service: Address, letters: Path, client: Path) -> str:
    script = shutil.copy(NODE / "start.mjs", client)
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": service.base_url,
        "OPENAI_API_KEY": service.api_key.reveal(),
    }
    ran = subprocess.run(
        ["node", script, "etude-tiny", str(letters)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def watched_to_its_end(ws: Workspace, job_id: str) -> Run:
    """The run of a job that this workspace has not launched, once it has ended; it was seen while it trained."""
    until(lambda: bool(book.runs(ws)))
    live: set[int] = set()

    def ended() -> bool:
        run = book.run(ws, job_id)
        if not run.finished:
            live.add(len(curves(book.events(ws, run.id), ()).train_loss))
        # Its history has been read once it was heard after its end.
        return run.finished_at is not None and run.heard_at > run.finished_at

    until(ended)
    run = book.run(ws, job_id)
    assert len(live) > 1
    assert len(book.runs(ws)) == 1
    return run


def test_a_job_of_the_official_python_client_is_watched_live(ws: Workspace, letters: Path) -> None:
    run = watched_to_its_end(ws, by_python(embedded.ensure(ws.home), letters))
    whole(ws, run, "from-python")


def test_a_job_of_the_official_node_client_is_watched_live(ws: Workspace, letters: Path, node_client: Path) -> None:
    run = watched_to_its_end(ws, by_node(embedded.ensure(ws.home), letters, node_client))
    whole(ws, run, "from-node")


def whole(ws: Workspace, run: Run, suffix: str) -> None:
    assert (run.status, run.error, run.problem) == ("succeeded", None, None)
    assert run.started_elsewhere
    assert run.job["user_provided_suffix"] == suffix
    assert run.fine_tuned_model
    measured = curves(book.events(ws, run.id), book.checkpoints(ws, run.id), n_epochs=run.n_epochs)
    assert measured.total_steps
    assert [point.step for point in measured.train_loss] == list(range(1, measured.total_steps + 1))
    assert book.checkpoints(ws, run.id)
    assert list(book.file_names(ws, run.id).values()) == ["letters.jsonl"]
