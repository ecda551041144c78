"""Folders that are whole or not there: a model's weights, a checkpoint, the state a training resumes from.

A folder is filled under another name, each file is made to last, a manifest with sizes and hashes is written last, and
only then does the folder get its name. It knows files, not what they hold.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.errors import EngineError

MANIFEST_FILE = "manifest.json"
UNFINISHED = ".unfinished"


def write(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make `folder` with what `fill` puts into the folder it is given; an earlier `folder` is replaced.

    After a crash at any moment `folder` is either whole or fails `check`. OSError when the disk does not take it.
    """
    unfinished = _unfinished(folder)
    unfinished.mkdir(parents=True)
    try:
        fill(unfinished)
        seal(unfinished)
        if folder.exists():
            remove(folder)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync(folder.parent)


def seal(folder: Path) -> None:
    """Make the files in `folder` last and write their sizes and SHA-256 into its manifest."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST_FILE:
            _sync(path)
            files[path.name] = _measures(path)
    with (folder / MANIFEST_FILE).open("w", encoding="utf-8") as manifest:
        json.dump({"files": files}, manifest, indent=2)
        manifest.flush()
        os.fsync(manifest.fileno())
    _sync(folder)


def check(folder: Path) -> None:
    """Raise EngineError unless every file that the manifest of `folder` names is there, byte for byte."""
    try:
        files = json.loads((folder / MANIFEST_FILE).read_bytes())["files"]
        # A name with a folder in it would lead out of the folder that is being checked.
        whole = all(Path(name).name == name and _measures(folder / name) == files[name] for name in files)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(
            f"The folder {folder.name} is not complete: its manifest or a file in it is missing.",
            "Use another checkpoint.",
            raw=str(error),
        ) from error
    if not whole or not files:
        raise EngineError(f"A file in the folder {folder.name} is damaged.", "Use another checkpoint.")


def is_whole(folder: Path) -> bool:
    """Whether `check` finds nothing wrong."""
    try:
        check(folder)
    except EngineError:
        return False
    return True


def remove(folder: Path) -> None:
    """Remove a folder. After a crash at any moment it is whole or gone; what is left of it has another name."""
    rest = _unfinished(folder)
    folder.rename(rest)
    shutil.rmtree(rest)


def clear_unfinished(parent: Path) -> None:
    """Remove what a process that was killed left half-written in `parent`."""
    for left in parent.glob(f"*{UNFINISHED}"):
        shutil.rmtree(left, ignore_errors=True)


def _unfinished(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-{secrets.token_hex(4)}{UNFINISHED}")


def _measures(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
