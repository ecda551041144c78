"""Two forms of an example beside each other: what differs is marked, what is the same is not, and nothing is read."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from lib.dataset.word_difference import Piece, marked
from lib.ui.compared import as_markdown
from tests.dataset.conversations import call, chat


def compared(before: dict[str, Any] | None, after: dict[str, Any] | None) -> AppTest:
    def script(before: dict, after: dict) -> None:  # type: ignore[type-arg]
        from lib.dataset.example import Example
        from lib.ui import compared

        compared.show(Example(before) if before else None, Example(after) if after else None)

    page = AppTest.from_function(script, args=(before, after), default_timeout=20).run()
    assert not page.exception
    return page


def side(text: str, other: str) -> str:
    return as_markdown(marked(text, other)[0], "red")


def test_words_that_changed_are_marked_together() -> None:
    assert side("It is big and old", "It is so small") == "It is :red-background[big and old]"


def test_lines_and_blanks_stay_as_they_are() -> None:
    assert as_markdown([Piece("a\n  b\n\nc", False)], "red") == "a  \n\u00a0\u00a0b  \n\u00a0  \nc"
    assert side("a\nb", "a b") == "a:red-background[↵]  \nb"
    assert side("a  b", "a b") == "a:red-background[\u00a0\u00a0]b"


def test_nothing_in_a_text_becomes_markdown() -> None:
    hostile = "# title\n![x](http://evil.example/x) <b> :red[a] $x$\n    code\n- list"
    shown = side(hostile, "")
    for read in ("![", "<b>", "[a]", "$x$", "\n#", "\n- ", "\n    "):
        assert read not in shown


def test_only_messages_that_differ_are_shown() -> None:
    page = compared(chat("Same?", "Old."), chat("Same?", "New."))
    assert [line.value for line in page.markdown] == [":red-background[Old]\\.", ":green-background[New]\\."]
    assert "Message 2, assistant · **Before**" in page.caption[0].value


def test_calls_weights_and_other_keys_are_compared() -> None:
    before = {"messages": [{"role": "assistant", "tool_calls": [call(arguments='{"a": 1}')]}], "tools": []}
    after = {"messages": [{"role": "assistant", "tool_calls": [call(arguments='{"a": 2}')], "weight": 0}]}
    shown = "\n".join(line.value for line in compared(before, after).markdown)
    assert ":red-background[1]" in shown
    assert ":green-background[2]" in shown
    assert "weight: 0" in shown.replace("\\", "").replace(":green-background[", "").replace("]", "")
    assert any("tools" in line.value for line in compared(before, after).caption)


def test_a_message_that_came_and_an_example_that_went() -> None:
    page = compared({"messages": chat()["messages"][:1]}, chat())
    assert [line.value for line in page.caption][1] == "Not there"
    page = compared(chat(), None)
    assert "Removed" in [line.value for line in page.caption]
    assert "Four." in [text.value for text in page.text]


def test_equal_examples_say_so() -> None:
    assert [line.value for line in compared(chat(), chat()).caption] == ["Both say the same."]
