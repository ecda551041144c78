"""Versions: what each changed and costs, the way back, and what differs between two; no version is ever lost."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.shelf import Version
from lib.ui import data_compare, data_versions
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many
from tests.pages.conftest import words
from tests.pages.data_views import checked, click, opened, press


@pytest.fixture
def first(workspace: Workspace) -> Version:
    return shelf.bring_in(workspace, lines_of(many(20)), "cases.jsonl")


@pytest.fixture
def second(workspace: Workspace, first: Version) -> Version:
    """One example changed, one removed, three held out."""
    longer = chat("What is 4 and one?", "Five, as everybody knows.")
    drafts.change_all(workspace, first.id, [(4, longer, 0), (7, None, 0)])
    made = drafts.save_version(workspace, first.id, "Longer", validation=[0, 1, 2])
    workspace.set_setting("chosen_version", made.id)
    return made


def versions() -> AppTest:
    return opened("data_versions", "show(work)")


def test_each_version_has_its_numbers(second: Version) -> None:
    table = versions().dataframe[0].value
    assert table["Name"].tolist() == ["Longer", "As brought in"]
    assert table["Changed"].tolist() == ["1 removed, 1 changed", "brought in"]
    assert table["Held out"].tolist() == [3, 0]
    assert table["Tokens"].notna().all()
    assert table["Difference"].tolist()[0] == table["Tokens"].tolist()[0] - table["Tokens"].tolist()[1]


def test_large_versions_are_counted_when_asked_and_not_before(
    second: Version, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_versions, "AT_ONCE", 10)
    page = versions()
    assert page.dataframe[0].value["Tokens"].isna().tolist() == [False, True]
    click(page, "count_versions")
    assert page.dataframe[0].value["Tokens"].notna().all()
    assert "count_versions" not in [button.key for button in page.button]


def test_going_back_makes_a_version_and_loses_none(first: Version, second: Version, workspace: Workspace) -> None:
    workspace.set_setting("chosen_version", first.id)
    page = versions()
    assert "Version 1 is shown; the newest is 2" in words(page)
    click(page, "restore")
    every = shelf.versions(workspace, first.dataset_id)
    assert [one.number for one in every] == [3, 2, 1]
    assert (every[0].sha256, every[0].name) == (first.sha256, "Back to version 1")
    assert every[1].sha256 == second.sha256
    assert "restore" not in [button.key for button in page.button]


def test_two_versions_are_compared_message_by_message(second: Version) -> None:
    page = versions()
    assert "**1** removed · **1** changed" in words(page)
    assert "**3** moved to validation" in words(page)
    assert "Tokens an epoch:" in words(page)
    assert "everybody" in words(page)
    assert "What is 9 and one?" not in words(page)


def test_an_older_version_is_compared_with_the_newest(first: Version, second: Version, workspace: Workspace) -> None:
    workspace.set_setting("chosen_version", first.id)
    page = versions()
    assert page.selectbox(key=f"compare_from_{first.id}").value == first.id
    assert page.selectbox(key=f"compare_to_{first.id}").value == second.id
    assert "**1** removed · **1** changed" in words(page)


def test_large_versions_are_compared_when_somebody_says_with_which(
    second: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_compare, "AT_ONCE", 10)
    monkeypatch.setattr(data_compare, "compare", None)
    assert "Choose two versions" in words(versions())


def test_the_same_version_twice_is_told(first: Version, second: Version) -> None:
    page = versions()
    page.selectbox(key=f"compare_to_{second.id}").set_value(first.id)
    checked(page.run())
    assert "Both are the same version." in words(page)


def test_one_version_is_compared_with_nothing(first: Version) -> None:
    page = versions()
    assert "Compare" not in words(page)
    assert not page.selectbox


def test_a_dataset_gets_another_name(first: Version, workspace: Workspace) -> None:
    page = versions()
    page.text_input(key=f"new_name_{first.dataset_id}_{first.dataset_name}").set_value("  Better   cases ")
    press(page, "Rename it")
    assert shelf.datasets(workspace)[0].name == "Better cases"


def test_a_dataset_keeps_its_name_when_the_new_one_is_empty(first: Version, workspace: Workspace) -> None:
    page = versions()
    page.text_input(key=f"new_name_{first.dataset_id}_{first.dataset_name}").set_value("   ")
    press(page, "Rename it")
    assert shelf.datasets(workspace)[0].name == first.dataset_name
    assert "needs a name" in words(page).replace("\\", "")


def test_a_removed_dataset_is_off_the_shelf_and_not_deleted(first: Version, workspace: Workspace) -> None:
    page = press(versions(), "Remove it")
    assert not shelf.datasets(workspace)
    assert [one.id for one in shelf.datasets(workspace, removed=True)] == [first.dataset_id]
    assert page.session_state["removed_dataset"] == first.dataset_id
