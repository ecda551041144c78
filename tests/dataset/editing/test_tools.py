from __future__ import annotations

import copy

import pytest

from lib.dataset.editing import tools
from lib.dataset.editing.typed import Mistake, read_list, read_object, read_value
from lib.dataset.editing.where import Where
from lib.errors import DataError
from tests.dataset.conversations import call, chat, pair, tool

HERE = Where("messages", 1)


def calling(*calls: object) -> dict[str, object]:
    asked = chat()["messages"][0]
    return {"messages": [asked, {"role": "assistant", "content": None, "tool_calls": list(calls)}]}


def test_arguments_are_kept_as_they_were_typed() -> None:
    data = calling(call(), call("other", call_id="call_2"))
    before = copy.deepcopy(data)
    made = tools.set_tool_call(data, HERE, 1, arguments='{ "a":1.0 }')
    assert made == calling(call(), call("other", '{ "a":1.0 }', "call_2"))
    assert tools.set_tool_call(data, HERE, 0, name="find") == calling(call("find"), call("other", call_id="call_2"))
    assert data == before


@pytest.mark.parametrize(
    ("typed", "line", "column"),
    [
        ("", 1, 1),
        ('{"a": }', 1, 7),
        ('{"a": 1', 1, 8),
        ('{\n  "a": 1,\n  "ü": tru\n}', 3, 8),
        ("{'a': 1}", 1, 2),
        ("[1]", 1, 1),
        ('\n\n  "text"', 3, 3),
        ("NaN", 1, 1),
    ],
)
def test_the_first_mistake_is_told_as_it_is_typed(typed: str, line: int, column: int) -> None:
    mistake = read_object(typed)
    assert isinstance(mistake, Mistake)
    assert (mistake.line, mistake.column) == (line, column)
    with pytest.raises(DataError, match=f"Line {line}, column {column} cannot be read"):
        tools.set_tool_call(calling(call()), HERE, 0, arguments=typed)
    with pytest.raises(DataError, match="cannot be read"):
        tools.add_tool_call(calling(), HERE, "find", typed)


def test_what_can_be_read_is_no_mistake() -> None:
    assert read_object(' {"a": [1]} ') == {"a": [1]}
    assert read_list("[1]") == [1]
    assert isinstance(read_list('{"a": 1}'), Mistake)
    assert read_value("4") == 4
    with pytest.raises(DataError, match="Line 1, column 1"):
        read_value("four")


def test_an_added_call_has_an_id_of_its_own_and_the_last_one_leaves_no_list() -> None:
    data = calling(call())
    made = tools.add_tool_call(tools.add_tool_call(data, HERE, "find"), HERE, "find")
    calls = made["messages"][1]["tool_calls"]
    assert [one["function"] for one in calls[1:]] == [{"name": "find", "arguments": "{}"}] * 2
    assert len({one["id"] for one in calls}) == 3
    assert tools.delete_tool_call(made, HERE, 0)["messages"][1]["tool_calls"] == calls[1:]
    assert tools.delete_tool_call(data, HERE, 0)["messages"][1] == {"role": "assistant", "content": ""}


@pytest.mark.parametrize("index", [-1, 1])
def test_a_call_that_is_not_there_is_told(index: int) -> None:
    with pytest.raises(DataError, match="it has 1 call"):
        tools.set_tool_call(calling(call()), HERE, index, name="a")
    with pytest.raises(DataError, match="it has no calls"):
        tools.delete_tool_call(chat(), HERE, 0)


def test_a_call_that_is_none_becomes_one() -> None:
    made = tools.set_tool_call(calling("nonsense"), HERE, 0, name="find", arguments="{}")
    assert made["messages"][1]["tool_calls"] == [{"function": {"name": "find", "arguments": "{}"}}]


def test_tools_are_declared_where_the_format_wants_them() -> None:
    typed = '[{"type": "function"}]'
    assert tools.set_tools(chat(), typed) == {**chat(), "tools": [{"type": "function"}]}
    assert tools.set_tools(pair(), typed)["input"]["tools"] == [{"type": "function"}]
    assert "tools" not in tools.set_tools(pair(), typed)
    assert tools.set_tools({**chat(), "tools": [tool()]}, " ") == chat()
    with pytest.raises(DataError, match="no list"):
        tools.set_tools(chat(), "{}")
