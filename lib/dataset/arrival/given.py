"""A file as it is given, and the folder in which it waits while it comes in.

The folder is in the workspace, is locked as long as somebody works in it, and is gone afterwards; `sweep` removes what
a killed process left. Knows no format.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from lib.errors import UnreadableFile

FOLDER = "arriving"
BLOCK = 1 << 20
# Whoever keeps a file writes to it all the time, so one that is older than this belongs to nobody.
STALE_SECONDS = 3600.0
LONGEST_SHOWN = 200

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Given:
    """One file: what a person calls it, and its content: a file of this machine, bytes, or a stream."""

    name: str
    content: Path | bytes | BinaryIO

    @property
    def size(self) -> int:
        """Its length in bytes; 0 when the file is not to be found."""
        if isinstance(self.content, bytes):
            return len(self.content)
        if isinstance(self.content, Path):
            with suppress(OSError, ValueError):
                return self.content.stat().st_size
            return 0
        self.content.seek(0, os.SEEK_END)
        return self.content.tell()


def on_this_machine(typed: str) -> Given:
    """The file at a path as a person types or pastes it. Raises UnreadableFile when there is none."""
    said = typed.strip()
    path = Path(said.strip("\"'").removeprefix("file://"))
    # A path may be too long, may name nobody's home, or hold what no path can.
    with suppress(OSError, ValueError, RuntimeError):
        path = path.expanduser()
        if said and path.is_file():
            return Given(path.name, path)
        if said and path.is_dir():
            raise UnreadableFile(f"That is a folder: {said}.", "Give the whole path of one file.")
    shown = said if len(said) <= LONGEST_SHOWN else f"{said[:LONGEST_SHOWN]}…"
    raise UnreadableFile(
        f"There is no such file on this machine: {shown or 'no path was given'}.", "Give the whole path of one file."
    )


def copied(given: Given, target: Path, told: Told) -> str:
    """Copy a file to `target`, a block at a time, and return its SHA-256 in hex.

    `told` hears (bytes done, bytes in all) after each block; what it raises stops the copy. Raises UnreadableFile when
    the file cannot be opened. What is worked on is always a copy: another program may cut the file at any time.
    """
    digest, size, done = hashlib.sha256(), given.size, 0
    with _opened(given) as source, target.open("xb") as out:
        while block := source.read(BLOCK):
            digest.update(block)
            out.write(block)
            done += len(block)
            told(done, max(size, done))
    return digest.hexdigest()


@contextmanager
def folder(home: Path) -> Iterator[Path]:
    """A folder of our own under `home` for as long as the block runs."""
    above = home / FOLDER
    with _alone(above):
        place = above / secrets.token_hex(8)
        place.mkdir(mode=0o700)
        handle = os.open(place, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


def sweep(home: Path, now: float) -> int:
    """Remove what processes left that were killed while a file came in; how many things that were.

    `now` is in seconds since 1970. Folders that somebody works in stay.
    """
    swept = 0
    with _alone(home / FOLDER):
        for place in list((home / FOLDER).iterdir()):
            if place.is_dir() and _is_free(place):
                shutil.rmtree(place, ignore_errors=True)
                swept += 1
    for kept in ("files", "surveys"):
        for path in (home / kept).glob("*.tmp"):
            with suppress(OSError):
                if now - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink()
                    swept += 1
    return swept


@contextmanager
def _opened(given: Given) -> Iterator[BinaryIO]:
    if isinstance(given.content, bytes):
        yield BytesIO(given.content)
        return
    if not isinstance(given.content, Path):
        given.content.seek(0)
        yield given.content
        return
    try:
        if not given.content.is_file():
            raise UnreadableFile(
                f"{given.name} is a pipe, a device or a folder, not a file.", "Save what it gives as a file."
            )
        file = given.content.open("rb")
    except OSError as error:
        raise UnreadableFile(
            f"{given.name} could not be opened: {error.strerror or error}.",
            "Check that the file is still there and that you may read it.",
            raw=str(error),
        ) from error
    with file:
        yield file


@contextmanager
def _alone(above: Path) -> Iterator[None]:
    """Wait until nobody else makes or sweeps folders here."""
    above.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(above, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_free(place: Path) -> bool:
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
