"""The template: which ids a conversation becomes, which of them are trained, and what generated ids say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tiktoken

from lib.engine.template import Rendered, Template, ToolCall
from lib.errors import DataError
from lib.tokens.billing import example_tokens

QUESTION = {"role": "user", "content": "Where is it?"}
ANSWER = {"role": "assistant", "content": "Here."}
CALLING = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"what": "it"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "stop", "arguments": "{}"}},
    ],
}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]


def trained_text(template: Template, rendered: Rendered) -> str:
    return template.encoding.decode([one for one, is_trained in zip(*spread(rendered), strict=True) if is_trained])


def spread(rendered: Rendered) -> tuple[list[int], list[bool]]:
    assert len(rendered.ids) == len(rendered.trained)
    return rendered.ids, rendered.trained


def test_the_ids_follow_the_billing_rule(template: Template) -> None:
    data = {"messages": [{"role": "system", "content": "Be brief."}, QUESTION, ANSWER]}
    rendered = template.example(data)
    assert len(rendered.ids) == example_tokens(data, lambda text: len(text.encode()))
    assert template.encoding.decode(rendered.ids) == (
        "<|begin|><|start|>system<|message|>Be brief.<|end|>"
        "<|start|>user<|message|>Where is it?<|end|><|start|>assistant<|message|>Here.<|end|>"
    )


def test_only_the_assistant_is_trained_in_every_turn(template: Template) -> None:
    again = {"role": "assistant", "content": "There."}
    rendered = template.example({"messages": [QUESTION, ANSWER, QUESTION, again]})
    assert trained_text(template, rendered) == "Here.<|end|>There.<|end|>"


@pytest.mark.parametrize(("weight", "trained"), [(0, "There.<|end|>"), (1, "Here.<|end|>There.<|end|>")])
def test_a_message_of_weight_zero_is_read_and_not_trained(template: Template, weight: int, trained: str) -> None:
    first = {**ANSWER, "weight": weight}
    rendered = template.example({"messages": [QUESTION, first, QUESTION, {"role": "assistant", "content": "There."}]})
    assert trained_text(template, rendered) == trained
    assert "Here." in template.encoding.decode(rendered.ids)


def test_what_exceeds_the_context_is_cut_at_the_end(tiny_encoding: tiktoken.Encoding) -> None:
    data = {"messages": [QUESTION, ANSWER]}
    whole = Template(tiny_encoding, 128).example(data)
    cut = Template(tiny_encoding, 34).example(data)
    assert len(cut.ids) == 34 < len(whole.ids)
    assert cut.ids == whole.ids[:34]
    assert cut.trained == whole.trained[:34]


def test_a_huge_text_costs_no_more_than_the_context(template: Template) -> None:
    rendered = template.example({"messages": [{"role": "user", "content": " " * 3_000_000}, ANSWER]})
    assert len(rendered.ids) == template.context
    assert not any(rendered.trained)


def test_text_that_spells_a_special_token_stays_text(template: Template) -> None:
    rendered = template.example({"messages": [{"role": "user", "content": "<|end|>"}, ANSWER]})
    assert rendered.ids.count(template.end) == 2


def test_half_of_a_character_pair_is_no_crash(template: Template) -> None:
    rendered = template.example({"messages": [{"role": "user", "content": "\ud83d"}, ANSWER]})
    assert "�" in template.encoding.decode(rendered.ids)


def test_a_developer_speaks_as_the_system(template: Template) -> None:
    developer, system = ({"messages": [{"role": role, "content": "x"}, ANSWER]} for role in ("developer", "system"))
    assert template.example(developer) == template.example(system)


def test_tools_stand_first_and_calls_are_trained(template: Template) -> None:
    wide = Template(template.encoding, 1024)
    rendered = wide.example({"messages": [QUESTION, CALLING], "tools": TOOLS})
    text = wide.encoding.decode(rendered.ids)
    assert text.startswith("<|begin|><|start|>system<|message|>namespace functions {")
    assert trained_text(wide, rendered) == '<|call|>find<|args|>{"what": "it"}<|call|>stop<|args|>{}<|end|>'


@pytest.mark.parametrize(
    "call", [None, {}, {"function": {"name": "find"}}, {"function": {"name": "find", "arguments": {"what": "it"}}}]
)
def test_a_call_of_no_known_shape_is_told(template: Template, call: Any) -> None:
    with pytest.raises(DataError, match="A tool call lacks"):
        template.example({"messages": [QUESTION, {"role": "assistant", "tool_calls": [call]}]})


def test_the_prompt_is_the_example_up_to_the_answer(template: Template) -> None:
    rendered = template.example({"messages": [QUESTION, ANSWER]})
    prompt = template.prompt([QUESTION], None)
    assert rendered.ids[: len(prompt)] == prompt
    assert rendered.trained.index(True) == len(prompt)


def test_a_reply_is_what_was_rendered(template: Template) -> None:
    wide = Template(template.encoding, 1024)
    prompt = wide.prompt([QUESTION], TOOLS)
    message = {**CALLING, "content": "Let me see."}
    ids = wide.example({"messages": [QUESTION, message], "tools": TOOLS}).ids[len(prompt) :]
    reply = wide.reply(ids)
    assert reply.text == "Let me see."
    assert reply.tool_calls == (ToolCall("find", '{"what": "it"}'), ToolCall("stop", "{}"))
    assert json.loads(reply.tool_calls[0].arguments) == {"what": "it"}


def test_what_follows_the_end_is_not_part_of_a_reply(template: Template) -> None:
    said = template.encoding.encode("Yes.<|end|><|start|>user", allowed_special="all")
    assert template.reply(said).text == "Yes."


def test_a_call_that_broke_off_has_no_arguments(template: Template) -> None:
    said = template.encoding.encode("<|call|>fi", allowed_special="all")
    assert template.reply(said).tool_calls == (ToolCall("fi", ""),)
