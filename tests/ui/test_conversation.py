"""An example on the screen: every text word for word, nothing of it read as markdown, no image loaded."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest


def shown(data: dict[str, Any]) -> AppTest:
    def script(data: dict) -> None:  # type: ignore[type-arg]
        from lib.dataset.example import Example
        from lib.ui import conversation

        conversation.show(Example(data))

    page = AppTest.from_function(script, args=(data,), default_timeout=20).run()
    assert not page.exception
    return page


def test_texts_stay_as_they_are() -> None:
    hostile = "![x](http://evil.example/x.png) <b>bold</b> :red[loud]\n\n# title"
    page = shown({"messages": [{"role": "user", "content": hostile}, {"role": "assistant", "content": "Yes"}]})
    assert [text.value for text in page.text] == [hostile, "Yes"]
    assert not [line for line in page.markdown if "evil" in line.value]


def test_images_are_named_and_never_loaded() -> None:
    part = {"type": "image_url", "image_url": {"url": "http://evil.example/x.png"}}
    page = shown({"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]})
    assert [text.value for text in page.text] == ["What is it?", "Image, not loaded: http://evil.example/x.png"]
    assert not page.get("imgs")


def test_tool_calls_and_what_stands_beside_the_messages_are_code() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "fly", "arguments": '{"height": 3}'}}
    page = shown({"messages": [{"role": "assistant", "tool_calls": [call]}], "tools": [{"type": "function"}]})
    assert page.code[0].value == 'fly({"height": 3})'
    assert '"tools"' in page.code[1].value
    assert not page.error


def test_a_role_that_no_service_knows_stands_out_and_a_hostile_one_stays_text() -> None:
    page = shown({"messages": [{"role": "![x](y)", "content": "a"}, {"content": "b"}]})
    roles = [line.value for line in page.markdown]
    assert all(":orange[" in line for line in roles)
    assert "![" not in roles[0]
    assert "no role" in roles[1]


def test_a_preference_pair_shows_both_answers() -> None:
    page = shown(
        {
            "input": {"messages": [{"role": "user", "content": "Which?"}]},
            "preferred_output": [{"role": "assistant", "content": "This"}],
            "non_preferred_output": [{"role": "assistant", "content": "That"}],
        }
    )
    assert [text.value for text in page.text] == ["Which?", "This", "That"]


def test_a_very_long_text_is_cut_on_the_screen_and_says_so() -> None:
    page = shown({"messages": [{"role": "user", "content": "a" * 1_000_000}]})
    assert len(page.text[0].value) == 12_000
    assert "1,000,000" in page.caption[0].value


def test_odd_shapes_are_shown_rather_than_refused() -> None:
    shown({"messages": [{"role": "user", "content": 7}, {"role": "user", "content": {"a": 1}}, "no object"]})
    shown({"messages": "no list"})
    shown({"input": "no object", "preferred_output": [{"role": "assistant", "content": "x"}]})
    shown({})
