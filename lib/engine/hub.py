"""Models on their way from a hub: one at a time, each fetched by a process of its own, going on where it left off.

What is wanted lies in the entry's folder (download.json), so that an engine that was killed takes it up again. Once
everything is there, the model becomes a base model like any other. Knows no route, and opens no connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.engine import child_process
from lib.engine.bases import Bases
from lib.engine.hub_download import DOWNLOAD_FILE, LOCK_FILE, MODEL_FOLDER, PROBLEM_FILE, PROGRESS_FILE, write
from lib.errors import EtudeError

LOG_FILE = "download.log"
GRACE_SECONDS = 1.0
# Starts of the process, one after the other, that brought not one byte.
FRUITLESS_STARTS = 3
# What it needs of the environment beside what every child gets. The trainer and the generator get none of it.
INHERITED = ("HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

log = logging.getLogger("etude.engine")


@dataclass(frozen=True, slots=True)
class Download:
    """A model that is not there yet. `received` and `total` are bytes; `total` None until the hub has told it.

    `problem` is why it stopped, in sentences; None while it goes on or waits its turn.
    """

    name: str
    hub_id: str
    created_at: int
    received: int
    total: int | None
    problem: str | None


class Hub:
    """Fetches models. `command` gets the entry's folder as its last argument; `clock` gives seconds since 1970."""

    def __init__(self, bases: Bases, command: Sequence[str], clock: Callable[[], float]) -> None:
        self._bases = bases
        self._command = tuple(command)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is being fetched."""
        return bool(self._tasks)

    def start(self) -> None:
        """Take up what an earlier engine was fetching."""
        for download in self.listed():
            if download.problem is None:
                self._go_on(download.name)

    async def stop(self) -> None:
        """End what is being fetched; the next engine goes on with it."""
        for name in list(self._tasks):
            await self._end(name)

    def listed(self) -> list[Download]:
        """What is not there yet, by name."""
        folders = sorted(self._bases.root.glob(f"*/{DOWNLOAD_FILE}"))
        return [found for path in folders if (found := self.find(path.parent.name)) is not None]

    def find(self, name: str) -> Download | None:
        """The download of this name, None when there is none."""
        folder = self._bases.root / name
        asked = _object(folder / DOWNLOAD_FILE)
        if not asked:
            return None
        problem = _object(folder / PROBLEM_FILE)
        total = _object(folder / PROGRESS_FILE).get("total_bytes")
        return Download(
            name=name,
            hub_id=str(asked["hub_id"]),
            created_at=int(asked["created_at"]),
            received=_size(folder / MODEL_FOLDER),
            total=total,
            problem=f"{problem['what']} {problem['todo']}".strip() if problem else None,
        )

    def begin(self, name: str, hub_id: str) -> Download:
        """Fetch a model, or try again."""
        folder = self._bases.root / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / PROBLEM_FILE).unlink(missing_ok=True)
        known = self.find(name)
        if known is None:
            write(folder / DOWNLOAD_FILE, {"hub_id": hub_id, "created_at": int(self._clock())})
        if name not in self._tasks:
            self._go_on(name)
        found = self.find(name)
        assert found is not None
        return found

    async def cancel(self, name: str) -> None:
        """Stop fetching and forget that it was wanted. What came already stays, for another time."""
        await self._end(name)
        for file in (DOWNLOAD_FILE, PROBLEM_FILE, LOG_FILE, LOCK_FILE):
            (self._bases.root / name / file).unlink(missing_ok=True)

    def _go_on(self, name: str) -> None:
        task = asyncio.create_task(self._fetch(name), name=f"fetching {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _end(self, name: str) -> None:
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _fetch(self, name: str) -> None:
        folder = self._bases.root / name
        async with self._turn:
            try:
                await self._run_until_done(folder)
                if not (folder / PROBLEM_FILE).exists():
                    await self._enter(name, folder)
            except EtudeError as error:
                _fail(folder, error.what, error.todo)
            except Exception as error:
                log.exception("The model %s could not be fetched.", name)
                _fail(folder, f"The model could not be fetched: {error}.", "Add it again: it goes on where it was.")

    async def _run_until_done(self, folder: Path) -> None:
        fruitless, before = 0, -1
        while fruitless < FRUITLESS_STARTS:
            process = await self._start(folder)
            try:
                code = await process.wait()
            finally:
                await child_process.stop(process, GRACE_SECONDS)
            if code == 0 or (folder / PROBLEM_FILE).exists():
                return
            received = _size(folder / MODEL_FOLDER)
            fruitless = fruitless + 1 if received == before else 0
            before = received
        _fail(folder, f"The download ended with status {code}: {_last_words(folder)}", "Add the model again.")

    async def _start(self, folder: Path) -> Process:
        return await child_process.start(
            [*self._command, str(folder)], stdin=DEVNULL, stdout=None, log_path=folder / LOG_FILE, also=INHERITED
        )

    async def _enter(self, name: str, folder: Path) -> None:
        asked = _object(folder / DOWNLOAD_FILE)
        model = self._bases.own_folder(name)
        await asyncio.to_thread(self._bases.add, name, model, hub_id=asked["hub_id"])
        for file in (DOWNLOAD_FILE, PROGRESS_FILE, LOG_FILE, LOCK_FILE):
            (folder / file).unlink(missing_ok=True)


def _fail(folder: Path, what: str, todo: str) -> None:
    write(folder / PROBLEM_FILE, {"what": what, "todo": todo})


def _object(path: Path) -> Mapping[str, Any]:
    """A JSON object of our own; empty when there is none."""
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _size(folder: Path) -> int:
    """Bytes in the files of a folder, which another process may be renaming."""
    total = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _last_words(folder: Path) -> str:
    try:
        tail = (folder / LOG_FILE).read_bytes()[-4096:].decode("utf-8", "replace").strip()
    except OSError:
        return "it printed nothing."
    return tail.splitlines()[-1].strip()[:300] if tail else "it printed nothing."
