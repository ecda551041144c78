"""The real answering process behind the real server: random weights that must keep to what they are asked for."""

from __future__ import annotations

import json
from typing import Any, Literal

import jsonschema
import openai
import pydantic
import pytest

from lib.engine import sealed
from lib.engine.network import Config, Network, save
from tests.engine.server.conftest import Running, Start
from tests.engine.server.test_chat import told

MODEL = "random-2026-01-01"
SCHEMA = {
    "type": "object",
    "properties": {"team": {"enum": ["billing", "tech"]}, "urgent": {"type": "boolean"}},
    "required": ["team", "urgent"],
    "additionalProperties": False,
}
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": SCHEMA, "strict": True}}
FIND: Any = {"type": "function", "function": {"name": "find", "parameters": SCHEMA, "strict": True}}


@pytest.fixture(scope="module")
def engine(start_engine: Start, tmp_path_factory: pytest.TempPathFactory) -> Running:
    import torch

    folder = tmp_path_factory.mktemp("random")
    torch.manual_seed(1)
    save(Network(Config(vocabulary=4096, width=32, layers=2, heads=2, hidden=48, context=512, taps=3)), folder / MODEL)
    sealed.seal(folder / MODEL)
    return start_engine(tmp_path_factory.mktemp("home"), bases=[str(folder)], answerer=None)


def text_of(engine: Running, **body: Any) -> str:
    answer = engine.strict.chat.completions.create(model=MODEL, messages=told("Who is it for?"), **body)
    return str(answer.choices[0].message.content)


def test_an_answer_is_json_of_the_schema_whole_and_streamed(engine: Running) -> None:
    for seed in range(5):
        whole = text_of(engine, response_format=FORMAT, seed=seed)
        jsonschema.validate(json.loads(whole), SCHEMA)
        with engine.strict.chat.completions.stream(
            model=MODEL, messages=told("Who is it for?"), response_format=FORMAT, seed=seed
        ) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.content == whole
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(text_of(engine, seed=0, max_tokens=40))


def test_the_client_parses_what_it_asked_for(engine: Running) -> None:
    class Find(pydantic.BaseModel):
        team: Literal["billing", "tech"]
        urgent: bool

    chat = engine.strict.chat.completions.parse(model=MODEL, messages=told("Well?"), response_format=Find, seed=1)
    assert isinstance(chat.choices[0].message.parsed, Find)
    tool = openai.pydantic_function_tool(Find)
    called = engine.strict.chat.completions.parse(
        model=MODEL, messages=told("Well?"), tools=[tool], tool_choice="required", parallel_tool_calls=False, seed=1
    )
    (call,) = called.choices[0].message.tool_calls or []
    assert isinstance(call.function.parsed_arguments, Find)
    response = engine.strict.responses.parse(model=MODEL, input="Well?", text_format=Find, max_output_tokens=300)
    assert isinstance(response.output_parsed, Find)


def test_each_of_several_answers_keeps_to_the_schema(engine: Running) -> None:
    answer = engine.strict.chat.completions.create(
        model=MODEL, messages=told("Well?"), response_format=FORMAT, n=4, seed=1
    )
    texts = [str(choice.message.content) for choice in answer.choices]
    for text in texts:
        jsonschema.validate(json.loads(text), SCHEMA)
    assert len(set(texts)) > 1


def test_a_required_call_has_arguments_of_the_functions_schema(engine: Running) -> None:
    answer = engine.strict.chat.completions.create(
        model=MODEL,
        messages=told("Well?"),
        tools=[FIND],
        tool_choice="required",
        parallel_tool_calls=False,
        seed=1,
        max_tokens=300,
    )
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "find"
    jsonschema.validate(json.loads(call.function.arguments), SCHEMA)


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_that_no_answer_can_keep_to_is_refused_before_anything_is_said(engine: Running, stream: bool) -> None:
    schema = SCHEMA | {"properties": {"team": {"type": "string", "format": "nonsense"}, "urgent": {"type": "boolean"}}}
    wrong: Any = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": schema, "strict": True}}
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'ticket'") as refused:
        engine.client.chat.completions.create(model=MODEL, messages=told("Well?"), response_format=wrong, stream=stream)
    assert refused.value.param == "response_format"


def test_the_seed_decides_alone_in_company_and_streamed(engine: Running) -> None:
    alone = text_of(engine, seed=7, max_tokens=20)
    several = engine.strict.chat.completions.create(
        model=MODEL, messages=told("Who is it for?"), seed=7, n=3, max_tokens=20
    )
    texts = [choice.message.content for choice in several.choices]
    assert texts[0] == alone
    assert len(set(texts)) == 3
    parts = ["", "", ""]
    for chunk in engine.strict.chat.completions.create(
        model=MODEL, messages=told("Who is it for?"), seed=7, n=3, max_tokens=20, stream=True
    ):
        for choice in chunk.choices:
            parts[choice.index] += choice.delta.content or ""
    assert parts == texts


def test_a_stop_text_that_spans_tokens_ends_an_answer_and_is_not_told(engine: Running) -> None:
    free = engine.strict.chat.completions.create(
        model=MODEL, messages=told("Well?"), seed=3, max_tokens=40, logprobs=True
    )
    text = str(free.choices[0].message.content)
    tokens = [bytes(entry.bytes or []) for entry in free.choices[0].logprobs.content or []]  # type: ignore[union-attr]
    assert b"".join(tokens).decode("utf-8", "replace") == text
    before = b"".join(tokens[:20]).decode("utf-8", "replace")
    # The end of one token and the beginning of the next.
    stop = text[len(before) - 1 : len(before) + 1]
    expected = text[: text.index(stop)]
    for stream in (False, True):
        said, logprobs, reasons = "", b"", []
        answer: Any = engine.strict.chat.completions.create(
            model=MODEL, messages=told("Well?"), seed=3, max_tokens=40, logprobs=True, stop=stop, stream=stream
        )
        for part in answer if stream else [answer]:
            (choice,) = part.choices
            said += (choice.delta if stream else choice.message).content or ""
            logprobs += b"".join(bytes(entry.bytes) for entry in (choice.logprobs.content if choice.logprobs else []))
            reasons.append(choice.finish_reason)
        assert (said, reasons[-1]) == (expected, "stop")
        shown = logprobs.decode("utf-8", "replace")
        assert shown.startswith(expected)
        # Of a token that goes on into the stop text the whole is told, and no other token after it.
        assert len(shown) < len(expected) + max(map(len, tokens))


def test_usage_counts_the_prompt_once_and_every_answer(engine: Running) -> None:
    one, three = (
        engine.strict.chat.completions.create(model=MODEL, messages=told("Well?"), seed=3, max_tokens=5, n=n).usage
        for n in (1, 3)
    )
    assert one is not None
    assert three is not None
    assert (three.prompt_tokens, three.completion_tokens) == (one.prompt_tokens, 15)
    assert three.total_tokens == one.prompt_tokens + 15


def test_a_bias_decides_what_is_said(engine: Running) -> None:
    said = engine.strict.chat.completions.create(
        model=MODEL, messages=told("Well?"), temperature=0, max_tokens=3, logit_bias={"66": 100}, logprobs=True
    )
    tokens = [entry.token for entry in said.choices[0].logprobs.content or []]  # type: ignore[union-attr]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    other = engine.strict.chat.completions.create(
        model=MODEL, messages=told("Well?"), temperature=0, max_tokens=3, logit_bias={"66": -100}
    )
    assert tokens[0] not in str(other.choices[0].message.content)


def test_a_response_keeps_to_its_schema_and_goes_on(engine: Running) -> None:
    text: Any = {"format": {"type": "json_schema", "name": "ticket", "schema": SCHEMA, "strict": True}}
    first = engine.strict.responses.create(model=MODEL, input="Who is it for?", text=text, max_output_tokens=300)
    jsonschema.validate(json.loads(first.output_text), SCHEMA)
    with engine.strict.responses.stream(
        model=MODEL, input="Sure?", previous_response_id=first.id, text=text, max_output_tokens=300
    ) as stream:
        second = stream.get_final_response()
    jsonschema.validate(json.loads(second.output_text), SCHEMA)
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens


def test_a_response_calls_the_function_it_must(engine: Running) -> None:
    tool: Any = {"type": "function", "name": "find", "parameters": SCHEMA, "strict": True}
    response = engine.strict.responses.create(
        model=MODEL,
        input="Well?",
        tools=[tool],
        tool_choice={"type": "function", "name": "find"},
        parallel_tool_calls=False,
        max_output_tokens=300,
    )
    (call,) = response.output
    assert call.type == "function_call"
    jsonschema.validate(json.loads(call.arguments), SCHEMA)


def test_a_schema_that_no_response_can_keep_to_is_refused_by_its_name_there(engine: Running) -> None:
    schema = SCHEMA | {"properties": {"team": {"type": "string", "format": "nonsense"}, "urgent": {"type": "boolean"}}}
    text: Any = {"format": {"type": "json_schema", "name": "ticket", "schema": schema, "strict": True}}
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'ticket'") as refused:
        engine.client.responses.create(model=MODEL, input="Well?", text=text)
    assert (refused.value.param, refused.value.code) == ("text.format.schema", "invalid_json_schema")


def test_a_conversation_that_grew_too_long_is_shortened_only_when_asked(engine: Running) -> None:
    items: Any = [{"role": "user", "content": "and so on " * 60} for _ in range(20)]
    with pytest.raises(openai.BadRequestError) as refused:
        engine.client.responses.create(model=MODEL, input=items)
    assert refused.value.code == "context_length_exceeded"
    response = engine.strict.responses.create(model=MODEL, input=items, truncation="auto", max_output_tokens=5)
    assert response.truncation == "auto"
    assert response.usage is not None
    assert 0 < response.usage.input_tokens <= 512
