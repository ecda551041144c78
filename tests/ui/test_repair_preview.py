"""What a repair changes is shown by message, in excerpts, and as text."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset.example import Example
from lib.dataset.mending import Repair
from lib.dataset.parse import Repeated
from tests.dataset.conversations import call, chat, pair


def shown(before: dict[str, Any], after: dict[str, Any] | None) -> list[str]:
    """What is told of a repair that makes `after` of `before`."""
    return told(Repair(0, Example(before), None if after is None else Example(after), 0))


def told(repair: Repair) -> list[str]:
    """The lines that are shown, without the marks of colours and escapes."""

    def script(repair):  # type: ignore[no-untyped-def]
        from lib.ui import repair_preview

        repair_preview.show(repair)

    page = AppTest.from_function(script, args=(repair,)).run()
    assert not page.exception
    lines = [str(one.value).replace("\u2060", "") for one in [*page.caption, *page.markdown]]
    return [one.replace("\\", "").removeprefix(":red[").removeprefix(":green[").removesuffix("]") for one in lines]


def test_a_text_is_told_by_what_changed_in_it() -> None:
    long = "a " * 200
    lines = shown(chat(f"{long}secret{long}"), chat(f"{long}masked{long}"))
    assert lines[0] == "Message 1"
    assert lines[1].startswith("− …a a ")
    assert "secret" in lines[1]
    assert "masked" in lines[2]
    assert len(lines[1]) < 120


def test_a_key_that_goes_is_told_alone() -> None:
    assert shown({**chat("x", "y"), "note": {"a": 1}}, chat("x", "y")) == ["Key “note”", '− {"a": 1}']


def test_a_key_that_stands_twice_is_told_with_both_values_although_reading_leaves_one() -> None:
    repair = Repair(0, Example(chat()), Example(chat()), 0, (Repeated("role", '"user"', '"tool"'),))
    assert told(repair) == ["Key “role”, which stands there twice", '− "user"', '+ "tool"']


def test_of_a_message_only_the_keys_that_differ_are_told() -> None:
    before = {"messages": [{"role": "user", "content": "x", "weight": 1, "name": "a"}]}
    assert shown(before, {"messages": [{"role": "user", "content": "x"}]}) == [
        "Message 1",
        '− {"weight": 1, "name": "a"}',
    ]
    assert shown(before, {"messages": [{**before["messages"][0], "role": "system"}]}) == [
        "Message 1",
        "− user",
        "+ system",
    ]


def test_an_example_that_goes_is_told_by_its_question_and_its_answer() -> None:
    assert shown(chat("Who?", "Me.", system="Be brief."), None) == ["− user: Who?", "− assistant: Me."]
    assert shown(pair("Which?", "This.", "That."), None) == ["− user: Which?", "− assistant: This."]
    assert shown({"odd": 1}, None) == ['− {"odd": 1}']


def test_many_changes_are_counted_and_not_all_told() -> None:
    before = {"messages": [{"role": "user", "content": f"{n} old"} for n in range(9)]}
    after = {"messages": [{"role": "user", "content": f"{n} new"} for n in range(9)]}
    lines = shown(before, after)
    assert "5 more changes in this example." in lines
    assert not [line for line in lines if "8 new" in line]


@pytest.mark.parametrize("text", ["![x](http://evil.example/x.png)", ":red[a] ] <script>", "`code` **bold** $x$"])
def test_hostile_text_stays_text(text: str) -> None:
    assert f"+ {text}" in shown(chat("x", "y"), chat(text, "y"))
    calls = {"messages": [{"role": "assistant", "tool_calls": [call("f", text)]}]}
    assert shown(calls, None)


def test_a_repair_knows_its_edit() -> None:
    assert Repair(3, Example(chat()), None, 7).edit == (3, None, 7)
    assert Repair(3, Example(chat("x")), Example(chat("y")), 7).edit == (3, chat("y"), 7)
