"""What must last does: modes of the files, transactions, kept content, and what kills and full disks leave."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lib.errors import WorkspaceError, WorkspaceTooNew
from lib.workspace import database
from lib.workspace.database import Workspace, default_home, new_id


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace.open(home)


def add(workspace: Workspace, name: str) -> None:
    with workspace.write() as db:
        db.execute("INSERT INTO settings VALUES (?, '1')", (name,))


def names(workspace: Workspace) -> list[str]:
    return [row["name"] for row in workspace.read("SELECT name FROM settings ORDER BY rowid")]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writes_are_ahead_logged_and_flushed(workspace: Workspace) -> None:
    assert workspace.read("PRAGMA journal_mode")[0][0] == "wal"
    assert workspace.read("PRAGMA synchronous")[0][0] == 2
    assert workspace.read("PRAGMA foreign_keys")[0][0] == 1


def test_every_thread_gets_the_same_guarantees(workspace: Workspace) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(workspace.read("PRAGMA synchronous")[0][0])
        add(workspace, "elsewhere")

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [2]
    assert names(workspace) == ["elsewhere"]


def test_nobody_else_can_read_anything(home: Path) -> None:
    before = os.umask(0)
    try:
        workspace = Workspace.open(home)
        add(workspace, "a")
        workspace.keep(b"content")
        shared = {str(path) for path in [home, *home.rglob("*")] if path.stat().st_mode & 0o077}
    finally:
        os.umask(before)
    assert (home / "etude.db-wal").exists()
    assert shared == set()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o600


def test_a_database_that_was_readable_is_closed_to_others(home: Path) -> None:
    Workspace.open(home).close()
    (home / "etude.db").chmod(0o644)
    Workspace.open(home)
    assert stat.S_IMODE((home / "etude.db").stat().st_mode) == 0o600


def test_a_block_that_raises_leaves_nothing(workspace: Workspace) -> None:
    add(workspace, "before")

    def half() -> None:
        with workspace.write() as db:
            db.execute("INSERT INTO settings VALUES ('half', '1')")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert names(workspace) == ["before"]
    add(workspace, "after")
    assert names(workspace) == ["before", "after"]


def test_whoever_saves_while_another_saves_waits_for_the_end_of_it(workspace: Workspace) -> None:
    held, done = threading.Event(), threading.Event()

    def long() -> None:
        with workspace.write() as db:
            db.execute("INSERT INTO settings VALUES ('long', '1')")
            held.set()
            done.wait(10)
        workspace.close()

    thread = threading.Thread(target=long)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.05, done.set).start()
    workspace.set_setting("short", 2)
    thread.join()
    assert (workspace.setting("long"), workspace.setting("short")) == (1, 2)


def test_the_log_does_not_stay_as_large_as_its_largest_transaction(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LARGEST_LOG", 1 << 20)
    workspace = Workspace.open(home)
    log = home / "etude.db-wal"
    with workspace.write() as db:
        for number in range(300):
            db.execute("INSERT INTO settings VALUES (?, ?)", (f"s{number}", json.dumps("x" * 20_000)))
    assert log.stat().st_size > 4 << 20
    for value in range(3):
        workspace.set_setting("short", value)
    assert log.stat().st_size <= 1 << 20
    assert workspace.setting("s299") == "x" * 20_000


def test_a_refused_row_is_told_in_a_sentence_and_undoes_its_block(workspace: Workspace) -> None:
    add(workspace, "a")
    with pytest.raises(WorkspaceError, match="could not be changed") as told, workspace.write() as db:
        db.executemany("INSERT INTO settings VALUES (?, '1')", [("b",), ("a",)])
    assert "UNIQUE" in (told.value.raw or "")
    assert names(workspace) == ["a"]


def test_a_wrong_question_is_told_in_a_sentence(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="could not be read"):
        workspace.read("SELECT * FROM nothing")


def test_two_processes_may_open_it_for_the_first_time_at_once(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lib.workspace.database import Workspace\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "w = Workspace.open(Path(sys.argv[1]))\n"
        "with w.write() as db: db.execute('INSERT INTO settings VALUES (?, 1)', (sys.argv[2],))\n"
    )
    command = [sys.executable, "-c", code, str(home)]
    several = [
        subprocess.Popen([*command, str(n)], stdin=-1, stdout=-1, stderr=subprocess.PIPE, text=True) for n in range(4)
    ]
    for one in several:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in several:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in several:
        assert one.communicate(timeout=30)[1] == ""
    workspace = Workspace.open(home)
    assert sorted(names(workspace)) == ["0", "1", "2", "3"]
    assert workspace.read("PRAGMA user_version")[0][0] >= 1


def test_a_later_version_is_left_alone(home: Path) -> None:
    workspace = Workspace.open(home)
    add(workspace, "a")
    with sqlite3.connect(home / "etude.db") as later:
        later.execute("PRAGMA user_version = 999")
    later.close()
    workspace.close()
    before = (home / "etude.db").read_bytes()
    with pytest.raises(WorkspaceTooNew, match="later version"):
        Workspace.open(home)
    assert (home / "etude.db").read_bytes() == before


def test_what_is_no_database_is_not_overwritten(home: Path) -> None:
    home.mkdir()
    (home / "etude.db").write_bytes(b"these are somebody's notes " * 100)
    with pytest.raises(WorkspaceError, match="could not be opened"):
        Workspace.open(home)
    assert (home / "etude.db").read_bytes() == b"these are somebody's notes " * 100


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be used") as told:
        Workspace.open(tmp_path / "file" / "home")
    assert "ETUDE_HOME" in told.value.todo


def test_the_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("ETUDE_HOME", str(home))
    assert default_home() == home
    monkeypatch.delenv("ETUDE_HOME")
    assert default_home() == Path.home() / ".etude"


def test_a_home_named_from_here_is_the_same_from_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETUDE_HOME", "rehearsal")
    named = default_home()
    monkeypatch.chdir("/")
    assert named == tmp_path / "rehearsal"


def test_the_same_content_is_kept_once_and_byte_for_byte(workspace: Workspace, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "source").write_bytes(content)
    first, second = workspace.keep(content), workspace.keep(tmp_path / "source")
    assert first == second == hashlib.sha256(content).hexdigest()
    assert workspace.kept(first).read_bytes() == content
    assert [path.name for path in (workspace.home / "files").iterdir()] == [first]


def test_what_cannot_be_read_is_not_kept(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="could not be kept"):
        workspace.keep(tmp_path / "nowhere")
    assert list((workspace.home / "files").iterdir()) == []


def test_blocks_are_kept_as_they_come_and_told(workspace: Workspace) -> None:
    told: list[int] = []
    kept = workspace.keep((bytes([n]) * 10 for n in range(3)), told.append)
    assert workspace.kept(kept).read_bytes() == b"\0" * 10 + b"\1" * 10 + b"\2" * 10
    assert told == [10, 20, 30]


def test_keeping_can_be_stopped_and_leaves_nothing(workspace: Workspace) -> None:
    def stop(length: int) -> None:
        if length > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workspace.keep((b"x" * 10 for _ in range(1000)), stop)
    assert list((workspace.home / "files").iterdir()) == []


def test_settings_are_any_json(workspace: Workspace) -> None:
    assert workspace.setting("theme") is None
    assert workspace.setting("theme", "light") == "light"
    workspace.set_setting("theme", {"dark": [1, None, "ü"]})
    workspace.set_setting("theme", {"dark": [2, None, "ü"]})
    assert workspace.setting("theme", "light") == {"dark": [2, None, "ü"]}


def test_ids_carry_their_kind_and_differ() -> None:
    ids = {new_id("run") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(one.startswith("run_") and len(one) == 20 for one in ids)


def test_a_disk_error_keeps_the_old_state(home: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from lib.errors import WorkspaceError; from lib.workspace.database import Workspace\n"
        "w = Workspace.open(Path(sys.argv[1])); w.set_setting('kept', 'old')\n"
        "room = w.home.joinpath('etude.db-wal').stat().st_size + 20_000\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))\n"
        "for act in (lambda: w.set_setting('kept', 'x' * 1_000_000), lambda: w.keep(b'y' * 1_000_000)):\n"
        "    try: act()\n"
        "    except WorkspaceError as error: print(type(error).__name__, error.what)\n"
        "print(w.setting('kept'))\n"
    )
    out, err = python(code, home).communicate(timeout=30)
    assert err == ""
    told = out.splitlines()
    assert len(told) == 3
    assert told[0].startswith("WorkspaceError The workspace")
    assert told[1].startswith("WorkspaceError The file could not be kept")
    assert told[2] == "old"
    workspace = Workspace.open(home)
    assert workspace.setting("kept") == "old"
    assert list((home / "files").iterdir()) == []
    assert workspace.read("PRAGMA integrity_check")[0][0] == "ok"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_kill_9_loses_no_acknowledged_write(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lib.workspace.database import Workspace\n"
        "w = Workspace.open(Path(sys.argv[1])); n = 0\n"
        "while True:\n"
        "    name = f'{sys.argv[2]}-{n}'; n += 1\n"
        "    with w.write() as db: db.execute('INSERT INTO settings VALUES (?, 1)', (name,))\n"
        "    print(name, flush=True)\n"
    )
    acknowledged: list[str] = []
    for kills, killed_after in enumerate((1, 3, 10, 40, 41, 42), start=1):
        writer = python(code, home, killed_after)
        assert writer.stdout is not None
        for _ in range(killed_after):
            acknowledged.append(writer.stdout.readline().strip())
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().split()
        writer.communicate(timeout=30)
        workspace = Workspace.open(home)
        there = set(names(workspace))
        assert set(acknowledged) <= there
        # Only the one write in flight at each kill may be there without an acknowledgement.
        assert len(there) - len(acknowledged) <= kills
        assert workspace.read("PRAGMA integrity_check")[0][0] == "ok"
        workspace.close()
