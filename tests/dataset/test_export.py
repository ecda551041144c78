from __future__ import annotations

import json

import pytest

from lib.dataset import drafts, export, shelf
from lib.errors import DataError
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
