from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from lib.dataset.editing import messages
from lib.dataset.editing.where import Where
from lib.errors import DataError
from tests.dataset.conversations import call, chat, pair

Data = dict[str, Any]
ASKED, ANSWERED = Where("messages", 0), Where("messages", 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: messages.set_text(data, ASKED, "Other?"),
        lambda data: messages.set_role(data, ASKED, "system"),
        lambda data: messages.set_name(data, ASKED, "ann"),
        lambda data: messages.set_weight(data, ANSWERED, 0),
        lambda data: messages.move_message(data, ASKED, "down"),
        lambda data: messages.add_message(data, ASKED, "system", "Be brief."),
        lambda data: messages.duplicate_message(data, ASKED),
        lambda data: messages.delete_message(data, ASKED),
    ],
)
@pytest.mark.parametrize("data", [chat(), {"input": {"messages": chat()["messages"]}, "preferred_output": []}])
def test_what_was_given_stays_as_it_was(change: Callable[[Data], Data], data: Data) -> None:
    before = copy.deepcopy(data)
    made = change(data)
    assert data == before
    assert made is not data
    assert made != before


def test_a_text_is_changed_where_it_stands() -> None:
    assert messages.set_text(chat("A?", "B."), ANSWERED, "C.") == chat("A?", "C.")


def test_each_side_of_a_pair_is_changed_by_itself() -> None:
    data = pair("A?", "good", "bad")
    assert messages.set_text(data, Where("messages", 0), "B?") == pair("B?", "good", "bad")
    assert messages.set_text(data, Where("preferred", 0), "better") == pair("A?", "better", "bad")
    assert messages.set_text(data, Where("non_preferred", 0), "worse") == pair("A?", "good", "worse")


def test_a_pair_with_the_names_of_the_specification_keeps_them() -> None:
    data = {"input": {"messages": []}, "preferred_completion": [{"role": "assistant", "content": "a"}]}
    made = messages.set_text(data, Where("preferred", 0), "b")
    assert made == {"input": {"messages": []}, "preferred_completion": [{"role": "assistant", "content": "b"}]}


def test_a_missing_side_of_a_pair_is_begun() -> None:
    made = messages.add_message({"input": {}}, Where("preferred", 0), "assistant", "a")
    assert made == {"input": {}, "preferred_output": [{"role": "assistant", "content": "a"}]}
    made = messages.add_message({"input": {"tools": []}}, ASKED, "user", "a")
    assert made == {"input": {"tools": [], "messages": [{"role": "user", "content": "a"}]}}


def test_fields_beside_the_messages_stay() -> None:
    data = {**chat(), "reference_answer": 4, "tools": []}
    assert messages.delete_message(data, ANSWERED) == {**data, "messages": data["messages"][:1]}


def test_one_part_of_a_content_is_changed_and_the_others_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    data = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, image, "plain"]}]}
    made = messages.set_text(data, ASKED, "b", part=0)
    assert made["messages"][0]["content"] == [{"type": "text", "text": "b"}, image, "plain"]
    assert messages.set_text(data, ASKED, "b", part=2)["messages"][0]["content"][2] == "b"
    for part, said in ((None, "has 3 parts"), (1, "holds no text"), (3, "no part 4"), (-1, "no part 0")):
        with pytest.raises(DataError, match=said):
            messages.set_text(data, ASKED, "b", part=part)


def test_a_message_that_calls_tools_has_no_content_rather_than_an_empty_one() -> None:
    data = {"messages": [{"role": "assistant", "content": "Wait.", "tool_calls": [call()]}]}
    assert messages.set_text(data, ASKED, "")["messages"][0]["content"] is None
    assert messages.set_text(chat(), ANSWERED, "")["messages"][1]["content"] == ""


def test_the_neighbours_change_places() -> None:
    first, second = chat()["messages"]
    assert messages.move_message(chat(), ASKED, "down")["messages"] == [second, first]
    assert messages.move_message(chat(), ANSWERED, "up")["messages"] == [second, first]
    with pytest.raises(DataError, match="is the first of the messages already"):
        messages.move_message(chat(), ASKED, "up")
    with pytest.raises(DataError, match="is the last"):
        messages.move_message(chat(), ANSWERED, "down")


def test_a_message_can_be_added_anywhere_and_at_the_end() -> None:
    new = {"role": "user", "content": "And?"}
    old = chat()["messages"]
    assert messages.add_message(chat(), ASKED, "user", "And?")["messages"] == [new, *old]
    assert messages.add_message(chat(), Where("messages", 2), "user", "And?")["messages"] == [*old, new]
    with pytest.raises(DataError, match="no message 4"):
        messages.add_message(chat(), Where("messages", 3), "user", "And?")


def test_a_copy_shares_nothing_with_its_first() -> None:
    data = {"messages": [{"role": "assistant", "content": None, "tool_calls": [call()]}]}
    one, two = messages.duplicate_message(data, ASKED)["messages"]
    assert one == two
    assert one["tool_calls"][0] is not two["tool_calls"][0]


def test_a_name_and_a_weight_can_be_taken_away() -> None:
    data = {"messages": [{"role": "assistant", "content": "a", "name": "ann", "weight": 0}]}
    assert "name" not in messages.set_name(data, ASKED, "")["messages"][0]
    assert "weight" not in messages.set_weight(data, ASKED, None)["messages"][0]
    assert messages.set_weight(data, ASKED, True)["messages"][0]["weight"] is not True, "JSON would say true"


@pytest.mark.parametrize("weight", [2, -1, 0.5])
def test_other_weights_are_refused(weight: Any) -> None:
    with pytest.raises(DataError, match="A weight is 0 or 1"):
        messages.set_weight(chat(), ANSWERED, weight)


def test_other_roles_are_refused() -> None:
    with pytest.raises(DataError, match="“bot” is no role"):
        messages.set_role(chat(), ASKED, "bot")
    with pytest.raises(DataError, match="no role"):
        messages.add_message(chat(), ASKED, "")


@pytest.mark.parametrize("index", [-1, 2, 99])
@pytest.mark.parametrize(
    "change",
    [
        lambda where: messages.set_text(chat(), where, "a"),
        lambda where: messages.move_message(chat(), where, "up"),
        lambda where: messages.duplicate_message(chat(), where),
        lambda where: messages.delete_message(chat(), where),
    ],
)
def test_a_place_that_is_not_there_is_told(change: Callable[[Where], Data], index: int) -> None:
    with pytest.raises(DataError, match="there are 2 messages"):
        change(Where("messages", index))


def test_what_is_no_message_can_be_deleted_and_nothing_else() -> None:
    data = {"messages": ["hello", *chat()["messages"]]}
    with pytest.raises(DataError, match="is no object"):
        messages.set_text(data, ASKED, "a")
    assert messages.delete_message(data, ASKED) == chat()
    with pytest.raises(DataError, match="is no list"):
        messages.delete_message({"messages": "hello"}, ASKED)
