"""Holds a name for one thread of one process on this machine; the kernel lets go of it when that process dies.

Knows files and nothing of what is held.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(home: Path, name: str) -> Iterator[None]:
    """Hold `name`, waiting for whoever has it."""
    handle = _open(home, name, wait=True)
    assert handle is not None
    try:
        yield
    finally:
        _release(home, name, handle)


@contextmanager
def held_if_free(home: Path, name: str) -> Iterator[bool]:
    """Hold `name` if nobody else does; what is given tells whether that worked."""
    handle = _open(home, name, wait=False)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            _release(home, name, handle)


def _open(home: Path, name: str, *, wait: bool) -> int | None:
    path = _path(home, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have removed the file meanwhile: then this handle holds nothing that others see.
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        except FileNotFoundError:
            os.close(handle)
            continue
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _release(home: Path, name: str, handle: int) -> None:
    _path(home, name).unlink(missing_ok=True)
    os.close(handle)


def _path(home: Path, name: str) -> Path:
    return home / "locks" / name
