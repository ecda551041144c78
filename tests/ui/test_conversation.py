"""An example on the screen: every text word for word, nothing of it read as markdown, no image loaded."""

from __future__ import annotations

import base64
import io
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
    assert not page.get("image")


def test_tool_calls_and_what_stands_beside_the_messages_are_code() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "fly", "arguments": '{"height": 3}'}}
    page = shown({"messages": [{"role": "assistant", "tool_calls": [call]}], "tools": [{"type": "function"}]})
    assert page.code[0].value == '{\n  "height": 3\n}'
    assert "fly" in page.markdown[1].value
    assert '"function"' in page.code[1].value
    assert [one.label for one in page.get("expander")] == ["Tools: 1 declared"]
    assert not page.error


def test_arguments_that_are_no_json_are_shown_as_they_are_and_said() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "fly", "arguments": '{"height": }'}}
    page = shown({"messages": [{"role": "assistant", "tool_calls": [call]}]})
    assert page.code[0].value == '{"height": }'
    assert "Line 1, column 12" in page.caption[0].value


def test_the_answer_of_a_tool_names_the_call_that_it_answers() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "fly", "arguments": "{}"}}
    page = shown(
        {
            "messages": [
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "Up"},
                {"role": "tool", "tool_call_id": "c2", "content": "?"},
            ]
        }
    )
    assert [note.value.replace("\\", "") for note in page.caption] == [
        "answers fly (c1)",
        "answers c2, which no call before it has",
    ]


def test_what_is_trained_on_stands_in_its_colour_and_nothing_else() -> None:
    answers = [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]
    page = shown({"messages": [{"role": "user", "content": "q"}, *answers]})
    assert [":green[" in line.value for line in page.markdown] == [False, True, False]
    assert "not trained on" in page.caption[0].value
    page = shown({"messages": [*answers, {"role": "user", "content": "q"}], "grade": 1})
    assert not any(":green[" in line.value for line in page.markdown)


def test_an_image_of_the_example_is_shown_small_and_one_that_is_none_is_not() -> None:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (900, 300), (180, 90, 40)).save(file, "PNG")
    urls = [f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}", "data:image/png;base64,AAAA"]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    page = shown({"messages": [{"role": "user", "content": parts}]})
    assert len(page.get("image")) == 1
    assert "PNG, 900 × 300 pixels" in page.caption[0].value
    assert "cannot be read" in page.caption[1].value


def test_a_long_conversation_is_shown_a_page_at_a_time() -> None:
    page = shown({"messages": [{"role": "user", "content": f"number {n}"} for n in range(100)]})
    assert len(page.text) == 40
    assert "Messages 1 to 40 of 100" in page.caption[0].value


def test_fields_for_a_grader_and_legacy_prompts_are_shown_open() -> None:
    page = shown({"messages": [{"role": "user", "content": "2 + 2?"}], "answer": "4"})
    assert '"answer": "4"' in page.code[0].value
    assert not page.get("expander")
    page = shown({"prompt": "Two and two?", "completion": "Four."})
    assert [text.value for text in page.text] == ["Two and two?", "Four."]


def test_keys_of_a_message_that_nobody_knows_are_not_hidden() -> None:
    page = shown({"messages": [{"role": "user", "content": "a", "mood": "good"}]})
    assert '"mood": "good"' in page.code[0].value


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
