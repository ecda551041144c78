"""Examples on their way out: the exact files that are uploaded, and files for a person's own use in three forms.

JSONL has the bytes of every line, CSV is for reading in a spreadsheet, Parquet for notebooks. Whatever is made goes
through the disk, a few megabytes at a time. Knows no service.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lib.dataset.example import Method
from lib.dataset.export_csv import write_csv
from lib.dataset.export_parquet import write_parquet
from lib.dataset.export_row import Row
from lib.dataset.jsonl import BOM, write
from lib.dataset.shelf import Version, keep_lines, open_lines
from lib.errors import DataError, WorkspaceError
from lib.workspace.database import Workspace

Form = Literal["jsonl", "csv", "parquet"]
Part = Literal["all", "training", "validation"]
FORMS: tuple[Form, ...] = ("jsonl", "csv", "parquet")
PARTS: tuple[Part, ...] = ("all", "training", "validation")

FOLDER = "exports"
# What a killed process left; no export takes so long.
LEFT_BEHIND_SECONDS = 24 * 3600
BLOCK_LINES, BLOCK_BYTES = 4096, 8 << 20
TOLD_EVERY = 1000


def training_bytes(ws: Workspace, version: Version, *, bom: bool = False) -> Path:
    """The file with the training examples. `bom` puts the mark in front that Azure asks for."""
    if not version.validation and not bom:
        return ws.kept(version.sha256)
    return _upload(ws, version, False, bom)


def validation_bytes(ws: Workspace, version: Version, *, bom: bool = False) -> Path:
    """The file with the validation examples. Raises DataError when none are held out."""
    if not version.validation:
        raise DataError(
            f"Version {version.number} of “{version.dataset_name}” holds no examples out for validation.",
            "Split it on Data, or train without validation.",
        )
    return _upload(ws, version, True, bom)


def examples_of(ws: Workspace, version: Version) -> Iterator[tuple[bytes, bool]]:
    """Every example of a version: its exact bytes, and whether it is held out for validation."""
    lines = open_lines(ws, version)
    held_out = version.validation.mask(len(lines))
    for begun, ended in lines.blocks(BLOCK_LINES, BLOCK_BYTES):
        yield from zip(lines.block(begun, ended), held_out[begun:ended].tolist(), strict=True)


@contextmanager
def written(
    ws: Workspace,
    examples: Iterable[tuple[bytes, bool]],
    form: Form,
    part: Part = "all",
    *,
    method: Method = "supervised",
    told: Callable[[int], None] | None = None,
) -> Iterator[Path]:
    """A file with these examples (bytes, held out) in the workspace's home, there until the block ends.

    `told` hears now and then how many examples were looked at; what it raises stops the work. The JSONL of a part of a
    version has the very bytes that Train sends. Raises DataError when the part has no example, WorkspaceError when the
    disk is full. Either way nothing stays behind.
    """
    folder = ws.home / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _sweep(folder)
        path = folder / f"{secrets.token_hex(8)}.{form}"
        path.touch(mode=0o600)
    except OSError as error:
        raise _disk(error, ws) from error
    try:
        try:
            rows = _Counted(_rows(examples, part, told))
            _write(rows, path, form, method)
        except OSError as error:
            raise _disk(error, ws) from error
        if not rows.count:
            raise DataError(f"There is no {part} example to export.", "Choose another part, or split the version.")
        yield path
    finally:
        path.unlink(missing_ok=True)


class _Counted:
    """Counts what goes through."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _write(rows: Iterable[Row], path: Path, form: Form, method: Method) -> None:
    if form == "jsonl":
        write((row.raw for row in rows), path)
    elif form == "csv":
        write_csv(rows, path, method)
    else:
        write_parquet(rows, path)


def _rows(examples: Iterable[tuple[bytes, bool]], part: Part, told: Callable[[int], None] | None) -> Iterator[Row]:
    """The rows of one part. Lines are numbered over all examples, so that a part names them as the screen does."""
    line = 0
    for line, (raw, held_out) in enumerate(examples, start=1):
        if part == "all" or held_out == (part == "validation"):
            yield Row(line, raw, held_out)
        if told is not None and line % TOLD_EVERY == 0:
            told(line)
    if told is not None:
        told(line)


def _upload(ws: Workspace, version: Version, validation: bool, bom: bool) -> Path:
    def raws() -> Iterator[bytes]:
        mark = BOM if bom else b""
        for raw, held_out in examples_of(ws, version):
            if held_out == validation:
                yield mark + raw
                mark = b""

    return ws.kept(keep_lines(ws, raws()))


def _sweep(folder: Path) -> None:
    """Take away what a process that was killed has left."""
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > LEFT_BEHIND_SECONDS:
            path.unlink(missing_ok=True)


def _disk(error: OSError, ws: Workspace) -> WorkspaceError:
    return WorkspaceError(
        f"The file could not be written: {error.strerror or error}.",
        f"Make room in {ws.home} and try again.",
        raw=str(error),
    )
