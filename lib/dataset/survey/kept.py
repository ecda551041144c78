"""Keeps surveys beside the files that they are about, so that a million examples are gone through once and not again.

A kept survey belongs to the content of a file, the encoding, the method, and the rules as they are: it is made anew
when a rule changes. It can be thrown away at any time. Knows nothing of versions.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lib.dataset.example import Method
from lib.dataset.finding import Finding
from lib.dataset.jsonl import Lines
from lib.dataset.survey.answers import Labels
from lib.dataset.survey.columns import TYPES, Columns
from lib.dataset.survey.survey import Survey
from lib.workspace.database import Workspace

FOLDER = "surveys"
# The oldest go when there are more.
MOST_KEPT = 40
DATASET = Path(__file__).parents[1]


def load(ws: Workspace, sha256: str, encoding: str | None, method: Method, lines: Lines) -> Survey | None:
    """The kept survey of the file with this hash, whose lines are `lines`; None when there is none to trust."""
    path = _path(ws, sha256, encoding, method)
    try:
        with path.open("rb") as file, np.load(file) as held:
            arrays: dict[str, Any] = {name: held[name] for name in held.files}
        said = json.loads(bytes(arrays["said"]))
        columns = Columns.of({name: arrays[f"column {name}"] for name in TYPES})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    if len(columns) != len(lines):
        return None
    return Survey(
        lines=lines,
        method=method,
        encoding=encoding,
        columns=columns,
        found={code: arrays[f"found {code}"] for code in said["found"]},
        labels={name: Labels(tuple(names), arrays[f"labels {name}"]) for name, names in said["labels"].items()},
        systems={int(held): text for held, text in said["systems"].items()},
        problems=tuple(Finding(**{**one, "detail": tuple(one["detail"])}) for one in said["problems"]),
        totals=said["totals"],
    )


def save(ws: Workspace, sha256: str, surveyed: Survey) -> None:
    """Keep a survey of the file with this hash. A full disk costs the next survey its time and nothing else."""
    said = {
        "found": list(surveyed.found),
        "labels": {name: list(held.names) for name, held in surveyed.labels.items()},
        "systems": {str(held): text for held, text in surveyed.systems.items()},
        "problems": [_plain(one) for one in surveyed.problems],
        "totals": dict(surveyed.totals),
    }
    arrays = {f"column {name}": held for name, held in surveyed.columns.arrays().items()}
    arrays |= {f"found {code}": held for code, held in surveyed.found.items()}
    arrays |= {f"labels {name}": held.ids for name, held in surveyed.labels.items()}
    path = _path(ws, sha256, surveyed.encoding, surveyed.method)
    temporary = path.with_suffix(".tmp")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with temporary.open("wb") as file:
            temporary.chmod(0o600)
            np.savez(file, said=np.frombuffer(json.dumps(said).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
        _make_room(path.parent)
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    held = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in held[MOST_KEPT:]:
        path.unlink(missing_ok=True)


def _path(ws: Workspace, sha256: str, encoding: str | None, method: Method) -> Path:
    return ws.home / FOLDER / f"{sha256}-{encoding}-{method}-{_rules()}.npz"


def _plain(finding: Finding) -> dict[str, Any]:
    names = ("severity", "code", "line", "message_index", "text", "why", "fix", "detail")
    return {name: getattr(finding, name) for name in names}


@cache
def _rules() -> str:
    """A name for the rules as they are: it changes with every change of their source."""
    sources = sorted([*DATASET.glob("*.py"), *DATASET.glob("rules/*.py"), *DATASET.glob("survey/*.py")])
    held = hashlib.blake2b(digest_size=8)
    for path in (*sources, *sorted(DATASET.parent.glob("tokens/*.py"))):
        held.update(path.read_bytes())
    return held.hexdigest()
