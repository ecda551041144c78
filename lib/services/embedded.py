"""The embedded service: found when it runs, started when it does not, stopped when asked.

It is a process of its own that outlives this one. Its address and token lie in a file that only this user can read; the
engine prints them straight into it, so that they survive whoever started it. The token is in no argument and in no
environment. Knows how to start `python -m lib.engine` and nothing of what it does.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib.errors import EngineError, Unreachable
from lib.services.address import checked, is_loopback, origin_of
from lib.services.connection import connect
from lib.services.credentials import Secret
from lib.services.service import EMBEDDED, at

ROOT = Path(__file__).parents[2]
IDLE_EXIT_SECONDS = 900
START_SECONDS = 60.0
ANSWER_SECONDS = 5.0
STOP_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.05
LOG_BYTES = 1 << 20
TAIL_LINES = 12

# What the engine needs of this process's environment to run at all: no key of a service.
TO_RUN = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
# What it hands to the process that fetches a base model from a hub, and to no other. It asks nobody itself.
TO_FETCH = ("HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Who trains in its place: docs/outgrowing.md.
TO_TRAIN = ("ETUDE_TRAINER", "ETUDE_RAY_ADDRESS")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the embedded service listens, the key it wants, and its process."""

    base_url: str
    api_key: Secret
    pid: int


def ensure(home: Path) -> Address:
    """The running embedded service of the workspace at `home`; started if none runs, which takes a second or two.

    Safe to call from several threads and processes at once: one service is started. Raises EngineError, with the end of
    its log, when it does not come up or does not answer.
    """
    found = address(home)
    if found is not None and _answers(found) == "yes":
        return found
    with _alone(home):
        found = address(home)
        state = _answers(found) if found is not None else "nobody"
        if found is not None and state == "yes":
            return found
        if found is not None and state == "silent":
            raise EngineError(
                f"The service on this machine (process {found.pid}) runs but does not answer.",
                "Wait a moment and try again. If it stays silent, end that process: its job goes on at the next start.",
                raw=_tail(home),
            )
        return _start(home)


def address(home: Path) -> Address | None:
    """What the address file says, None without one. Whether the service still runs is another question."""
    try:
        line = (_folder(home) / "address.json").read_text(encoding="utf-8")
        said = json.loads(line)
        base_url = checked(str(said["base_url"]))
        if not is_loopback(base_url):
            return None
        return Address(base_url, Secret(said["api_key"], origin_of(base_url)), int(said["pid"]))
    except (OSError, ValueError, TypeError, KeyError, Unreachable):
        return None


def running(home: Path) -> Address | None:
    """The embedded service if its process lives, None otherwise. Starts nothing and asks nothing."""
    found = address(home)
    return found if found is not None and _is_engine(found.pid) else None


def jobs_changed_at(home: Path) -> int | None:
    """When a job was last made there, or removed (nanoseconds since 1970); None before the first.

    Asks nothing: a service that is asked does not end by itself when nobody needs it.
    """
    try:
        return (_folder(home) / "jobs").stat().st_mtime_ns
    except OSError:
        return None


def stop(home: Path) -> None:
    """Stop the embedded service and wait until it is gone; nothing happens when none runs.

    A job that it trains goes on at the next start. Raises EngineError when it does not go.
    """
    with _alone(home):
        found = running(home)
        if found is None:
            return
        os.kill(found.pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while _is_engine(found.pid):
            if time.monotonic() > until:
                raise EngineError(
                    f"The service on this machine (process {found.pid}) did not stop within {STOP_SECONDS:.0f} s.",
                    "Try again, or end that process by hand.",
                    raw=_tail(home),
                )
            time.sleep(LOOK_EVERY_SECONDS)
        (_folder(home) / "address.json").unlink(missing_ok=True)


def _start(home: Path) -> Address:
    folder = _folder(home)
    log = folder / "engine.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.unlink()
    command = [sys.executable, "-m", "lib.engine", "--home", str(folder), "--idle-exit", str(IDLE_EXIT_SECONDS)]
    (folder / "address.json").unlink(missing_ok=True)
    with open(folder / "address.json", "wb", opener=_private) as said, open(log, "ab", opener=_private) as told:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=told,
            start_new_session=True,
            umask=0o077,
        )
    # Whoever starts a process must hear of its end, or the dead one keeps its number.
    threading.Thread(target=process.wait, name="embedded service", daemon=True).start()
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        ended = process.poll() is not None
        found = address(home)
        if found is not None and _answers(found) == "yes":
            return found
        if ended:
            raise EngineError(
                f"The service on this machine ended while starting (exit code {process.returncode}).",
                f"Its log is {log}.",
                raw=_tail(home),
            )
        time.sleep(LOOK_EVERY_SECONDS)
    process.terminate()
    raise EngineError(
        f"The service on this machine was not ready within {START_SECONDS:.0f} seconds and was stopped.",
        f"Try again when the machine is less busy. Its log is {log}.",
        raw=_tail(home),
    )


def _answers(found: Address) -> Literal["yes", "nobody", "silent"]:
    """Whether the service at this address is ours and well. "nobody": nothing listens there, or something else does."""
    import openai

    if not _is_engine(found.pid):
        return "nobody"
    connection = connect(at(EMBEDDED, found.base_url), found.api_key)
    try:
        connection.once.with_options(timeout=ANSWER_SECONDS).models.list()
    except openai.APITimeoutError:
        return "silent"
    except openai.APIStatusError as refusal:
        return "silent" if refusal.status_code >= 500 else "nobody"
    except (openai.OpenAIError, ValueError, AttributeError):
        return "nobody"
    finally:
        connection.close()
    return "yes"


def _is_engine(pid: int) -> bool:
    """Whether this process lives and is an engine: a number may have gone to another process since."""
    try:
        os.kill(pid, 0)
        if not Path("/proc/self/cmdline").exists():
            return True
        return b"lib.engine" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: given[name] for name in (*TO_RUN, *TO_FETCH, *TO_TRAIN) if name in given}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def _tail(home: Path) -> str:
    try:
        lines = (_folder(home) / "engine.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-TAIL_LINES:])


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process and thread at a time may look, start and stop."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _folder(home).mkdir(mode=0o700, exist_ok=True)
        handle = os.open(_folder(home) / "start.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise EngineError(
            f"The folder {_folder(home)} cannot be used: {error.strerror or error}.",
            "Set ETUDE_HOME to a folder that you may write to.",
            raw=str(error),
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _folder(home: Path) -> Path:
    return home / "engine"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
