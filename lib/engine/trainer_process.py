"""One trainer: started with a scrubbed environment and stopped within two seconds.

A trainer locks its job's folder and ends by itself soon after its engine, so one that a killed engine left behind never
writes beside the next. Knows how the process lives, not what it trains.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from pathlib import Path

from lib.engine.settings import ROOT, child_environment

LOG = "trainer.log"
LOG_TAIL = 4096
# The whole of a stop must fit into two seconds.
GRACE_SECONDS = 1.6


class TrainerProcess:
    """A running trainer of the job in `folder`."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process = process
        self._folder = folder

    @classmethod
    async def start(cls, command: Sequence[str], folder: Path) -> TrainerProcess:
        """Start the trainer. What it prints is appended to the job's log. Raises OSError."""
        with (folder / LOG).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(folder),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=child_environment(),
                # Control-C in the engine's terminal is for the engine, which then stops its trainer in order.
                start_new_session=True,
            )
        return cls(process, folder)

    async def ended(self, within: float) -> bool:
        """Wait at most `within` seconds for the process to end, and say whether it has."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._process.wait()), within)
        return self._process.returncode is not None

    async def stop(self) -> None:
        """End the process: asked first, then by force."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        if not await self.ended(GRACE_SECONDS):
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def how_it_ended(self) -> str:
        """The exit status and the last line that it printed, for the log and for a person."""
        tail = (self._folder / LOG).read_bytes()[-LOG_TAIL:].decode("utf-8", "replace").strip()
        last = tail.splitlines()[-1].strip() if tail else "it printed nothing"
        return f"The trainer ended with status {self._process.returncode}: {last[:300]}"
