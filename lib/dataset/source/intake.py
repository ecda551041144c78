"""A file on its way in: what it is called, how much it may become, who is told and asked, what was found and written.

Knows no format. Whatever is written on the way is gone again when the file does not arrive.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.dataset.finding import Finding, Findings
from lib.dataset.parse import LONGEST_LINE, SNIPPET
from lib.errors import ArrivalStopped, UnreadableFile

BLOCK = 1 << 20
STEP = 1 << 18
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may become. Sizes in bytes, ratios of what comes out to what went in.

    A ratio counts only above `ratio_from`: a small file may be as empty as it likes. `cell` is the longest cell of a
    text table, `memory` and `seconds` (of processor time) are for the process that reads spreadsheets and Parquet.
    """

    expanded: int = 8 << 30
    ratio: int = 1000
    sheet_expanded: int = 2 << 30
    sheet_ratio: int = 200
    ratio_from: int = 100 << 20
    line: int = LONGEST_LINE
    cell: int = 32 << 20
    memory: int = 4 << 30
    seconds: int = 600


@dataclass(slots=True)
class Written:
    """Counts what is written from so many bytes, and refuses a bomb before it fills the disk."""

    name: str
    packed: int
    most: int
    ratio: int
    ratio_from: int
    size: int = 0

    def add(self, size: int) -> None:
        """Count so many bytes more. Raises UnreadableFile above what is allowed."""
        self.size += size
        if self.size > self.most or (self.size > self.ratio_from and self.size > self.ratio * max(1, self.packed)):
            raise UnreadableFile(
                f"{self.name} would become more than {self.size >> 20} MB from {self.packed} bytes.",
                "No set of examples does that. Look at it in the program it comes from, and bring in the data alone.",
            )


class Intake:
    """One file on its way in. `name` is fit to be shown; `size` is that of the file as it was given, in bytes."""

    def __init__(
        self,
        name: str,
        folder: Path,
        size: int,
        limits: Limits,
        progress: Callable[[int, int], None] | None,
        stopped: Callable[[], bool] | None,
    ) -> None:
        self.name = shown_name(name)
        self.limits = limits
        self.size = size
        self.notes: list[Finding] = []
        self.problems = Findings()
        self._folder = folder
        self._written: list[Path] = []
        self._progress = progress
        self._stopped = stopped
        self._begun, self._share, self._seen = 0, size, -STEP

    def stage(self, *, last: bool = False) -> None:
        """A new round over the data begins: it takes half of the way that is left, the last one all of it."""
        self._begun += self._share if self._share < self.size else 0
        left = self.size - self._begun
        self._share = left if last else left // 2
        self._seen = -STEP

    def at(self, done: int, total: int) -> None:
        """So much of this round is done, in any unit that `total` has too.

        May be called as often as there are lines. Raises ArrivalStopped when the person wants no more of it.
        """
        if done - self._seen < min(STEP, max(1, total // 100)):
            return
        self._seen = done
        self.look()
        if self._progress is not None:
            self._progress(self._begun + self._share * min(done, total) // max(1, total), self.size)

    def look(self) -> None:
        """Raise ArrivalStopped when the person wants no more of it."""
        if self._stopped is not None and self._stopped():
            raise ArrivalStopped(f"{self.name} was stopped on its way in.", "Nothing of it was kept.")

    def done(self) -> None:
        """The file has arrived."""
        if self._progress is not None:
            self._progress(self.size, self.size)

    def new_file(self) -> Path:
        """An empty file of our own; its name has nothing of the given one."""
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="arrival-", delete=False) as file:
            self._written.append(Path(file.name))
        return self._written[-1]

    def forget_all_but(self, kept: Path | None) -> None:
        """Delete what was written on the way."""
        for path in self._written:
            if path != kept:
                path.unlink(missing_ok=True)

    def note(self, code: str, text: str, why: str) -> None:
        """Something good to know about the file as a whole."""
        self.notes.append(Finding("info", code, None, None, text, why))

    def problem(self, code: str, text: str, why: str, line: int | None = None) -> None:
        """Something that could not be understood and stays out."""
        self.problems.add(Finding("error", code, line, None, text, why))

    def written(self, packed: int, *, sheet: bool = False) -> Written:
        """A count for what comes out of so many bytes."""
        most = self.limits.sheet_expanded if sheet else self.limits.expanded
        ratio = self.limits.sheet_ratio if sheet else self.limits.ratio
        return Written(self.name, packed, most, ratio, self.limits.ratio_from)


def shown_name(name: str) -> str:
    """A file's name as a sentence may hold it: one line, nothing invisible, not longer than people read."""
    plain = "".join(sign if sign.isprintable() else "·" for sign in name.strip())
    return (plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 1]}…") or "The file"


def snippet(text: str) -> str:
    """The beginning of an offending text, on one line."""
    flat = " ".join(text[: 4 * SNIPPET].split())
    return flat if len(text) <= 2 * SNIPPET else f"{flat[: 2 * SNIPPET]}…"
