"""Text with one JSON value a line: the file itself when it is plain, else a copy that is.

Lines are not read here; whether each is an example is for the survey to say.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lib.dataset.source.intake import BLOCK, Intake
from lib.dataset.source.text import BOM, plain

Integers = npt.NDArray[np.int64]


def take_lines(path: Path, intake: Intake) -> tuple[Path, Integers | None]:
    """The file of lines, and the number of each line where it is not its place. Lines that are too long stay out.

    Blank lines and carriage returns before a newline are left as they are: JSON takes them for blanks.
    """
    with path.open("rb") as file:
        marked = file.read(len(BOM)) == BOM
    if marked:
        path = plain(path, intake)
    if _has_long_line(path, intake.limits.line):
        return _without_long_lines(path, intake)
    return path, None


def _has_long_line(path: Path, longest: int) -> bool:
    """Whether a line has more bytes than that. Looks only where the last newline within reach stands."""
    at, size = 0, path.stat().st_size
    if size <= longest:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while size - at > longest:
            newline = data.rfind(b"\n", at, at + longest + 1)
            if newline < 0:
                return True
            at = newline + 1
    return False


def _without_long_lines(path: Path, intake: Intake) -> tuple[Path, Integers]:
    target, size, longest = intake.new_file(), path.stat().st_size, intake.limits.line
    numbers: list[int] = []
    intake.stage()
    with path.open("rb") as source, target.open("wb") as out:
        number = 0
        while line := source.readline(longest + 2):
            number += 1
            intake.at(source.tell(), size)
            if len(line.rstrip(b"\r\n")) > longest:
                whole = len(line)
                while not line.endswith(b"\n") and (line := source.readline(BLOCK)):
                    whole += len(line)
                too_long(number, whole, intake)
            elif line.strip():
                out.write(line if line.endswith(b"\n") else line + b"\n")
                numbers.append(number)
    return target, np.array(numbers, dtype=np.int64)


def too_long(number: int, size: int, intake: Intake) -> None:
    """Say that a line, or a value that begins there, has more bytes than are read."""
    intake.problem(
        "line_too_long",
        f"Line {number} is {size >> 20} MB long and was not read.",
        "Split it, or take out what no model can read.",
        number,
    )
