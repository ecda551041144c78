"""Conversations that are too long: the oldest messages go, and nothing that must stay."""

from __future__ import annotations

from typing import Any

import pytest

from lib.engine.answer.asking import Ask
from lib.engine.answer.shortening import prompt
from lib.engine.template import Template


def said(template: Template, messages: list[dict[str, Any]], shorten: bool = True) -> str:
    ask = Ask(id="1", model="m", messages=messages, shorten=shorten)
    return template.encoding.decode(prompt(ask, template))


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def test_what_fits_is_left_as_it_is(template: Template) -> None:
    messages = [{"role": "system", "content": "Hm."}, user("a" * 50), user("b")]
    assert said(template, messages) == said(template, messages, shorten=False)


@pytest.mark.parametrize("count", [3, 4, 60])
def test_as_few_of_the_oldest_go_as_will_do(template: Template, count: int) -> None:
    messages = [{"role": "system", "content": "Rules."}, *[user(f"{n:02}," * 10) for n in range(count)]]
    left = said(template, messages)
    assert "Rules." in left
    # Context 128: instructions, then as many of the last messages as fit.
    kept = [text for text in (message["content"] for message in messages[1:]) if text in left]
    assert kept == [message["content"] for message in messages[-2:]]
    assert len(template.encoding.encode(left, allowed_special="all")) <= template.context


def test_without_the_wish_nothing_goes(template: Template) -> None:
    left = said(template, [user("a" * 100), user("b" * 100)], shorten=False)
    assert "a" * 100 in left
    assert "b" * 100 in left


def test_the_output_of_a_call_goes_with_its_call(template: Template) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        user("a" * 90),
        {"role": "assistant", "content": "b" * 60, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "c" * 10},
        user("d" * 40),
    ]
    left = said(template, messages)
    assert "d" * 40 in left
    assert "b" * 60 not in left
    assert "c" * 10 not in left


def test_what_must_stay_may_still_be_too_long(template: Template) -> None:
    left = said(template, [user("a"), user("b" * 200)])
    assert "b" * 120 in left
    assert len(template.encoding.encode(left, allowed_special="all")) > template.context
