from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path

import pyarrow.parquet
import pytest

from lib.dataset import drafts, export, shelf
from lib.dataset.example import encode
from lib.errors import DataError, WorkspaceError
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many
from tests.dataset.shared import shared_file


def test_the_two_files_hold_every_line_once_with_its_bytes(ws: Workspace) -> None:
    content = lines_of(many(30)).replace(b": ", b" :  ")
    made = shelf.bring_in(ws, content, "a.jsonl", validation=[0, 7, 29])
    training = export.training_bytes(ws, made).read_bytes().splitlines(keepends=True)
    validation = export.validation_bytes(ws, made).read_bytes().splitlines(keepends=True)
    lines = content.splitlines(keepends=True)
    assert validation == [lines[0], lines[7], lines[29]]
    assert training == [line for n, line in enumerate(lines) if n not in (0, 7, 29)]


def test_without_a_split_all_is_trained_on_and_nothing_validated(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl")
    assert export.training_bytes(ws, made).read_bytes() == lines_of(many(12))
    with pytest.raises(DataError, match="holds no examples out"):
        export.validation_bytes(ws, made)


def test_the_same_version_gives_the_same_file(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[1])
    assert export.training_bytes(ws, made) == export.training_bytes(ws, made)


def test_azures_mark_stands_once_in_front(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[0])
    content = export.training_bytes(ws, made, bom=True).read_bytes()
    assert content == b"\xef\xbb\xbf" + lines_of(many(12)[1:])
    assert export.training_bytes(ws, made).read_bytes() == lines_of(many(12)[1:])


def test_edits_that_are_no_version_are_not_uploaded(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl")
    drafts.change(ws, made.id, 0, chat("draft", "only"), 0)
    assert b"draft" not in export.training_bytes(ws, made).read_bytes()


@pytest.mark.parametrize("name", ["toy_chat", "birds208", "nebius800", "drone_tools"])
def test_a_real_file_comes_out_as_it_went_in(ws: Workspace, name: str) -> None:
    path = shared_file(f"{name}.jsonl")
    made = shelf.bring_in(ws, path, path.name)
    content = export.training_bytes(ws, made).read_bytes()
    assert content.rstrip(b"\n") == path.read_bytes().rstrip(b"\n")
    assert all(json.loads(line) for line in content.splitlines())


@pytest.mark.parametrize("form", export.FORMS)
@pytest.mark.parametrize(
    ("part", "lines"), [("all", range(1, 13)), ("training", [*range(3, 13)]), ("validation", [1, 2])]
)
def test_each_form_holds_the_part_and_names_its_lines(
    ws: Workspace, form: export.Form, part: export.Part, lines: list[int]
) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[0, 1])
    with export.written(ws, export.examples_of(ws, made), form, part) as path:
        if form == "jsonl":
            assert path.read_bytes() == lines_of([many(12)[line - 1] for line in lines])
        elif form == "csv":
            rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
            assert [int(row["line"]) for row in rows] == list(lines)
        else:
            assert pyarrow.parquet.read_table(path)["line"].to_pylist() == list(lines)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.suffix == f".{form}"
    assert list((ws.home / "exports").iterdir()) == []


def test_what_is_exported_is_byte_for_byte_what_train_sends(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(30)).replace(b": ", b" :  "), "a.jsonl", validation=[0, 7, 29])
    with export.written(ws, export.examples_of(ws, made), "jsonl", "training") as path:
        assert path.read_bytes() == export.training_bytes(ws, made).read_bytes()
    with export.written(ws, export.examples_of(ws, made), "jsonl", "validation") as path:
        assert path.read_bytes() == export.validation_bytes(ws, made).read_bytes()


def test_the_edited_state_is_exported_as_it_is_given(ws: Workspace) -> None:
    state = [(encode(chat("draft", "only")), True), (encode(chat()), False)]
    with export.written(ws, iter(state), "jsonl", "validation") as path:
        assert path.read_bytes() == lines_of([chat("draft", "only")])


def test_nothing_to_export_is_told_and_leaves_nothing(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl")
    with (
        pytest.raises(DataError, match="no validation example"),
        export.written(ws, export.examples_of(ws, made), "csv", "validation"),
    ):
        raise AssertionError("the block must not run")
    assert list((ws.home / "exports").iterdir()) == []


@pytest.mark.parametrize("form", export.FORMS)
def test_an_export_can_be_stopped_and_leaves_nothing(ws: Workspace, form: export.Form) -> None:
    made = shelf.bring_in(ws, lines_of(many(2500)), "a.jsonl")
    told: list[int] = []

    def stop(done: int) -> None:
        told.append(done)
        if done >= 2000:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        export.written(ws, export.examples_of(ws, made), form, told=stop),
    ):
        raise AssertionError("the block must not run")
    assert told == [1000, 2000]
    assert list((ws.home / "exports").iterdir()) == []


def test_what_a_killed_process_left_is_taken_away_and_what_is_being_written_is_not(ws: Workspace) -> None:
    with export.written(ws, [(encode(chat()), False)], "jsonl") as busy:
        left = busy.with_name("left.csv")
        left.touch()
        os.utime(left, (0, 0))
        with export.written(ws, [(encode(chat()), False)], "jsonl"):
            assert busy.exists()
            assert not left.exists()


def test_a_disk_that_cannot_be_written_is_told(ws: Workspace) -> None:
    (ws.home / "exports").write_text("in the way")
    with pytest.raises(WorkspaceError, match="could not be written"), export.written(ws, [], "jsonl"):
        raise AssertionError("the block must not run")
    assert Path(ws.home / "exports").read_text() == "in the way"
