from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.places import Places
from lib.errors import ArrivalStopped, DataError, UnreadableFile, WorkspaceError
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many, pair


def test_a_file_becomes_a_dataset_with_its_first_version(ws: Workspace) -> None:
    content = lines_of(many(12))
    made = shelf.bring_in(ws, content, "folder/Tickets of May.jsonl", validation=[3, 5])
    assert (made.dataset_name, made.number, made.examples, made.training) == ("Tickets of May", 1, 12, 10)
    assert (made.method, made.validation, made.changes["added"]) == ("supervised", frozenset({3, 5}), 12)
    assert shelf.version(ws, made.id) == made
    assert shelf.versions(ws, made.dataset_id) == (made,)
    (dataset,) = shelf.datasets(ws)
    assert (dataset.latest, dataset.source_name) == (made.id, "folder/Tickets of May.jsonl")
    assert ws.kept(made.sha256).read_bytes() == content


def test_it_is_there_after_a_restart(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl")
    again = Workspace.open(ws.home)
    assert shelf.version(again, made.id) == made
    assert [example.data for example in shelf.open_lines(again, made)] == many(12)
    again.close()


def test_a_file_from_the_disk_and_an_array_are_kept_as_lines(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(many(3), indent=2))
    made = shelf.bring_in(ws, path, "a.json")
    kept = ws.kept(made.sha256).read_bytes()
    assert [json.loads(line) for line in kept.splitlines()] == many(3)
    assert kept.endswith(b"\n")


def test_marks_blanks_and_line_ends_are_left_behind_and_bytes_of_lines_are_not(ws: Workspace) -> None:
    raw = b'{"messages" :  [ ], "n": 10000000000000000000000000000000000001, "t": "\\u00fc"}'
    made = shelf.bring_in(ws, b"\xef\xbb\xbf\r\n" + raw + b"\r\n\r\n", "a.jsonl")
    assert ws.kept(made.sha256).read_bytes() == raw + b"\n"


def test_what_could_not_be_read_is_kept_with_the_source(ws: Workspace) -> None:
    content = lines_of(many(2)) + b"{broken\n" + lines_of(many(1))
    made = shelf.bring_in(ws, content, "a.jsonl")
    assert (made.examples, made.changes["unread"]) == (3, 1)
    assert ws.kept(made.changes["source"]).read_bytes() == content


@pytest.mark.parametrize(
    ("content", "error"), [(b"", UnreadableFile), (b"\x00" * 50, UnreadableFile), (b"{", DataError)]
)
def test_a_file_without_an_example_leaves_nothing_behind(ws: Workspace, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        shelf.bring_in(ws, content, "a.jsonl")
    assert shelf.datasets(ws) == ()


def test_pairs_are_recognised(ws: Workspace) -> None:
    assert shelf.bring_in(ws, lines_of([pair()]), "a.jsonl").method == "dpo"


def test_a_file_name_is_only_ever_a_title(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(1)), "../../etc/passwd.jsonl")
    assert made.dataset_name == "passwd"
    assert sorted(path.name for path in (ws.home / "files").iterdir()) == [made.sha256]


def test_a_removed_dataset_comes_back_whole(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(3)), "a.jsonl")
    shelf.remove(ws, made.dataset_id)
    assert shelf.datasets(ws) == ()
    assert shelf.version(ws, made.id).examples == 3, "runs that used it still find it"
    assert [dataset.id for dataset in shelf.datasets(ws, removed=True)] == [made.dataset_id]
    shelf.put_back(ws, made.dataset_id)
    assert shelf.datasets(ws, removed=True) == ()
    assert [dataset.id for dataset in shelf.datasets(ws)] == [made.dataset_id]


def test_a_dataset_gets_another_name_and_its_versions_with_it(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(3)), "a.jsonl")
    shelf.rename(ws, made.dataset_id, "  Tickets\n of  May ")
    assert [dataset.name for dataset in shelf.datasets(ws)] == ["Tickets of May"]
    assert shelf.version(ws, made.id).dataset_name == "Tickets of May"
    with pytest.raises(DataError, match="needs a name"):
        shelf.rename(ws, made.dataset_id, " \n")
    assert [dataset.name for dataset in shelf.datasets(ws)] == ["Tickets of May"]


def test_the_newest_dataset_stands_first(ws: Workspace) -> None:
    first = shelf.bring_in(ws, lines_of(many(1)), "first.jsonl")
    second = shelf.bring_in(ws, lines_of(many(1)), "second.jsonl")
    assert [dataset.id for dataset in shelf.datasets(ws)] == [second.dataset_id, first.dataset_id]


def test_a_version_that_is_not_there_is_told(ws: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no version ver_nothing"):
        shelf.version(ws, "ver_nothing")
    made = shelf.bring_in(ws, lines_of(many(1)), "a.jsonl")
    ws.kept(made.sha256).unlink()
    with pytest.raises(WorkspaceError, match="is no longer in"):
        shelf.open_lines(ws, made)


@pytest.mark.parametrize("content", ['{"messages":\n'.encode("utf-16"), b'{\n "messages": [NaN]\n}\n'])
def test_why_a_file_without_an_example_was_not_taken_is_its_error(ws: Workspace, content: bytes) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        shelf.bring_in(ws, content, "broken.jsonl")
    assert shelf.datasets(ws) == ()


def test_a_long_split_is_not_read_for_lists_and_kept_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = range(0, 4000, 2)
    made = shelf.bring_in(ws, lines_of(many(4000)), "a.jsonl", validation=held_out)
    again = shelf.bring_in(ws, lines_of(many(4000)), "b.jsonl", validation=held_out)
    asked: list[str] = []
    read = ws.read

    def listening(sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        asked.append(sql)
        return read(sql, values)

    monkeypatch.setattr(ws, "read", listening)
    (listed,) = shelf.versions(ws, made.dataset_id)
    assert (len(listed.validation), listed.training) == (2000, 2000)
    assert not [sql for sql in asked if "splits" in sql]
    assert listed == made
    assert shelf.version(ws, again.id).validation == set(held_out)
    assert len([sql for sql in asked if "splits" in sql]) == 1, "the same split is read once"
    (row,) = read("SELECT length(validation) AS length, (SELECT count(*) FROM splits) AS splits FROM versions LIMIT 1")
    assert row["length"] < 200
    assert row["splits"] == 1


def test_a_split_that_is_gone_is_told_and_lists_are_shown_all_the_same(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(1500)), "a.jsonl", validation=range(1000))
    with ws.write() as db:
        db.execute("DELETE FROM splits")
    held = shelf.version(Workspace.open(ws.home), made.id)
    assert held.training == 500
    with pytest.raises(WorkspaceError, match="no longer in"):
        list(held.validation)


def test_a_split_that_an_earlier_etude_wrote_is_read(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(1000)), "a.jsonl")
    with ws.write() as db:
        db.execute("UPDATE versions SET validation = ?", (json.dumps(list(range(0, 1000, 7))),))
    assert shelf.version(ws, made.id).validation == Places.of(range(0, 1000, 7))


def test_examples_read_elsewhere_begin_a_dataset(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(lines_of(many(30)))
    told: list[int] = []
    conversion = {"dialect": "Alpaca"}
    made = shelf.begin(
        ws, path, "Cases.xlsx", source=b"sheet", unread=2, conversion=conversion, validation=[1], told=told.append
    )
    assert (made.dataset_name, made.examples, made.method, list(made.validation)) == ("Cases", 30, "supervised", [1])
    assert (made.changes["unread"], made.changes["conversion"]) == (2, conversion)
    assert ws.kept(made.changes["source"]).read_bytes() == b"sheet"
    assert ws.kept(made.sha256).read_bytes() == path.read_bytes()
    assert told == [path.stat().st_size]
    assert shelf.version(ws, made.id) == made
    with pytest.raises(DataError, match="no example in empty"):
        shelf.begin(ws, [], "empty")
    assert len(shelf.datasets(ws)) == 1


def test_bringing_in_can_be_stopped_and_leaves_nothing(ws: Workspace) -> None:
    def stop(length: int) -> None:
        raise ArrivalStopped("Stopped.", "Nothing was kept.")

    with pytest.raises(ArrivalStopped):
        shelf.bring_in(ws, lines_of(many(10)), "a.jsonl", told=stop)
    assert shelf.datasets(ws) == ()
    assert list((ws.home / "files").iterdir()) == []


def test_going_back_makes_a_new_version_and_loses_none(ws: Workspace) -> None:
    first = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[3, 5])
    drafts.change(ws, first.id, 2, chat("Reworded", "entirely."), 0)
    drafts.remove(ws, first.id, 5, 0)
    second = drafts.save_version(ws, first.id, "Second")
    back = shelf.restore(ws, first.id)
    assert (back.number, back.name, back.parent_id) == (3, "Back to version 1", second.id)
    assert (back.sha256, back.validation, back.examples) == (first.sha256, first.validation, 12)
    assert back.changes == {"added": 1, "removed": 0, "changed": 1}
    assert shelf.versions(ws, first.dataset_id) == (back, second, first)
    assert shelf.restore(ws, back.id) == back, "the newest is there already"
    assert len(shelf.versions(ws, first.dataset_id)) == 3


def test_going_back_to_another_split_changes_no_example(ws: Workspace) -> None:
    first = shelf.bring_in(ws, lines_of(many(30)), "a.jsonl", validation=[1])
    drafts.save_version(ws, first.id, "Split", validation=range(10))
    back = shelf.restore(ws, first.id)
    assert back.changes == {"added": 0, "removed": 0, "changed": 0}
    assert list(back.validation) == [1]
