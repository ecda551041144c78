"""Export: the files hold what they say, byte for byte what Train sends, and nothing is made before it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, export, shelf
from lib.dataset.shelf import Version
from lib.ui import data_export
from lib.ui.data_export import file_name, made
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many
from tests.pages.conftest import words
from tests.pages.data_views import checked, opened


@pytest.fixture
def version(workspace: Workspace) -> Version:
    return shelf.bring_in(workspace, lines_of(many(20)), "cases.jsonl", validation=[3, 5])


def offered() -> AppTest:
    return opened("data_export", "offer(work)")


def buttons(page: AppTest) -> list[str]:
    return [button.proto.label for button in page.get("download_button")]


def test_training_and_validation_are_the_bytes_that_train_sends(workspace: Workspace, version: Version) -> None:
    training, validation = (
        made(workspace, version, "jsonl", "training"),
        made(workspace, version, "jsonl", "validation"),
    )
    assert training == export.training_bytes(workspace, version).read_bytes()
    assert validation == export.validation_bytes(workspace, version).read_bytes()
    assert (training.count(b"\n"), validation.count(b"\n")) == (18, 2)
    assert made(workspace, version, "jsonl", "all") == lines_of(many(20))


def test_a_version_without_a_split_is_its_own_file(workspace: Workspace) -> None:
    source = lines_of(many(12))
    assert made(workspace, shelf.bring_in(workspace, source, "a.jsonl"), "jsonl", "all") == source


def test_tables_are_tables(workspace: Workspace, version: Version) -> None:
    assert made(workspace, version, "parquet", "all")[:4] == b"PAR1"
    assert b'"question"' in made(workspace, version, "csv", "all").splitlines()[0]


def test_edits_come_along_only_when_they_are_asked_for(workspace: Workspace, version: Version) -> None:
    drafts.change_all(workspace, version.id, [(0, chat("New?", "Yes."), 0), (3, None, 0)])
    drafts.add(workspace, version.id, chat("Added?", "Yes."))
    assert made(workspace, version, "jsonl", "all") == lines_of(many(20))
    edited = made(workspace, version, "jsonl", "all", edited=True)
    assert edited == lines_of([chat("New?", "Yes."), *many(20)[1:3], *many(20)[4:], chat("Added?", "Yes.")])
    assert made(workspace, version, "jsonl", "validation", edited=True) == lines_of([many(20)[5]])


def test_nothing_is_made_by_looking(workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(data_export, "made", lambda *said, **_: asked.append(said))
    page = offered()
    assert buttons(page) == ["Training: 18 examples", "Validation: 2 examples", "All: 20 examples"]
    page.segmented_control(key="export_form").set_value("parquet")
    checked(page.run())
    assert not asked
    assert "With the edits" not in words(page)


def test_edits_are_offered_when_there_are_some(workspace: Workspace, version: Version) -> None:
    drafts.change_all(workspace, version.id, [(0, None, 0)])
    page = offered()
    page.segmented_control(key="export_of").set_value("With the edits")
    checked(page.run())
    assert buttons(page) == ["Training: 17 examples", "Validation: 2 examples", "All: 19 examples"]


@pytest.mark.parametrize(("name", "called"), [("../../etc/x", "_.._etc_x"), ("...", "dataset"), ("a" * 99, "a" * 60)])
def test_a_file_has_a_harmless_name(name: str, called: str, workspace: Workspace, version: Version) -> None:
    shelf.rename(workspace, version.dataset_id, name)
    named = shelf.version(workspace, version.id)
    assert file_name(named, "training", "csv") == f"{called} v1 training.csv"
