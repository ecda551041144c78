"""A second process that goes through a part of a large file, since Python's own work keeps to one core in one process.

It takes shares from the back while this process takes them from the front. Whatever happens to it, nothing is lost: the
shares that it has not finished are gone through here. Knows how it is spoken to, not what is looked for.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from threading import Thread

from lib.dataset.example import Method
from lib.dataset.jsonl import Lines
from lib.dataset.own_process import ROOT, command, environment
from lib.dataset.survey.one_pass import Part
from lib.dataset.survey.shares import Share, Shares
from lib.tokens.batch import BatchCounter

# Getting such a process ready takes about as long as surveying a file of so many bytes.
LEAST_BYTES = 48 << 20

# Shares without a part have still to be gone through.
Read = list[tuple[Share, Part | None]]


class SecondReader:
    """The process, from the moment it is made until it is closed; it ends by itself when this process does.

    It gets ready at once to count with the encoding `name` (None: without tokens). `cpu_seconds` is what the processor
    has spent on it as far as it has told.
    """

    def __init__(self, name: str | None) -> None:
        self._talk, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                command("lib.dataset.survey.second_process", str(theirs.fileno()), name or ""),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env=environment(),
                start_new_session=True,
            )
        self._name = name
        self.cpu_seconds = 0.0

    def __enter__(self) -> SecondReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._talk.close()

    @contextmanager
    def reading(self, lines: Lines, method: Method, counter: BatchCounter | None, shares: Shares) -> Iterator[Read]:
        """Go through shares from the back while the block runs.

        The list is complete after the block, last share first.
        """
        read: Read = []
        if lines.place is None or self._name != (counter.name if counter else None):
            yield read
            return
        work = Thread(target=self._read, args=(lines, method, shares, read), name="second reader", daemon=True)
        work.start()
        try:
            yield read
        except BaseException:
            shares.close()
            self._process.kill()
            raise
        finally:
            work.join()

    def _read(self, lines: Lines, method: Method, shares: Shares, read: Read) -> None:
        able = True
        while able and (share := shares.from_back()) is not None:
            part: Part | None = None
            try:
                self._talk.send((lines.place, lines.bounds(*share), method))
                part, self.cpu_seconds = self._talk.recv()
            except (EOFError, OSError):
                able = False
            read.append((share, part))


@contextmanager
def second_reader(size: int, name: str | None) -> Iterator[SecondReader | None]:
    """A second reader for files of `size` bytes together; None where they are gone through as soon without one."""
    if size < LEAST_BYTES or (os.cpu_count() or 1) < 2:
        yield None
    else:
        with SecondReader(name) as second:
            yield second
