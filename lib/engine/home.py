"""The engine's folder: where its files, jobs and models lie, and the lock that lets one engine at a time use it.

Knows places, not what lies in them.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lib.errors import EngineError


class Home:
    """The folders of one engine, made with mode 0700 and locked until the process ends or `release` is called.

    Raises EngineError when the folder cannot be used or another engine uses it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.files = self.folder / "files"
        self.uploads = self.folder / "uploads"
        self.jobs = self.folder / "jobs"
        self.models = self.folder / "models"
        self.bases = self.folder / "bases"
        try:
            for needed in (self.folder, self.files, self.uploads, self.jobs, self.models, self.bases):
                needed.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "engine.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise EngineError(
                f"The folder {self.folder} cannot be used: {error.strerror or error}.",
                "Give a --home that you may write to.",
                raw=str(error),
            ) from error
        self._take()

    @property
    def database(self) -> Path:
        """The engine's SQLite file."""
        return self.folder / "engine.db"

    def job(self, job_id: str) -> Path:
        """The folder of one job."""
        return self.jobs / job_id

    def release(self) -> None:
        """Let another engine use the folder."""
        os.close(self._lock)

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._lock, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise EngineError(
                f"Another engine (process {holder}) is using the folder {self.folder}.",
                "Use that one, stop it, or give another --home. Nothing was changed.",
            ) from error
        os.truncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())
