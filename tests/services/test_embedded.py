"""The embedded service is found, started once and stopped, even when its file lies or its process does not behave.

Most tests put a small program in the engine's place, so that it can crash, stall and be counted; the last one runs the
engine itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib.errors import EngineError
from lib.services import embedded
from lib.services.connection import connect
from lib.services.credentials import Secret
from lib.services.doctor import examine
from lib.services.service import EMBEDDED, at
from tests.protocol_server import ProtocolServer

STAND_IN = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

home = Path(sys.argv[sys.argv.index("--home") + 1])
with (home / "started").open("a") as started:
    started.write(json.dumps({"argv": sys.argv, "environment": dict(os.environ), "sid": os.getsid(0)}) + "\\n")
mode = (home / "mode").read_text() if (home / "mode").exists() else ""
print("the log begins", file=sys.stderr, flush=True)
if mode == "crash":
    print("the weights have gone missing", file=sys.stderr, flush=True)
    sys.exit(3)
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "never":
    time.sleep(600)

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get("authorization") == "Bearer stand-in-token"
        body = b'{"object": "list", "data": []}' if known else b'{"error": {"message": "no"}}'
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
url = f"http://127.0.0.1:{server.server_port}/v1"
print(json.dumps({"base_url": url, "api_key": "stand-in-token", "pid": os.getpid()}), flush=True)
server.serve_forever()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    embedded.stop(home)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    (root / "lib" / "engine").mkdir(parents=True)
    (root / "lib" / "__init__.py").touch()
    (root / "lib" / "engine" / "__init__.py").touch()
    (root / "lib" / "engine" / "__main__.py").write_text(STAND_IN)
    monkeypatch.setattr(embedded, "ROOT", root)
    return root


def starts(home: Path) -> list[dict[str, object]]:
    file = home / "engine" / "started"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def mode(home: Path, name: str) -> None:
    (home / "engine").mkdir(parents=True, exist_ok=True)
    (home / "engine" / "mode").write_text(name)


def write_address(home: Path, text: str) -> None:
    (home / "engine").mkdir(parents=True, exist_ok=True)
    (home / "engine" / "address.json").write_text(text)


def alive(pid: int) -> bool:
    try:
        return b"lib.engine" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_it_is_started_once_and_then_found(stand_in: Path, home: Path) -> None:
    first = embedded.ensure(home)
    second = embedded.ensure(home)
    assert (first.pid, first.base_url) == (second.pid, second.base_url)
    assert len(starts(home)) == 1
    connection = connect(at(EMBEDDED, first.base_url), first.api_key)
    assert connection.once.models.list().data == []
    connection.close()


def test_the_token_is_in_one_private_file_and_nowhere_else(
    stand_in: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY")
    monkeypatch.setenv("SOME_TOKEN", "CANARY")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_for-the-hub-alone")
    found = embedded.ensure(home)
    assert "stand-in-token" not in repr(found)
    process = Path(f"/proc/{found.pid}")
    for file in ("cmdline", "environ"):
        assert b"stand-in-token" not in (process / file).read_bytes()
        assert b"CANARY" not in (process / file).read_bytes()
    environment = starts(home)[0]["environment"]
    assert "ALL_PROXY" not in environment  # type: ignore[operator]
    # Its child that fetches models needs it; what the engine does with it is tested where that is.
    assert environment["HF_TOKEN"] == "hf_for-the-hub-alone"  # type: ignore[index]
    assert starts(home)[0]["sid"] == found.pid
    assert oct((home / "engine" / "address.json").stat().st_mode & 0o777) == "0o600"
    for path in (home, *home.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_threads_and_processes_that_ask_at_once_get_the_same_one(stand_in: Path, home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lib.services import embedded\n"
        "embedded.ROOT = Path(sys.argv[1]); print(embedded.ensure(Path(sys.argv[2])).pid)"
    )
    command = [sys.executable, "-c", code, str(stand_in), str(home)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        pids = {found.pid for found in pool.map(embedded.ensure, [home] * 4)}
    for other in others:
        pids.add(int(other.communicate(timeout=60)[0]))
    assert len(pids) == 1
    assert len(starts(home)) == 1


def test_it_outlives_whoever_started_it(stand_in: Path, home: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from lib.services import embedded\n"
        "embedded.ROOT = Path(sys.argv[1]); print(embedded.ensure(Path(sys.argv[2])).pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(stand_in), str(home)]
    pid = int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout)
    assert embedded.ensure(home).pid == pid
    assert len(starts(home)) == 1


def test_after_a_kill_another_is_started(stand_in: Path, home: Path) -> None:
    first = embedded.ensure(home)
    os.kill(first.pid, signal.SIGKILL)
    second = embedded.ensure(home)
    assert second.pid != first.pid
    assert len(starts(home)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"base_url": "http://127.0.0.1:1/v1"}',
        '{"base_url": "http://evil.example/v1", "api_key": "k", "pid": 1}',
        '{"base_url": "https://evil.example/v1", "api_key": "k", "pid": 1}',
        '{"base_url": 7, "api_key": "k", "pid": 1}',
        '{"base_url": "http://127.0.0.1:1/v1", "api_key": "k", "pid": "x"}',
        '{"base_url": "http://127.0.0.1:1/v1", "api_key": "k", "pid": 999999999}',
    ],
)
def test_a_stale_or_spoilt_file_is_not_believed(stand_in: Path, home: Path, text: str) -> None:
    write_address(home, text)
    found = embedded.ensure(home)
    assert alive(found.pid)
    assert len(starts(home)) == 1


def test_a_number_that_went_to_another_process_is_not_the_engine(
    stand_in: Path, home: Path, server: ProtocolServer
) -> None:
    """Neither its answers nor its life are touched, and it is not sent the token."""
    said = {"base_url": server.base_url, "api_key": "old-token", "pid": os.getpid()}
    write_address(home, json.dumps(said))
    found = embedded.ensure(home)
    assert found.pid != os.getpid()
    assert server.requests == []
    with subprocess.Popen(["sleep", "60"]) as stranger:
        write_address(home, json.dumps({**said, "pid": stranger.pid}))
        embedded.stop(home)
        assert stranger.poll() is None
        stranger.kill()
    os.kill(found.pid, signal.SIGTERM)


def test_another_server_on_its_port_is_not_the_engine(stand_in: Path, home: Path, server: ProtocolServer) -> None:
    first = embedded.ensure(home)
    write_address(home, json.dumps({"base_url": server.base_url, "api_key": "stand-in-token", "pid": first.pid}))
    second = embedded.ensure(home)
    assert second.pid != first.pid
    os.kill(first.pid, signal.SIGTERM)


def test_a_crash_at_the_start_is_told_with_its_log(stand_in: Path, home: Path) -> None:
    mode(home, "crash")
    with pytest.raises(EngineError, match=r"exit code 3") as told:
        embedded.ensure(home)
    assert (told.value.raw or "").endswith("the weights have gone missing")
    assert "engine.log" in told.value.todo
    (home / "engine" / "mode").unlink()
    assert embedded.ensure(home).pid


def test_one_that_never_gets_ready_is_stopped_and_told(
    stand_in: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode(home, "never")
    monkeypatch.setattr(embedded, "START_SECONDS", 1.0)
    with pytest.raises(EngineError, match="was not ready") as told:
        embedded.ensure(home)
    assert told.value.raw == "the log begins"


def test_one_that_is_silent_is_left_alone_and_found_again(
    stand_in: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be training: a slow answer is no reason to end it."""
    monkeypatch.setattr(embedded, "ANSWER_SECONDS", 0.3)
    first = embedded.ensure(home)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EngineError, match="does not answer"):
            embedded.ensure(home)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert embedded.ensure(home).pid == first.pid
    assert len(starts(home)) == 1


def test_stopping_waits_until_it_is_gone_and_may_be_repeated(stand_in: Path, home: Path) -> None:
    found = embedded.ensure(home)
    embedded.stop(home)
    assert not alive(found.pid)
    assert embedded.address(home) is None
    embedded.stop(home)
    assert embedded.ensure(home).pid != found.pid


def test_one_that_does_not_stop_is_told(stand_in: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    mode(home, "deaf")
    found = embedded.ensure(home)
    try:
        with pytest.raises(EngineError, match="did not stop"):
            embedded.stop(home)
        assert embedded.ensure(home).pid == found.pid
    finally:
        os.kill(found.pid, signal.SIGKILL)


def test_a_long_log_begins_anew(stand_in: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "engine").mkdir(parents=True)
    (home / "engine" / "engine.log").write_text("old\n" * 1000)
    monkeypatch.setattr(embedded, "LOG_BYTES", 1000)
    embedded.ensure(home)
    assert (home / "engine" / "engine.log").read_text() == "the log begins\n"


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="cannot be used"):
        embedded.ensure(tmp_path / "file")


def test_the_engine_itself_answers_the_doctor_without_a_key(home: Path) -> None:
    checks = {check.name: check for check in examine(EMBEDDED, None, home=home)}
    for name in ("Address", "Key", "Network", "Models", "Fine-tuning"):
        assert checks[name].state == "ok", checks[name]
    found = embedded.ensure(home)
    wrong = connect(at(EMBEDDED, found.base_url), Secret("wrong", found.api_key.origin))
    with pytest.raises(Exception, match="401"):
        wrong.once.models.list()
    wrong.close()
    began = time.monotonic()
    embedded.stop(home)
    assert time.monotonic() - began < embedded.STOP_SECONDS
    assert not alive(found.pid)
