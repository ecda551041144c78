"""The engine's database on a disk that is full, and one that an earlier version wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.engine.store import SCHEMAS, VERSION, Store
from lib.errors import EngineError

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


@pytest.mark.parametrize("written_by", range(1, VERSION))
def test_a_database_of_an_earlier_version_is_brought_up_and_loses_nothing(tmp_path: Path, written_by: int) -> None:
    path = tmp_path / "engine.db"
    older = sqlite3.connect(path)
    for schema in SCHEMAS[:written_by]:
        older.executescript(schema.read_text(encoding="utf-8"))
    older.execute(ROW, ("file-old", "a"))
    older.execute(f"PRAGMA user_version = {written_by}")
    older.commit()
    older.close()
    for _ in range(2):
        opened = Store(path)
        assert [row["id"] for row in opened.rows("SELECT id FROM files")] == ["file-old"]
        assert _tables(opened) == _tables_of_a_new_one(tmp_path)
        opened.close()


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    later = sqlite3.connect(path)
    later.execute(f"PRAGMA user_version = {VERSION + 1}")
    later.close()
    with pytest.raises(EngineError, match="later version"):
        Store(path)
    with closing(sqlite3.connect(path)) as untouched:
        assert untouched.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def _tables(store: Store) -> set[tuple[str, str]]:
    return {(row["name"], row["sql"]) for row in store.rows("SELECT name, sql FROM sqlite_master")}


def _tables_of_a_new_one(folder: Path) -> set[tuple[str, str]]:
    new = Store(folder / "new.db")
    tables = _tables(new)
    new.close()
    return tables
