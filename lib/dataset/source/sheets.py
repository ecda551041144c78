"""Spreadsheets and Parquet as lines, read by a process of their own that can be ended at any time.

Refuses zip bombs before anything is unpacked. Knows how that process is spoken to, no format.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from lib.dataset.finding import Finding
from lib.dataset.own_process import ROOT, command, environment
from lib.dataset.source.intake import BLOCK, Intake
from lib.dataset.source.unpack import ZIP, open_zip
from lib.errors import UnreadableFile

Integers = npt.NDArray[np.int64]
Kind = Literal["sheet", "parquet"]

LOOK_SECONDS = 0.1
# It may wait for a slow disk, but not for ever: so many times its time on the processor.
PATIENCE = 2
RAW_BYTES = 2000


def take_sheet(path: Path, kind: Kind, intake: Intake) -> tuple[Path, tuple[str, ...], Integers]:
    """The rows as lines of a file of our own, the columns, and the number of each row.

    Raises UnreadableFile with a clear sentence whatever the file does to its reader, ArrivalStopped.
    """
    _refuse_bomb(path, intake)
    target, numbers = intake.new_file(), intake.new_file()
    intake.stage(last=True)
    order = {
        "kind": kind,
        "source": str(path.absolute()),
        "target": str(target.absolute()),
        "numbers": str(numbers.absolute()),
        "name": intake.name,
        "limits": asdict(intake.limits),
    }
    told = _carried_out(order, intake)
    for code, text, why in told["notes"]:
        intake.note(code, text, why)
    found = [Finding(**one | {"detail": tuple(one["detail"])}) for one in told["problems"]]
    intake.problems.include(found, told["totals"])
    return target, tuple(told["columns"]), np.fromfile(numbers, dtype=np.int64)


def _refuse_bomb(path: Path, intake: Intake) -> None:
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return
    try:
        with open_zip(path, intake) as archive:
            written = intake.written(path.stat().st_size, sheet=True)
            for entry in archive.infolist():
                written.add(entry.file_size)
    except (BadZipFile, OSError) as error:
        raise UnreadableFile(
            f"{intake.name} is a spreadsheet that is damaged or cut off.", "Save or fetch it again.", raw=str(error)
        ) from error


def _carried_out(order: dict[str, Any], intake: Intake) -> dict[str, Any]:
    """What the process says at its end."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command("lib.dataset.source.sheet_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            # The other allocators reserve more addresses than a limit on memory leaves.
            env=environment() | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
            for told in _said(process.stdout, intake):
                if "columns" in told:
                    return told
                if "refused" in told:
                    what, todo, raw = told["refused"]
                    raise UnreadableFile(what, todo, raw=raw)
                intake.at(told["done"], told["total"])
            process.wait()
        except BrokenPipeError:
            process.wait()
        finally:
            process.kill()
        errors.seek(-min(RAW_BYTES, errors.seek(0, os.SEEK_END)), os.SEEK_END)
        raise _ended(process.returncode, errors.read().decode("utf-8", "replace"), intake)


def _said(stdout: IO[bytes], intake: Intake) -> Iterator[dict[str, Any]]:
    """The lines of the process. Looks ten times a second whether the person wants to stop."""
    held, until = b"", time.monotonic() + PATIENCE * intake.limits.seconds
    while time.monotonic() < until:
        intake.look()
        if not select.select([stdout], [], [], LOOK_SECONDS)[0]:
            continue
        block = os.read(stdout.fileno(), BLOCK)
        if not block:
            return
        *lines, held = (held + block).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _ended(status: int, raw: str, intake: Intake) -> UnreadableFile:
    todo = "Save it as CSV in the program it comes from, which is read row by row, and bring that in."
    if status == -signal.SIGXCPU or status == -signal.SIGKILL:
        what = f"Reading {intake.name} took more than {intake.limits.seconds} seconds and was ended."
    elif "MemoryError" in raw or "alloc" in raw or status == -signal.SIGABRT:
        what = f"{intake.name} takes more than {intake.limits.memory >> 20} MB of memory to read."
    else:
        what = f"The reader of {intake.name} broke down; the file is damaged, or made to do that."
    return UnreadableFile(what, todo, raw=raw)
