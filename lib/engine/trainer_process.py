"""One trainer, stopped within two seconds of being asked.

A trainer locks its job's folder and ends by itself soon after its engine, so one that a killed engine left behind never
writes beside the next. Knows how the process lives, not what it trains.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from pathlib import Path

from lib.engine import child_process

LOG = "trainer.log"
LOG_TAIL = 4096
# The whole of a stop must fit into two seconds.
GRACE_SECONDS = 1.6


class TrainerProcess:
    """A running trainer of the job in `folder`."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        # One wait for the whole life: asyncio keeps a mark of each until the process ends, which may be in days.
        self._end = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, command: Sequence[str], folder: Path) -> TrainerProcess:
        """Start the trainer. What it prints is appended to the job's log. Raises OSError."""
        process = await child_process.start([*command, str(folder)], stdin=DEVNULL, stdout=None, log_path=folder / LOG)
        return cls(process, folder)

    async def ended(self, within: float) -> bool:
        """Wait at most `within` seconds for the process to end, and say whether it has."""
        await asyncio.wait({self._end}, timeout=within)
        return self._end.done()

    async def leave(self) -> None:
        """Let the process end by itself, as its job's folder tells it to; by force when it takes too long."""
        if not await self.ended(GRACE_SECONDS):
            child_process.send(self._process, signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """End the process: asked first, then by force."""
        await child_process.stop(self._process, GRACE_SECONDS)

    def how_it_ended(self) -> str:
        """The exit status and the last line that it printed, for the log and for a person."""
        tail = (self._folder / LOG).read_bytes()[-LOG_TAIL:].decode("utf-8", "replace").strip()
        last = tail.splitlines()[-1].strip() if tail else "it printed nothing"
        return f"The trainer ended with status {self._process.returncode}: {last[:300]}"
