"""A process that the engine starts and ends: with a scrubbed environment, in a session of its own.

Knows nothing of what it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINE_LIMIT = 1 << 24

# What a child process needs to run at all. Everything else stays behind: keys of services, tokens, proxies.
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "ETUDE_TRAIN_THREADS",
)


def environment(given: Mapping[str, str] = os.environ, also: Sequence[str] = ()) -> dict[str, str]:
    """The names of INHERITED and `also`, as far as they are given, where `lib` is, and which process is the parent."""
    kept = {name: given[name] for name in (*INHERITED, *also) if name in given}
    # A child that begins to look for its parent only after that has been killed would take another for it.
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "ETUDE_ENGINE_PID": str(os.getpid()),
    }


async def start(
    command: Sequence[str], *, stdin: int, stdout: int | None, log_path: Path, also: Sequence[str] = ()
) -> Process:
    """Start a process; what it prints as errors, and its output unless `stdout` says otherwise, goes to `log_path`.

    `also` names what it gets of the environment beside what every child gets. Raises OSError.
    """
    with log_path.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=log if stdout is None else stdout,
            stderr=log,
            limit=LINE_LIMIT,
            cwd=ROOT,
            env=environment(also=also),
            # Control-C in the engine's terminal is for the engine, which then ends its children in order.
            start_new_session=True,
        )


async def stop(process: Process, grace: float) -> None:
    """End a process: asked first, and after `grace` seconds by force."""
    send(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        send(process, signal.SIGKILL)
        await process.wait()


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process that may just have ended.

    Not by the process's own methods: they look whether it has ended, and take its exit status from asyncio.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
