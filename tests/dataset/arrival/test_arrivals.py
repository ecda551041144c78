"""All arrivals of a workspace: remembered until somebody was told, stopped when they are forgotten before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lib.dataset import shelf
from lib.dataset.arrival.arrivals import MOST_OVER, Arrivals
from lib.dataset.arrival.given import FOLDER, Given
from lib.workspace.database import Workspace
from tests.dataset.conversations import lines_of, many

SECONDS = 30


def test_an_arrival_is_found_again_until_it_is_forgotten(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    arrivals = Arrivals(ws)
    begun = arrivals.begin([Given("a.jsonl", lines_of(many(10)))])
    begun.wait(SECONDS)
    assert arrivals.find(begun.id) is begun
    assert arrivals.all() == (begun,)
    arrivals.forget(begun.id)
    assert arrivals.find(begun.id) is None
    assert begun.now.phase == "done"
    assert len(shelf.datasets(ws)) == 1
    ws.close()


def test_one_that_is_forgotten_while_it_asks_is_stopped(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    arrivals = Arrivals(ws)
    begun = arrivals.begin([Given("a.jsonl", lines_of(many(10)) + b"{oops\n")])
    assert begun.wait(SECONDS).phase == "asking"
    arrivals.forget(begun.id)
    begun._thread.join(SECONDS)
    assert begun.now.phase == "stopped"
    assert not list((tmp_path / FOLDER).iterdir())
    ws.close()


def test_those_that_are_over_are_not_remembered_for_ever(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    arrivals = Arrivals(ws)
    asking = arrivals.begin([Given("a.jsonl", lines_of(many(10)) + b"{oops\n")])
    for _ in range(MOST_OVER + 5):
        arrivals.begin([Given("empty.jsonl", b"")]).wait(SECONDS)
    assert asking in arrivals.all()
    assert len(arrivals.all()) <= MOST_OVER + 2
    arrivals.stop()
    asking._thread.join(SECONDS)
    assert asking.now.phase == "stopped"
    ws.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from lib.dataset.arrival.arrivals import Arrivals
from lib.dataset.arrival.given import Given
from lib.workspace.database import Workspace
begun = Arrivals(Workspace.open(Path(sys.argv[1]))).begin([Given("a.jsonl", b'{"messages": []}\\n{oops\\n')])
assert begun.wait(30).phase == "asking"
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_that_was_under_way_when_the_app_was_killed_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    ws = Workspace.open(tmp_path)
    assert list((tmp_path / FOLDER).iterdir())
    assert Arrivals(ws).all() == ()
    assert not list((tmp_path / FOLDER).iterdir())
    assert not shelf.datasets(ws)
    assert not os.listdir(tmp_path / "files")
    ws.close()
