"""Edits that were saved by the first version of the workspace's schema are still there after it has grown."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.example import encode
from lib.errors import EditConflict
from lib.workspace import database
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A workspace of the first version with a version of twelve examples: one edited, one removed, one added."""
    home = tmp_path / "old"
    home.mkdir()
    with sqlite3.connect(home / "etude.db") as db:
        db.executescript((database.SCHEMA / "0001.sql").read_text(encoding="utf-8"))
        db.execute("PRAGMA user_version = 1")
        (home / "files").mkdir()
        sha256 = kept(home, lines_of(many(12)))
        db.execute("INSERT INTO datasets VALUES ('ds_1', 'old', 'old.jsonl', 0.0, NULL)")
        db.execute(
            "INSERT INTO versions VALUES"
            f" ('ver_1', 'ds_1', 1, 'a', '{sha256}', 12, 'supervised', '[1, 2]', '{{}}', NULL, 0.0)"
        )
        rows = [(4, 17, encode(chat("new", "4"))), (7, 19, None), (12, 23, encode(chat("new", "12")))]
        db.executemany("INSERT INTO drafts VALUES ('ver_1', ?, ?, ?, 5.0)", rows)
        db.execute("INSERT INTO settings VALUES ('draft_revision', '23')")
    db.close()
    return home


def kept(home: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    (home / "files" / name).write_bytes(content)
    return name


def test_old_edits_are_kept_with_their_revisions(old: Path) -> None:
    ws = Workspace.open(old)
    entries = drafts.entries(ws, shelf.version(ws, "ver_1"), [4, 7, 12, 0])
    assert [entry.revision for entry in entries] == [17, 19, 23, 0]
    assert [entry.example and entry.example.data for entry in entries] == [
        chat("new", "4"),
        None,
        chat("new", "12"),
        many(12)[0],
    ]
    assert drafts.changes(ws, "ver_1") == drafts.Changes(added=1, removed=1, changed=1)
    assert [(one.position, one.revision) for one in drafts.since(ws, "ver_1", 17)] == [(7, 19), (12, 23)]
    ws.close()


def test_old_edits_go_on_as_new_ones_do(old: Path) -> None:
    ws = Workspace.open(old)
    assert drafts.history(ws, "ver_1").steps == 0, "what was not written down cannot be undone"
    with pytest.raises(EditConflict):
        drafts.change(ws, "ver_1", 4, chat("stale", "1"), 0)
    revision = drafts.change(ws, "ver_1", 4, chat("newer", "4"), 17)
    assert revision > 23
    undone = drafts.history(ws, "ver_1").undo
    assert undone is not None
    drafts.undo(ws, "ver_1", undone.id)
    assert drafts.current(ws, "ver_1", 4, 5)[0].example.data == chat("new", "4")  # type: ignore[union-attr]
    made = drafts.save_version(ws, "ver_1", "Saved")
    assert (made.examples, dict(made.changes)) == (12, {"added": 1, "removed": 1, "changed": 1})
    ws.close()


def test_no_row_of_the_old_table_is_left_behind(old: Path) -> None:
    ws = Workspace.open(old)
    tables = {row["name"] for row in ws.read("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "drafts" in tables
    assert not {name for name in tables if name.startswith("drafts_of")}
    assert ws.read("PRAGMA foreign_key_check") == []
    assert ws.read("PRAGMA integrity_check")[0][0] == "ok"
    ws.close()
