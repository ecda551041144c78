"""Changes of the whole data set: seen before they are made, made as one step, and only where they were meant."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts
from lib.dataset.shelf import Version
from lib.ui import data_whole
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, many
from tests.pages.conftest import words
from tests.pages.data_room import bring_in, button, choose, click, data_at, last_step, press, room, seen

FIND, SYSTEM = "Find and replace", "Set the system prompt"


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Three that speak of a parcel, and nine that do not."""
    parcels = [chat(f"Where is parcel {n}?", f"Parcel {n} is a parcel here.") for n in range(3)]
    return bring_in(workspace, [*parcels, *many(9)])


def replacing(find: str, put: str, page: AppTest | None = None) -> AppTest:
    page = choose(page or room(), "whole_menu", FIND)
    seen(page.text_input(key="replace_find").set_value(find).run())
    return seen(page.text_input(key="replace_with").set_value(put).run())


def offered(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def said(page: AppTest) -> str:
    return words(page).replace("\\", "")


def test_what_would_change_is_shown_and_nothing_is_changed(workspace: Workspace, version: Version) -> None:
    page = replacing("parcel", "package")
    assert "Found **9 ×** in **3 examples**" in words(page)
    assert ":red-background[parcel]" in words(page)
    assert ":green-background[package]" in words(page)
    assert not drafts.edits(workspace, version.id)


def test_it_is_made_as_one_step_that_can_be_undone(workspace: Workspace, version: Version) -> None:
    page = press(replacing("parcel", "package"), "replace_all")
    assert data_at(workspace, version, 1) == chat("Where is package 1?", "package 1 is a package here.")
    assert list(drafts.edits(workspace, version.id)) == [0, 1, 2]
    assert last_step(workspace, version) == "Replaced 9 × “parcel” by “package”"
    assert "Replaced in 3 examples" in words(page)
    assert "Found nowhere" in words(page)
    press(page, "undo")
    assert "Replaced in 3 examples" not in words(page)
    assert not drafts.edits(workspace, version.id)


def test_case_roles_and_the_filter_narrow_it(workspace: Workspace, version: Version) -> None:
    page = replacing("parcel", "package")
    seen(page.checkbox(key="replace_case").check().run())
    assert "Found **6 ×**" in words(page)
    seen(page.multiselect(key="replace_roles").set_value(["user"]).run())
    assert "Found **3 ×**" in words(page)
    seen(page.text_input(key="search").set_value("parcel 2").run())
    seen(page.segmented_control(key="replace_where").set_value(True).run())
    assert "Found **1 ×** in **1 example**" in words(page)
    press(page, "replace_all")
    assert list(drafts.edits(workspace, version.id)) == [2]
    assert data_at(workspace, version, 2) == chat("Where is package 2?", "Parcel 2 is a parcel here.")


def test_an_expression_uses_its_groups_and_a_wrong_one_is_told_where(workspace: Workspace, version: Version) -> None:
    page = replacing(r"parcel (\d+", r"no. \1")
    assert "Found nowhere" in words(page)
    seen(page.checkbox(key="replace_regex").check().run())
    assert "at character" in said(page)
    assert "replace_all" not in [one.key for one in page.button]
    seen(page.text_input(key="replace_find").set_value(r"parcel (\d+)").run())
    assert "Found **6 ×** in **3 examples**" in words(page)
    press(page, "replace_all")
    assert data_at(workspace, version, 0) == chat("Where is no. 0?", "no. 0 is a parcel here.")


def test_many_examples_are_looked_through_when_asked_for(
    workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_whole, "AT_ONCE", 5)
    page = replacing("parcel", "package")
    assert "Found" not in words(page)
    click(page, "Look through 12 examples")
    assert "Found **9 ×**" in words(page)
    seen(page.run())
    assert "Found **9 ×**" in words(page)
    seen(page.text_input(key="replace_with").set_value("box").run())
    assert "Found **9 ×**" not in words(page)


def test_an_edit_that_comes_in_between_stops_all_of_it(
    workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = replacing("parcel", "package")
    change_all = drafts.change_all

    def late(ws: Workspace, version_id: str, edits: Any, *, label: str | None = None) -> int:
        made = list(edits)
        drafts.change(ws, version_id, 1, chat("Where?", "Here."), 0)
        return change_all(ws, version_id, made, label=label)

    monkeypatch.setattr(drafts, "change_all", late)
    press(page, "replace_all")
    assert "changed in another window" in said(page)
    assert list(drafts.edits(workspace, version.id)) == [1]
    assert data_at(workspace, version, 1) == chat("Where?", "Here.")


def test_closing_goes_back_to_the_examples(workspace: Workspace, version: Version) -> None:
    page = press(replacing("parcel", "package"), "close_whole")
    assert "replace_find" not in [one.key for one in page.text_input]
    assert "Where is parcel 0?" in words(page)
    assert not drafts.edits(workspace, version.id)


def test_a_system_prompt_goes_where_there_is_none(workspace: Workspace) -> None:
    version = bring_in(workspace, [chat(system="Old."), *many(11)])
    page = choose(room(), "whole_menu", SYSTEM)
    seen(page.text_area(key="typed_system_prompt").set_value("Be kind.").run())
    assert "Add it to 11 examples" in offered(page)
    assert not drafts.edits(workspace, version.id)
    press(page, "set_system")
    assert data_at(workspace, version, 0) == chat(system="Old.")
    data = data_at(workspace, version, 11)
    assert data is not None
    assert data["messages"][0] == {"role": "system", "content": "Be kind."}
    assert last_step(workspace, version) == "Added a system prompt everywhere"
    assert "No example would change" in words(page)


def test_a_system_prompt_in_use_takes_the_place_of_the_others(workspace: Workspace) -> None:
    version = bring_in(workspace, [chat(system="Be kind!"), *(chat(f"{n}?", system="Be kind.") for n in range(11))])
    page = choose(room(), "whole_menu", SYSTEM)
    seen(page.selectbox(key="system_in_use").set_value("Be kind.").run())
    assert page.text_area(key="typed_system_prompt").value == "Be kind."
    assert "No example would change" in words(page)
    seen(page.segmented_control(key="system_mode").set_value("replace").run())
    assert "Replace it in 1 example" in offered(page)
    press(page, "set_system")
    assert list(drafts.edits(workspace, version.id)) == [0]
    assert data_at(workspace, version, 0) == chat(system="Be kind.")


def test_a_blank_system_prompt_changes_nothing(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "whole_menu", SYSTEM)
    seen(page.text_area(key="typed_system_prompt").set_value("  \n ").run())
    assert "set_system" not in [one.key for one in page.button]
    assert button(page, "Close")
    assert not drafts.edits(workspace, version.id)
