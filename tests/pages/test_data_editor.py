"""Editing where an example stands: saved at once, nothing else touched, nothing overwritten, nothing typed lost."""

from __future__ import annotations

from typing import Any

import pytest

from lib.dataset import drafts
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import call, chat, many, pair, tool
from tests.pages.conftest import words
from tests.pages.data_room import (
    bring_in,
    button,
    choose,
    click,
    data_at,
    last_step,
    press,
    room,
    seen,
    type_in,
)

CALLING = {
    "messages": [
        {"role": "user", "content": "How is it outside?"},
        {"role": "assistant", "tool_calls": [call("look_up", '{"what":"weather","at":1.50}')]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain"},
        {"role": "assistant", "content": "It rains."},
    ],
    "tools": [tool("look_up")],
}


@pytest.fixture
def version(workspace: Workspace) -> Version:
    return bring_in(workspace, many(12))


def untouched(ws: Workspace, version: Version, *but: int) -> bool:
    """Whether no example differs from the version but these."""
    return set(drafts.edits(ws, version.id)) <= set(but)


def test_an_edited_text_is_saved_and_named_and_alone(workspace: Workspace, version: Version) -> None:
    page = press(room(), "edit_0_messages_1")
    assert button(page, "Save").disabled
    type_in(page, "messages_1_text", "A better answer.")
    assert "Not saved yet" in words(page)
    assert not drafts.edits(workspace, version.id)
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][1] == {"role": "assistant", "content": "A better answer."}
    assert data["messages"][0] == many(1)[0]["messages"][0]
    assert untouched(workspace, version, 0)
    assert last_step(workspace, version) == "Edited message 2 of example 1"
    assert "edited and saved" in words(page)
    assert "tokens (+" in words(page)
    assert "A better answer." in words(room())


def test_cancel_saves_nothing_and_forgets_what_was_typed(workspace: Workspace, version: Version) -> None:
    page = press(room(), "edit_0_messages_1")
    click(type_in(page, "messages_1_text", "Never mind."), "Cancel")
    assert not drafts.edits(workspace, version.id)
    press(page, "edit_0_messages_1")
    assert "Never mind." not in [field.value for field in page.text_area]


def test_what_was_typed_waits_while_one_looks_elsewhere(workspace: Workspace, version: Version) -> None:
    page = press(room(), "edit_0_messages_1")
    type_in(page, "messages_1_text", "Half a thought")
    press(page, "next")
    assert "Typed and not saved" in words(page)
    assert not drafts.edits(workspace, version.id)
    press(page, "unsaved_0")
    assert "Half a thought" in [field.value for field in page.text_area]
    click(page, "Save")
    assert "Typed and not saved" not in words(page)
    assert "Half a thought" in str(data_at(workspace, version, 0))


def test_an_editor_in_which_nothing_was_typed_is_closed_by_leaving(version: Version) -> None:
    page = press(press(room(), "edit_0_messages_1"), "next")
    assert "Typed and not saved" not in words(page)
    assert not press(page, "previous").text_area


def test_role_name_and_weight_are_changed_together_as_one_step(workspace: Workspace, version: Version) -> None:
    page = press(room(), "edit_0_messages_1")
    seen(page.toggle(key="typed_0_messages_1_trained").set_value(False).run())
    type_in(page, "messages_1_name", "anna")
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][1] == {"role": "assistant", "content": "1.", "name": "anna", "weight": 0}
    assert drafts.history(workspace, version.id).steps == 1
    press(page, "edit_0_messages_0")
    seen(page.selectbox(key="typed_0_messages_0_role").set_value("developer").run())
    assert [one.key for one in page.toggle if one.key and "trained" in one.key] == []
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][0]["role"] == "developer"


def test_a_role_nobody_knows_can_be_kept_or_mended(workspace: Workspace) -> None:
    odd = {"messages": [{"role": "wizard", "content": "Hm"}, {"role": "assistant", "content": "Yes"}]}
    version = bring_in(workspace, [odd, *many(11)])
    page = press(room(), "edit_0_messages_0")
    click(type_in(page, "messages_0_text", "Hm?"), "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][0] == {"role": "wizard", "content": "Hm?"}
    press(page, "edit_0_messages_0")
    seen(page.selectbox(key="typed_0_messages_0_role").set_value("user").run())
    click(page, "Save")
    assert "wizard" not in words(page)


@pytest.mark.parametrize(
    ("option", "texts", "label"),
    [
        ("Move up", ["Four.", "What is two and two?"], "Moved up message 2 of example 1"),
        ("Duplicate", ["What is two and two?", "Four.", "Four."], "Duplicated message 2 of example 1"),
        ("Delete", ["What is two and two?"], "Deleted message 2 of example 1"),
    ],
)
def test_messages_are_moved_duplicated_and_deleted(
    option: str, texts: list[str], label: str, workspace: Workspace
) -> None:
    version = bring_in(workspace, [chat(), *many(11)])
    choose(room(), "do_0_messages_1", option)
    data = data_at(workspace, version, 0)
    assert data is not None
    assert [one["content"] for one in data["messages"]] == texts
    assert last_step(workspace, version) == label
    assert untouched(workspace, version, 0)


def test_the_first_cannot_go_up_and_the_last_not_down(version: Version) -> None:
    page = room()
    assert "Move up" not in page.menu_button(key="do_0_messages_0").options
    assert "Move down" not in page.menu_button(key="do_0_messages_1").options
    assert "Do not train on this" not in page.menu_button(key="do_0_messages_0").options


def test_an_answer_is_left_out_of_training_and_taken_in_again(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "do_0_messages_1", "Do not train on this")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][1]["weight"] == 0
    assert "not trained on" in words(page)
    choose(page, "do_0_messages_1", "Train on this")
    assert data_at(workspace, version, 0) == many(1)[0]
    assert untouched(workspace, version)


def test_a_message_is_added_only_once_it_is_written(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "do_0_messages_0", "Add a message below")
    assert not drafts.edits(workspace, version.id)
    assert button(page, "Save").disabled
    type_in(page, "messages_1_text", "Let me think.")
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert [one["content"] for one in data["messages"]] == ["What is 0 and one?", "Let me think.", "1."]
    assert last_step(workspace, version) == "Added message 2 of example 1"
    press(page, "add_0")
    type_in(page, "messages_3_text", "Thanks.")
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][3] == {"role": "user", "content": "Thanks."}


def test_arguments_are_checked_as_they_are_typed_and_kept_as_written(workspace: Workspace) -> None:
    version = bring_in(workspace, [CALLING, *many(11)])
    page = press(room(), "edit_0_messages_1")
    [shown] = [field for field in page.text_area if field.label == "Arguments"]
    assert shown.value == '{\n  "what": "weather",\n  "at": 1.50\n}'
    type_in(page, "call_0_arguments", '{\n  "what": "wind",\n  "at": }')
    assert "Line 3, column 9" in words(page).replace("\\", "")
    assert button(page, "Save").disabled
    assert not drafts.edits(workspace, version.id)
    type_in(page, "call_0_arguments", '{\n  "what": "wind",\n  "at": 1.50\n}')
    assert "column" not in words(page)
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    [made] = data["messages"][1]["tool_calls"]
    assert made == call("look_up", '{"what":"wind","at":1.50}')
    assert "content" not in data["messages"][1]
    assert data["messages"][2:] == CALLING["messages"][2:]


def test_another_change_does_not_touch_the_arguments(workspace: Workspace) -> None:
    version = bring_in(workspace, [CALLING, *many(11)])
    click(type_in(press(room(), "edit_0_messages_1"), "messages_1_text", "I look."), "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["messages"][1]["tool_calls"] == CALLING["messages"][1]["tool_calls"]


def test_calls_are_added_and_deleted(workspace: Workspace) -> None:
    version = bring_in(workspace, [CALLING, *many(11)])
    page = press(press(room(), "edit_0_messages_1"), "typed_0_messages_1_add_call")
    assert button(page, "Save").disabled
    type_in(page, "call_1_name", "look_up")
    type_in(page, "call_1_arguments", '{"what": "sun"}')
    press(page, "typed_0_messages_1_call_0_gone")
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    [made] = data["messages"][1]["tool_calls"]
    assert made["function"] == {"name": "look_up", "arguments": '{"what": "sun"}'}
    assert made["id"]


def test_json_that_is_none_cannot_be_saved(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "example_0", "Edit as JSON")
    assert button(page, "Save").disabled
    type_in(page, "json", '{"messages": }')
    assert "Line 1, column 14" in words(page).replace("\\", "")
    assert button(page, "Save").disabled
    type_in(page, "json", '{"messages": [{"role": "user", "content": "New?"}]}')
    click(page, "Save")
    assert data_at(workspace, version, 0) == {"messages": [{"role": "user", "content": "New?"}]}
    assert untouched(workspace, version, 0)


def test_tools_are_declared_changed_and_taken_away(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "example_0", "Edit the tools")
    type_in(page, "json", '{"no": "list"}')
    assert button(page, "Save").disabled
    type_in(page, "json", '[{"type": "function", "function": {"name": "fly"}}]')
    click(page, "Save")
    data = data_at(workspace, version, 0)
    assert data is not None
    assert data["tools"] == [{"type": "function", "function": {"name": "fly"}}]
    assert any("fly" in one.label for one in page.get("expander"))
    choose(page, "example_0", "Edit the tools")
    click(type_in(page, "json", ""), "Save")
    assert data_at(workspace, version, 0) == many(1)[0]


def test_the_fields_of_a_grader_are_edited_and_keep_to_themselves(workspace: Workspace) -> None:
    asked = {"messages": [{"role": "user", "content": "2 + 2?"}], "answer": "4"}
    version = bring_in(workspace, [{**asked, "answer": str(n)} for n in range(12)])
    page = choose(room(), "example_0", "Edit the grader's fields")
    type_in(page, "json", '{\n "answer": "4",\n "messages": []}')
    assert "Line 3, column 2" in words(page).replace("\\", "")
    assert button(page, "Save").disabled
    click(type_in(page, "json", '{"answer": "4", "points": 2}'), "Save")
    assert data_at(workspace, version, 0) == {**asked, "points": 2}


def test_both_answers_of_a_pair_are_edited_and_swapped(workspace: Workspace) -> None:
    version = bring_in(workspace, [pair(f"Question {n}?") for n in range(12)])
    page = press(room(), "edit_0_preferred_0")
    click(type_in(page, "preferred_0_text", "These."), "Save")
    assert data_at(workspace, version, 0) == pair("Question 0?", "These.", "That.")
    assert last_step(workspace, version) == "Edited message 1 of the preferred answer of example 1"
    choose(page, "example_0", "Swap the two answers")
    assert data_at(workspace, version, 0) == pair("Question 0?", "That.", "These.")
    assert untouched(workspace, version, 0)


def test_examples_are_duplicated_removed_and_brought_back(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "example_0", "Duplicate")
    assert "Example 13 of 13" in words(page)
    assert data_at(workspace, version, 12) == many(1)[0]
    choose(page, "example_12", "Remove")
    seen(page.number_input[0].set_value(2).run())
    choose(page, "example_1", "Remove")
    assert data_at(workspace, version, 1) is None
    assert "removed" in words(page)
    click(page, "Bring it back")
    assert data_at(workspace, version, 1) == many(2)[1]
    assert untouched(workspace, version, 12)


def test_an_example_is_put_back_as_it_was(workspace: Workspace, version: Version) -> None:
    page = room()
    assert "Put back as in the version" not in page.menu_button(key="example_0").options
    choose(page, "do_0_messages_1", "Delete")
    choose(page, "example_0", "Put back as in the version")
    assert data_at(workspace, version, 0) == many(1)[0]


def test_undo_and_redo_name_the_step_and_go_there(workspace: Workspace, version: Version) -> None:
    page = room()
    assert page.button(key="undo").disabled
    choose(page, "do_0_messages_1", "Delete")
    press(page, "next")
    assert page.button(key="undo").help.replace("\\", "") == "Undo: Deleted message 2 of example 1"
    press(page, "undo")
    assert data_at(workspace, version, 0) == many(1)[0]
    assert "Example 1 of 12" in words(page)
    assert page.button(key="undo").disabled
    press(page, "redo")
    assert len((data_at(workspace, version, 0) or {})["messages"]) == 1


def test_a_step_of_another_window_is_not_undone_by_surprise(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "do_0_messages_1", "Delete")
    drafts.change(workspace, version.id, 5, chat("Other?", "Window."), 0)
    press(page, "undo")
    assert "Another window" in words(page)
    assert data_at(workspace, version, 5) == chat("Other?", "Window.")
    assert len((data_at(workspace, version, 0) or {})["messages"]) == 1
    assert "example 6" in page.button(key="undo").help


def in_conflict(ws: Workspace, version: Version) -> Any:
    """A window that saved second: it typed, and the other one had saved meanwhile."""
    page = press(room(), "edit_0_messages_1")
    drafts.change(ws, version.id, 0, chat("What is 0 and one?", "Theirs."), 0)
    type_in(page, "messages_1_text", "Mine.")
    assert "changed in another window since you began" in words(page)
    click(page, "Save")
    assert "Nothing was overwritten" in words(page)
    assert "[Mine]" in words(page)
    assert "[Theirs]" in words(page)
    assert data_at(ws, version, 0) == chat("What is 0 and one?", "Theirs.")
    return page


@pytest.mark.parametrize(("choice", "kept"), [("Keep mine", "Mine."), ("Keep the other", "Theirs.")])
def test_two_that_edit_the_same_example_choose_what_stays(
    choice: str, kept: str, workspace: Workspace, version: Version
) -> None:
    page = click(in_conflict(workspace, version), choice)
    assert data_at(workspace, version, 0) == chat("What is 0 and one?", kept)
    assert "Nothing was overwritten" not in words(page)
    assert not page.text_area
    assert untouched(workspace, version, 0)


def test_mine_can_be_edited_further_on_what_the_other_saved(workspace: Workspace, version: Version) -> None:
    page = click(in_conflict(workspace, version), "Edit mine further")
    assert data_at(workspace, version, 0) == chat("What is 0 and one?", "Theirs.")
    click(type_in(page, "messages_1_text", "Both."), "Save")
    assert data_at(workspace, version, 0) == chat("What is 0 and one?", "Both.")


def test_a_third_that_saves_meanwhile_is_shown_as_well(workspace: Workspace, version: Version) -> None:
    page = in_conflict(workspace, version)
    [entry] = drafts.current(workspace, version.id, 0, 1)
    drafts.change(workspace, version.id, 0, chat("What is 0 and one?", "Third."), entry.revision)
    click(page, "Keep mine")
    assert data_at(workspace, version, 0) == chat("What is 0 and one?", "Third.")
    assert "[Third]" in words(page)
    click(page, "Keep mine")
    assert data_at(workspace, version, 0) == chat("What is 0 and one?", "Mine.")


def test_a_stale_window_removes_nothing_unseen(workspace: Workspace, version: Version) -> None:
    page = room()
    drafts.change(workspace, version.id, 0, chat("Other?", "Theirs."), 0)
    choose(page, "example_0", "Remove")
    assert data_at(workspace, version, 0) == chat("Other?", "Theirs.")
    assert "Nothing was overwritten" in words(page)
    click(page, "Keep mine")
    assert data_at(workspace, version, 0) is None


def test_hostile_texts_stay_text_where_they_are_compared(workspace: Workspace, version: Version) -> None:
    page = press(room(), "edit_0_messages_1")
    hostile = "![x](http://evil.example/x.png) <b>bold</b> :red[loud] $a$\n# title"
    drafts.change(workspace, version.id, 0, chat("What is 0 and one?", hostile), 0)
    click(type_in(page, "messages_1_text", "Mine."), "Save")
    for said in page.markdown:
        assert "![" not in said.value
        assert "<b>" not in said.value
        assert "\n# " not in said.value


def test_a_new_example_is_written_turn_by_turn(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "example_0", "Write a new example")
    assert button(page, "Add the example").disabled
    type_in(page, "new_system", "Be short.")
    type_in(page, "new_user_0", "Two and two?")
    type_in(page, "new_assistant_0", "Four.")
    click(page, "Add a turn")
    assert button(page, "Add the example").disabled
    type_in(page, "new_user_1", "Sure?")
    type_in(page, "new_assistant_1", "Yes.")
    assert not drafts.edits(workspace, version.id)
    click(page, "Add the example")
    roles = ("system", "user", "assistant", "user", "assistant")
    texts = ("Be short.", "Two and two?", "Four.", "Sure?", "Yes.")
    expected = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
    assert data_at(workspace, version, 12) == {"messages": expected}
    assert "Example 13 of 13" in words(page)
    assert last_step(workspace, version) == "Wrote a new example"
    assert untouched(workspace, version, 12)


def test_a_new_pair_is_written_with_both_answers(workspace: Workspace) -> None:
    version = bring_in(workspace, [pair(f"Question {n}?") for n in range(12)])
    page = choose(room(), "example_0", "Write a new example")
    type_in(page, "new_user_0", "Tea or coffee?")
    type_in(page, "new_preferred", "Tea.")
    assert button(page, "Add the example").disabled
    type_in(page, "new_other", "Coffee.")
    click(page, "Add the example")
    data = data_at(workspace, version, 12)
    assert data is not None
    assert data["preferred_output"] == [{"role": "assistant", "content": "Tea."}]
    assert data["non_preferred_output"] == [{"role": "assistant", "content": "Coffee."}]


def test_a_new_example_that_is_cancelled_is_nowhere(workspace: Workspace, version: Version) -> None:
    page = choose(room(), "example_0", "Write a new example")
    click(type_in(page, "new_user_0", "Never mind"), "Cancel")
    assert not drafts.edits(workspace, version.id)
    choose(page, "example_0", "Write a new example")
    assert "Never mind" not in [field.value for field in page.text_area]
