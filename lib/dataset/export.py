"""The exact files that are uploaded: the training and the validation examples of a version as JSONL.

Every line has the bytes it has in the version. Knows no service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lib.dataset.jsonl import BOM
from lib.dataset.shelf import Version, keep_lines, open_lines
from lib.errors import DataError
from lib.workspace.database import Workspace


def training_bytes(ws: Workspace, version: Version, *, bom: bool = False) -> Path:
    """The file with the training examples. `bom` puts the mark in front that Azure asks for."""
    if not version.validation and not bom:
        return ws.kept(version.sha256)
    return _file(ws, version, lambda position: position not in version.validation, bom)


def validation_bytes(ws: Workspace, version: Version, *, bom: bool = False) -> Path:
    """The file with the validation examples. Raises DataError when none are held out."""
    if not version.validation:
        raise DataError(
            f"Version {version.number} of “{version.dataset_name}” holds no examples out for validation.",
            "Split it on Data, or train without validation.",
        )
    return _file(ws, version, lambda position: position in version.validation, bom)


def _file(ws: Workspace, version: Version, belongs: Callable[[int], bool], bom: bool) -> Path:
    lines = open_lines(ws, version)

    def raws() -> Iterator[bytes]:
        mark = BOM if bom else b""
        for position in range(len(lines)):
            if belongs(position):
                yield mark + lines.raw(position)
                mark = b""

    return ws.kept(keep_lines(ws, raws()))
