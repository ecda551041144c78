"""Keeps a gathered dataset as the first version of a new one, all of it or nothing, with its survey beside it.

The file holds the exact bytes of the examples, one a line. Files that hold more than that are kept whole as well, so
that nothing that was in them is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lib.dataset import shelf
from lib.dataset.arrival.gathered import BLOCK, BLOCK_BYTES, Gathered
from lib.dataset.jsonl import Lines
from lib.dataset.naming import title_of
from lib.dataset.shelf import Version
from lib.dataset.survey import kept
from lib.workspace.database import Workspace, new_id

# Sentences about what stayed out that a version remembers; all of it is in the file that is kept whole.
MOST_TOLD, LONGEST_TOLD = 50, 400
MOST_KEYS = 50
COPY_BLOCK = 1 << 20

Told = Callable[[int, int], None]


def on_the_shelf(ws: Workspace, sha256: str) -> Version | None:
    """The first version of a dataset on the shelf that came from a file with this content; None without one."""
    return _found(ws, "(v.sha256 = :sha256 OR json_extract(v.changes, '$.source') = :sha256)", sha256)


def keep(ws: Workspace, held: Gathered, told: Told, *, again: bool = False) -> Version:
    """Keep the examples as a new dataset; `told` hears (bytes kept, bytes in all), and what it raises leaves nothing.

    Where a dataset with exactly these examples and this split is on the shelf, that is returned, unless `again`.
    """
    whole = [(name, path, sha) for name, path, sha in held.sources if not held.is_whole]
    size = sum(path.stat().st_size for path in (held.path, *(path for _, path, _ in whole)))
    counted = 0

    def heard(block: bytes) -> bytes:
        nonlocal counted
        counted += len(block)
        told(counted, max(size, counted))
        return block

    # Each file is kept while the next waits for its last block: either all of them are kept, or, stopped, none.
    sha256 = ws.keep(map(heard, _with_the_rest(held, ws, [path for _, path, _ in whole], heard)))
    if not again and (there := _found(ws, "v.sha256 = :sha256", sha256)) and there.validation == held.validation:
        return there
    made = _inserted(ws, sha256, held, whole)
    kept.save(ws, sha256, held.surveyed)
    return made


def _inserted(ws: Workspace, sha256: str, held: Gathered, whole: Sequence[tuple[str, Path, str]]) -> Version:
    now = ws.clock()
    made = Version(
        id=new_id("ver"),
        dataset_id=new_id("ds"),
        dataset_name=title_of(held.name),
        number=1,
        name=shelf.FIRST_NAME,
        sha256=sha256,
        examples=held.examples,
        method=held.surveyed.method,
        validation=held.validation,
        changes=_changes(held, whole),
        parent_id=None,
        created_at=now,
    )
    with ws.write() as db:
        db.execute(
            "INSERT INTO datasets VALUES (?, ?, ?, ?, NULL)", (made.dataset_id, made.dataset_name, held.name, now)
        )
        shelf.insert(db, made)
    return made


def _changes(held: Gathered, whole: Sequence[tuple[str, Path, str]]) -> dict[str, Any]:
    changes: dict[str, Any] = {"added": held.examples, "removed": 0, "changed": 0, "unread": held.lines_left}
    if held.left:
        told = [f"{one.text} {one.why}" for one in held.left[:MOST_TOLD]]
        changes["told"] = [text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…" for text in told]
    if held.keys:
        changes["keys"] = dict(sorted(held.keys.items(), key=lambda one: -one[1])[:MOST_KEYS])
    if held.notes:
        changes["notes"] = list(held.notes)
    if held.conversions:
        changes["conversion"] = held.conversions[0] if len(held.conversions) == 1 else list(held.conversions)
    if len(whole) == 1:
        changes["source"] = whole[0][2]
    elif whole:
        changes["sources"] = [[name, sha] for name, _, sha in whole]
    if held.surveyed.encoding is not None:
        changes["tokens"] = {held.surveyed.encoding: int(held.surveyed.columns.tokens.sum(dtype="int64"))}
    return changes


def _with_the_rest(
    held: Gathered, ws: Workspace, paths: Sequence[Path], heard: Callable[[bytes], bytes]
) -> Iterator[bytes]:
    yield from _file_of(held)
    _keep_all(ws, paths, heard)


def _keep_all(ws: Workspace, paths: Sequence[Path], heard: Callable[[bytes], bytes]) -> None:
    if not paths:
        return

    def blocks() -> Iterator[bytes]:
        yield from map(heard, _blocks(paths[0]))
        _keep_all(ws, paths[1:], heard)

    ws.keep(blocks())


def _file_of(held: Gathered) -> Iterable[bytes]:
    """The examples as they are kept. A file that has nothing else in it is copied, which is much faster."""
    columns, size = held.surveyed.columns, held.path.stat().st_size
    if size == int(columns.size.sum(dtype="int64")) + len(columns) and _ends_a_line(held.path):
        return _blocks(held.path)
    return _lines(held.surveyed.lines)


def _lines(lines: Lines) -> Iterator[bytes]:
    for begun, ended in lines.blocks(BLOCK, BLOCK_BYTES):
        yield b"\n".join([*lines.block(begun, ended), b""])


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(COPY_BLOCK):
            yield block


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"


def _found(ws: Workspace, where: str, sha256: str) -> Version | None:
    rows = ws.read(
        "SELECT v.id FROM versions v JOIN datasets d ON d.id = v.dataset_id WHERE d.deleted_at IS NULL"
        f" AND v.parent_id IS NULL AND {where} ORDER BY v.created_at LIMIT 1",
        {"sha256": sha256},
    )
    return shelf.version(ws, rows[0]["id"]) if rows else None
