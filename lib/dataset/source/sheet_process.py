"""The process that reads spreadsheets and Parquet, so that a crash or a bomb in a native reader is only a sentence.

It limits itself before it loads a reader. In: one JSON object on standard input. Out: JSON lines on standard output
(how far it is, and at the end what was found), the rows and their numbers in two files. Started by sheets.py.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from lib.dataset.source.intake import Intake, Limits
from lib.errors import EtudeError


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What to read, and how far it may go. `kind` is "sheet" or "parquet"."""

    kind: str
    source: str
    target: str
    numbers: str
    name: str
    limits: dict[str, int]


def main() -> None:
    """Carry out one order. Whatever goes wrong is said on standard output, unless it ends the process."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    limits = Limits(**order.limits)
    _restrain(limits)
    path = Path(order.source)
    intake = Intake(order.name, path.parent, path.stat().st_size, limits, _far, None)
    intake.stage(last=True)
    try:
        columns = _read(order, path, intake)
    except EtudeError as error:
        _say(refused=[error.what, error.todo, error.raw])
    except MemoryError:
        _say(refused=_too_large(order, limits))
    except BaseException as error:  # A panic of native code is no Exception.
        _say(refused=_unreadable(order, error))
    else:
        found = [asdict(finding) for finding in intake.problems.kept()]
        notes = [[note.code, note.text, note.why] for note in intake.notes]
        _say(columns=columns, notes=notes, problems=found, totals=intake.problems.totals())


def _read(order: Order, path: Path, intake: Intake) -> tuple[str, ...]:
    with Path(order.target).open("wb") as out:
        # Imported here: the limits must hold before native code is loaded.
        if order.kind == "parquet":
            from lib.dataset.source.parquet import take_parquet as take
        else:
            from lib.dataset.source.workbook import take_workbook as take
        columns, numbers = take(path, out, intake)
    with Path(order.numbers).open("wb") as file:
        numbers.tofile(file)
    return columns


def _restrain(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, limits.expanded),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _too_large(order: Order, limits: Limits) -> list[str | None]:
    what = f"{order.name} takes more than {limits.memory >> 20} MB of memory to read."
    return [what, "Save it as CSV, which is read row by row, and bring that in.", None]


def _unreadable(order: Order, error: BaseException) -> list[str | None]:
    kind, raw = type(error).__name__, str(error)[:500]
    if kind == "PasswordError" or "password" in raw.lower() or "encrypted" in raw.lower():
        return [f"{order.name} is protected by a password.", "Save it without one, and bring that in.", raw]
    if order.kind == "parquet":
        return [
            f"{order.name} is a Parquet table that cannot be read: it is damaged or cut off.",
            "Write it again.",
            raw,
        ]
    todo = "Open it in the program it comes from and save it as .xlsx or CSV."
    return [f"{order.name} is no spreadsheet that can be read, or it is damaged.", todo, raw]


def _far(done: int, total: int) -> None:
    _say(done=done, total=total)


def _say(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
