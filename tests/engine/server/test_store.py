"""The engine's database on a disk that is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.engine.store import Store

ROW = "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, ?, 'fine-tune', 1, 1)"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "engine.db")
    yield opened
    opened.close()


def enter(store: Store, *rows: tuple[str, str]) -> None:
    with store.change() as db:
        db.executemany(ROW, rows)


def test_a_full_disk_is_told_by_its_name_and_changes_nothing(store: Store) -> None:
    pages = store.rows("PRAGMA page_count")[0][0]
    store.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        enter(store, ("file-small", "a"), ("file-large", "a" * 100_000))
    assert store.rows("SELECT * FROM files") == []

    store.rows(f"PRAGMA max_page_count = {pages + 1000}")
    enter(store, ("file-small", "a"))
    assert [row["id"] for row in store.rows("SELECT id FROM files")] == ["file-small"]
