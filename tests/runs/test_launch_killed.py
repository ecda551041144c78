"""The process that launches is killed at the worst moments; the next one finds one job, or none, and says which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.dataset.shelf import Version
from lib.runs import intents
from lib.runs.launch import launch, settle
from lib.services.connection import Connection
from lib.workspace.database import Workspace
from tests.protocol_server import Held, ProtocolServer
from tests.runs.conftest import Clock, Naps, plan_for

LAUNCHER = """
import sys
from pathlib import Path
from lib.runs.launch import launch
from lib.runs.plan import Plan
from lib.services.connection import connect
from lib.services.credentials import Secret
from lib.services.service import Service
from lib.workspace.database import Workspace
home, base_url, key, version = sys.argv[1:]
service = Service("svc_test", "other", "Test service", base_url, "session")
connection = connect(service, Secret(key, service.origin))
plan = Plan("svc_test", "gpt-4.1-mini-2025-04-14", version)
launch(Workspace.open(Path(home)), connection, plan, launch_id="launch_1")
"""


def kill_while(server: ProtocolServer, ws: Workspace, version: Version, held: Held) -> None:
    """Start a launch in a process of its own and kill it once `held` holds an answer back."""
    arguments = [str(ws.home), server.base_url, server.api_key, version.id]
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, *arguments], cwd=Path(__file__).parents[2])
    assert held.reached.wait(30)
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait()
    held.go_on.set()


@pytest.mark.parametrize("after", [None, 10])
def test_killed_while_the_answer_to_the_job_is_on_its_way(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    version: Version,
    naps: Naps,
    clock: Clock,
    after: int | None,
) -> None:
    held = Held(after)
    server.next("POST", "/fine_tuning/jobs", held)
    kill_while(server, ws, version, held)
    assert intents.launch(ws, "launch_1").state == "sending"
    assert settle(ws, connection, "launch_1", sleep=naps).state == "linked"
    again = launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert [again.job_id] == list(server.world.jobs)
    assert server.count("POST", "/fine_tuning/jobs") == 1


def test_killed_while_uploading_goes_on_with_the_file_that_arrived(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    held = Held()
    server.next("POST", "/files", held)
    kill_while(server, ws, version, held)
    assert intents.launch(ws, "launch_1").state == "uploading"
    run = launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert [run.job_id] == list(server.world.jobs)
    assert (server.count("POST", "/files"), len(server.world.files)) == (2, 2)
