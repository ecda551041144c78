"""The whole road on a server that is not ours, and the proof that only the official client reaches any service.

What runs below against the protocol server are the very functions that the pages and the command line call.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from lib.dataset import shelf
from lib.errors import BadCredentials
from lib.playground import conversations, held_out
from lib.playground.conversations import Column
from lib.playground.talk import ask
from lib.runs import book
from lib.runs.launch import launch
from lib.runs.plan import Plan
from lib.runs.watch import poll
from lib.services import service as services
from lib.services.credentials import Secret, given
from lib.services.diagnosis import explain
from lib.services.doctor import examine
from lib.services.reach import reach
from lib.services.service import Kind
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer, Refused

ROOT = Path(__file__).parents[2]
BASE = "gpt-4.1-mini-2025-04-14"
EXAMPLES = [
    {
        "messages": [
            {"role": "user", "content": f"ticket {number}"},
            {"role": "assistant", "content": json.dumps({"team": "billing"})},
        ]
    }
    for number in range(24)
]

# Modules that reach the network by themselves, and who may import which of them, with the reason.
NETWORK = {"aiohttp", "ftplib", "http.client", "httpx", "httpx2", "requests", "smtplib", "socket", "telnetlib"}
NETWORK |= {"urllib.request", "urllib3", "websocket", "websockets", "xmlrpc"}
ALLOWED = {
    # The settings of the official client's own transport: time-outs, no redirects, no proxy on this machine.
    "lib/services/connection.py": {"httpx2"},
    # The names of its exceptions: was a connection never made, or was an answer lost?
    "lib/runs/wire.py": {"httpx2"},
}


def modules() -> list[Path]:
    """Every module of the app; the engine is a server of its own."""
    found = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "lib").rglob("*.py")]
    return [path for path in found if path.exists() and "engine" not in path.relative_to(ROOT).parts]


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


def test_nothing_but_the_official_client_reaches_a_service() -> None:
    used: dict[str, set[str]] = {}
    for path in modules():
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        network = {name for name in NETWORK if any(one == name or one.startswith(f"{name}.") for one in names)}
        if network:
            used[path.relative_to(ROOT).as_posix()] = network
    assert used == ALLOWED


def test_clients_are_made_in_one_place() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and re.search(r"(OpenAI|Client|urlopen)$", ast.unparse(node.func))
    }
    assert makers == {"lib/services/connection.py"}


@pytest.mark.parametrize("kind", ["other", "azure", "nebius"])
def test_the_whole_road_on_a_server_that_is_not_ours(server: ProtocolServer, tmp_path: Path, kind: Kind) -> None:
    """From a file to a model that is talked to and measured, with lists as unkind as the protocol allows."""
    server.world.largest_page = 20
    server.world.events_shuffled = server.world.events_twice = True
    server.world.running_polls = 3
    ws = Workspace.open(tmp_path / "home")
    chosen = services.add(ws, kind=kind, name="Elsewhere", base_url=server.base_url)
    assert reach(ws, chosen, {}) is None
    key = given(server.api_key, chosen)
    connection = reach(ws, chosen, {chosen.id: key})
    assert connection is not None
    problems = [check for check in examine(chosen, key, BASE, chat=True) if check.state == "problem"]
    assert problems == []

    text = "\n".join(json.dumps(example) for example in EXAMPLES)
    version = shelf.bring_in(ws, text.encode(), "tickets.jsonl", validation=range(20, 24))
    told: list[str] = []
    run = launch(ws, connection, Plan(chosen.id, BASE, version.id, n_epochs=2, suffix="tone"), progress=told.append)
    assert told
    statuses = [run.status]
    while not run.finished:
        run = poll(ws, connection, run)
        statuses.append(run.status)
    assert statuses[-1] == "succeeded"
    assert {"queued", "running"} <= set(statuses)
    assert server.count("POST", "/fine_tuning/jobs") == 1
    assert server.count("POST", "/files") == 2
    steps = {event.data["step"] for event in book.events(ws, run.id) if event.type == "metrics"}
    assert steps == set(range(1, 41))
    checkpoints = book.checkpoints(ws, run.id)
    assert [one.step for one in checkpoints] == [20, 40]

    assert run.fine_tuned_model is not None
    talk = conversations.create(ws, [Column(chosen.id, BASE), Column(chosen.id, run.fine_tuned_model)])
    conversations.question(ws, talk.id, "ticket 21")
    for column, model in enumerate((BASE, run.fine_tuned_model)):
        turn = conversations.begin_answer(ws, talk.id, column)
        answering = ask(connection, model, conversations.messages_for(ws, talk.id, column))
        for _ in answering:
            conversations.keep_so_far(ws, turn.id, answering.answer.text)
        conversations.finish(ws, turn.id, answering.answer)
    assert [turn.state for turn in conversations.turns(ws, talk.id)] == ["complete"] * 3

    server.world.answer = lambda body: '{"team": "billing"}' if body["model"].startswith("ft:") else "I cannot say."
    held = [(example["messages"][:-1], str(example["messages"][-1]["content"])) for example in EXAMPLES[20:]]
    assert held_out.measure(connection, BASE, held).exact.share == 0
    assert held_out.measure(connection, checkpoints[-1].model, held).exact.share == 1
    connection.close()


def test_the_key_lies_nowhere_after_the_road(server: ProtocolServer, tmp_path: Path) -> None:
    """Database, its log, kept files: the key that every request carried is in none of them, not even after refusals."""
    server.api_key = "sk-CANARY-4f1c0a9b7d"
    ws = Workspace.open(tmp_path / "home")
    chosen = services.add(ws, kind="other", name="Elsewhere", base_url=server.base_url)
    key = Secret(server.api_key, chosen.origin)
    connection = reach(ws, chosen, {chosen.id: key})
    assert connection is not None
    text = "\n".join(json.dumps(example) for example in EXAMPLES)
    version = shelf.bring_in(ws, text.encode(), "tickets.jsonl")
    run = launch(ws, connection, Plan(chosen.id, BASE, version.id))
    echo = Refused(401, message=f"Incorrect API key provided: {server.api_key}", code="invalid_api_key")
    server.next("GET", "/fine_tuning/jobs/*", echo, times=None)
    run = poll(ws, connection, run)
    assert run.problem is not None
    server.next("POST", "/chat/completions", echo)
    with pytest.raises(BadCredentials) as refused:
        list(ask(connection, BASE, [{"role": "user", "content": "hello"}]))
    talk = conversations.create(ws, [Column(chosen.id, BASE)])
    conversations.question(ws, talk.id, "hello")
    conversations.failed(ws, conversations.begin_answer(ws, talk.id, 0).id, refused.value)
    assert all(one.headers["authorization"] == f"Bearer {server.api_key}" for one in server.requests)
    assert "CANARY" not in repr(vars(refused.value)) + str(explain(refused.value, chosen))
    for path in ws.home.rglob("*"):
        assert not path.is_file() or b"CANARY" not in path.read_bytes(), path
    connection.close()
