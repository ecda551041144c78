from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.dataset import shelf
from lib.errors import DataError, UnreadableFile, WorkspaceError
from lib.workspace.database import Workspace
from tests.dataset.conversations import lines_of, many, pair


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


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\x.jsonl", "x"),
        (".jsonl", ".jsonl"),
        ("", "Untitled"),
        ("a.b.json", "a.b"),
    ],
)
def test_a_file_name_is_only_ever_a_title(ws: Workspace, name: str, title: str) -> None:
    assert shelf.bring_in(ws, lines_of(many(1)), name).dataset_name == title


def test_a_removed_dataset_comes_back_whole(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(3)), "a.jsonl")
    shelf.remove(ws, made.dataset_id)
    assert shelf.datasets(ws) == ()
    assert shelf.version(ws, made.id).examples == 3, "runs that used it still find it"
    shelf.put_back(ws, made.dataset_id)
    assert [dataset.id for dataset in shelf.datasets(ws)] == [made.dataset_id]


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
