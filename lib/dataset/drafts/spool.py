"""Where the edits of one call wait until the last of them is there: in memory when they are few, else in a file.

The file has no name, lies in the workspace's own folder, and is gone when the call ends, however it ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from lib.errors import WorkspaceError

# Position, the revision that was named, state, and the line.
Row = tuple[int, int, str, bytes | None]

STATES = ("edited", "removed", "untouched")
HEAD = struct.Struct("<qqBq")
IN_MEMORY = 4 << 20


class Spool:
    """Edits that wait, in the order they came."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder
        self.count = 0

    def put(self, position: int, revision: int, state: str, line: bytes | None) -> None:
        """Let one more edit wait. Raises WorkspaceError when the file cannot be written."""
        head = HEAD.pack(position, revision, STATES.index(state), -1 if line is None else len(line))
        try:
            self._file.write(head + (line or b""))
        except OSError as error:
            raise WorkspaceError(
                f"The edits could not be kept: {error.strerror or error}.",
                f"Nothing was changed. Make room in {self._folder} and try again.",
                raw=str(error),
            ) from error
        self.count += 1

    def rows(self) -> Iterator[Row]:
        """All edits that wait, one after the other."""
        self._file.seek(0)
        for _ in range(self.count):
            position, revision, state, length = HEAD.unpack(self._file.read(HEAD.size))
            yield position, revision, STATES[state], None if length < 0 else self._file.read(length)


@contextmanager
def opened_spool(folder: Path) -> Iterator[Spool]:
    """A spool in this folder."""
    with SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)) as file:
        yield Spool(file, folder)
