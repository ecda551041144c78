"""kill -9 and full disks while edits are made: whatever was acknowledged is there, and of a step all or nothing.

ETUDE_KILLS sets how often a writer is killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from lib.dataset import drafts
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("ETUDE_KILLS", "15"))

# For every seed it reads, a child that edits at random for ever. Before each step the child says what all examples
# will be, and after it what they are: the step is acknowledged.
WRITERS = """
import json, os, random, sys
from pathlib import Path
from lib.dataset import drafts
from lib.dataset.example import encode
from lib.workspace.database import Workspace

def write(seed):
    ws, held, chance = Workspace.open(Path(sys.argv[1])), sys.argv[2], random.Random(seed)
    original = {at: json.loads(sys.argv[3])[at].encode() for at in range(12)}
    befores, afters = {}, {}
    def now():
        return {one.position: one.line for one in drafts.walk(ws, held)}
    def say(what, state):
        print(json.dumps([what, {at: state[at].decode() for at in sorted(state)}]), flush=True)
    def data():
        return {"messages": [{"role": "user", "content": str(chance.random()) * chance.choice([1, 100])}]}
    print(json.dumps(["pid", os.getpid()]), flush=True)
    say("is", before := now())
    while True:
        entries, history = drafts.current(ws, held, 0, 40), drafts.history(ws, held)
        one, new = chance.choice(entries), data()
        at, revision = one.position, one.revision
        others = {at: line for at, line in before.items() if at != one.position}
        act = chance.choice(["change"] * 3 + ["remove", "revert", "add", "all", "undo", "undo", "redo", "discard"])
        if act == "change":
            after, go = others | {at: encode(new)}, lambda: drafts.change(ws, held, at, new, revision)
        elif act == "remove":
            after, go = others, lambda: drafts.remove(ws, held, at, revision)
        elif act == "revert":
            back = {at: original[at]} if at in original else {}
            after, go = others | back, lambda: drafts.revert(ws, held, at, revision)
        elif act == "add" and len(entries) < 20:
            after, go = before | {len(entries): encode(new)}, lambda: drafts.add(ws, held, new)
        elif act == "all":
            edits = [(entry.position, {**new, "at": entry.position}, entry.revision) for entry in entries]
            after = {at: encode(data) for at, data, _ in edits}
            go = lambda: drafts.change_all(ws, held, iter(edits))
        elif act == "undo" and history.undo and history.undo.id in befores:
            after, go = befores[history.undo.id], lambda: drafts.undo(ws, held, history.undo.id)
            afters[history.undo.id] = before
        elif act == "redo" and history.redo and history.redo.id in afters:
            after, go = afters[history.redo.id], lambda: drafts.redo(ws, held, history.redo.id)
        elif act == "discard" and chance.random() < 0.3:
            after, go = original, lambda: drafts.discard(ws, held)
        else:
            continue
        say("next", after)
        go()
        say("is", after)
        assert now() == after, act
        last = drafts.history(ws, held).undo
        if act not in ("undo", "redo") and last and last != history.undo:
            befores[last.id] = before
        before = after

SLOPPY
for line in sys.stdin:
    if (child := os.fork()) == 0:
        write(int(line))
    os.waitpid(child, 0)
    print("\\n" + json.dumps(["dead", None]), flush=True)
"""
# A workspace that acknowledges every write and makes only every tenth one last.
SLOPPY = """
import contextlib
@contextlib.contextmanager
def write(self, count=[0]):
    db = self._connection()
    if not db.in_transaction:
        db.execute("BEGIN IMMEDIATE")
    yield db
    count[0] += 1
    if count[0] % 10 == 0:
        db.execute("COMMIT")
Workspace.write = write
"""


class Writers:
    """Writers that edit until they are killed."""

    def __init__(self, process: subprocess.Popen[str], stdin: IO[str], stdout: IO[str]) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout

    def kill_one(self, seed: int, seconds: float) -> tuple[Any, list[Any]]:
        """What a writer acknowledged last before it was killed, and what it had begun by then."""
        self._stdin.write(f"{seed}\n")
        self._stdin.flush()
        pid, acknowledged, begun = 0, None, []
        for line in self._stdout:
            try:
                what, state = json.loads(line)
            except ValueError:
                continue  # cut off by the kill
            if what == "pid":
                pid = state
            if what == "dead":
                break
            if what == "next":
                begun = [state]
            if what == "is":
                if acknowledged is None:
                    time.sleep(seconds)
                    os.kill(pid, signal.SIGKILL)
                acknowledged, begun = state, []
        return acknowledged, begun


@contextmanager
def writers(ws: Workspace, held: Version, sloppy: str = "") -> Iterator[Writers]:
    original = [(one.line or b"").decode() for one in drafts.walk(ws, held.id)]
    code = WRITERS.replace("SLOPPY", sloppy)
    command = [sys.executable, "-c", code, str(ws.home), held.id, json.dumps(original)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Writers(process, process.stdin, process.stdout)
        process.stdin.close()


def state(ws: Workspace, held: Version) -> dict[str, str]:
    return {str(one.position): (one.line or b"").decode() for one in drafts.walk(ws, held.id)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork and kill")
def test_every_acknowledged_edit_survives_a_kill_at_any_moment(ws: Workspace, held: Version) -> None:
    chance = random.Random(3)
    edits = 0
    with writers(ws, held) as many:
        for seed in range(KILLS):
            acknowledged, begun = many.kill_one(seed, chance.random() * 0.12)
            found = state(ws, held)
            assert found in [acknowledged, *begun]
            edits = drafts.last_revision(ws, held.id)
            # What is there can be undone and redone, whatever moment it was cut off at.
            if step := drafts.history(ws, held.id).undo:
                drafts.undo(ws, held.id, step.id)
                drafts.redo(ws, held.id, step.id)
                assert state(ws, held) == found
    assert ws.read("PRAGMA integrity_check")[0][0] == "ok"
    assert ws.read("PRAGMA foreign_key_check") == []
    assert edits > KILLS, "the writers were killed before they did anything"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork and kill")
def test_a_workspace_that_acknowledges_too_early_is_found_out(ws: Workspace, held: Version) -> None:
    with writers(ws, held, SLOPPY) as many:
        for seed in range(40):
            acknowledged, begun = many.kill_one(seed, 0.05)
            if state(ws, held) not in [acknowledged, *begun]:
                return
    pytest.fail("edits that were acknowledged and not written were not missed")


FULL = """
import resource, sys
from pathlib import Path
from lib.dataset import drafts
from lib.errors import WorkspaceError
from lib.workspace.database import Workspace
ws, held = Workspace.open(Path(sys.argv[1])), sys.argv[2]
revision = drafts.change(ws, held, 4, {"messages": [], "n": 1}, 0)
drafts.change(ws, held, 5, {"messages": [], "n": 1}, 0)
before = [one.line for one in drafts.walk(ws, held)]
room = ws.home.joinpath("etude.db-wal").stat().st_size + 40_000
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
long = {"messages": [], "text": "x" * 30_000}
for act in (
    lambda: drafts.change(ws, held, 4, {**long, "text": "x" * 300_000}, revision),
    lambda: drafts.change_all(ws, held, ((at, long, 0) for at in range(4))),
    lambda: drafts.change_all(ws, held, ((at, {**long, "text": "x" * 9_000_000}, 0) for at in range(4))),
    lambda: drafts.add(ws, held, {**long, "text": "x" * 300_000}),
):
    try:
        act()
        print("made")
    except WorkspaceError as error:
        print(f"{type(error).__name__}: {error}".replace(chr(10), " "))
assert [one.line for one in drafts.walk(ws, held)] == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(drafts.history(ws, held).undo.label, drafts.history(ws, held).steps)
"""


def test_a_full_disk_leaves_everything_readable_and_is_told(ws: Workspace, held: Version) -> None:
    ws.close()
    command = [sys.executable, "-c", FULL, str(ws.home), held.id]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.stderr == ""
    *told, last = done.stdout.splitlines()
    assert len(told) == 4
    for sentence in told:
        assert sentence.startswith("WorkspaceError: The ")
        assert "ake room" in sentence
    assert last == "Edited example 6 2"
    assert drafts.changes(ws, held.id) == drafts.Changes(added=0, removed=0, changed=2)
    assert ws.read("PRAGMA integrity_check")[0][0] == "ok"
    # And with room again, edits go on.
    drafts.change(ws, held.id, 4, {"messages": [], "n": 2}, drafts.current(ws, held.id, 4, 5)[0].revision)
    assert drafts.history(ws, held.id).steps == 3
