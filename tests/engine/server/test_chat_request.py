"""What a chat request asks of the model: JSON, tools and who must call them; and what does not go together."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest

from tests.engine.server.conftest import BASE, Running
from tests.engine.server.test_chat import events_of, told

ASKED = "what was asked, in json"
SCHEMA = {
    "type": "object",
    "properties": {"team": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["team", "n"],
    "additionalProperties": False,
}
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
FIND = {"type": "function", "function": {"name": "find", "parameters": SCHEMA, "strict": True}}


def asked(engine: Running, **body: Any) -> dict[str, Any]:
    """What the answering process is asked when the body has these fields."""
    answer = engine.http.post("chat/completions", json={"model": BASE, "messages": told(ASKED)} | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.json()["choices"][0]["message"]["content"])
    return found


def refused(engine: Running, **body: Any) -> dict[str, Any]:
    answer = engine.http.post("chat/completions", json={"model": BASE, "messages": told("x")} | body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    error: dict[str, Any] = answer.json()["error"]
    return error


def format_of(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "ticket", "schema": schema, "strict": True} | more}


def test_a_schema_reaches_the_model_as_it_is(engine: Running) -> None:
    assert asked(engine)["format"] is None
    assert asked(engine, response_format={"type": "text"})["format"] is None
    assert asked(engine, response_format=format_of(SCHEMA))["format"] == {
        "name": "ticket",
        "schema": SCHEMA,
        "strict": True,
    }
    loose = format_of({"type": "array"}, strict=None)
    assert asked(engine, response_format=loose)["format"] == {
        "name": "ticket",
        "schema": {"type": "array"},
        "strict": False,
    }
    assert asked(engine, response_format={"type": "json_object"})["format"]["schema"] == {"type": "object"}


def test_the_clients_own_schemas_are_strict_ones(engine: Running) -> None:
    class Step(pydantic.BaseModel):
        why: str | None

    class Plan(pydantic.BaseModel):
        steps: list[Step]
        first: Step

    # The stub answers with what it was asked, which is no Plan; that the request was taken is what is tested.
    with pytest.raises(pydantic.ValidationError, match="steps"):
        engine.strict.chat.completions.parse(model=BASE, messages=told(ASKED), response_format=Plan)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array"}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
        ({}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        (
            {"type": "object", "properties": {}},
            "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            SCHEMA | {"required": ["team"]},
            "In context=(), 'required' is required to be supplied and to be an array including every key in "
            "properties. Missing 'n'.",
        ),
        (
            SCHEMA | {"properties": {"team": {"anyOf": [{"type": "object"}]}, "n": {}}},
            "In context=('properties', 'team', 'anyOf', '0'), 'additionalProperties' is required",
        ),
        (
            SCHEMA | {"properties": {"team": {"items": {"type": "object"}}, "n": {}}},
            "In context=('properties', 'team', 'items'), 'additionalProperties' is required",
        ),
        (SCHEMA | {"$defs": {"x": {"type": "object"}}}, "In context=('$defs', 'x'), 'additionalProperties'"),
        (SCHEMA | {"description": "x" * 130_000}, "more than 120000"),
    ],
    ids=["array", "nothing", "additional", "required", "anyOf", "items", "defs", "size"],
)
def test_what_strict_mode_does_not_take_is_refused_in_openais_words(
    engine: Running, schema: dict[str, Any], said: str
) -> None:
    error = refused(engine, response_format=format_of(schema))
    assert error["message"].startswith("Invalid schema for response_format 'ticket': ")
    assert said in error["message"]
    assert error["param"] == "response_format"
    function = {"name": "look", "parameters": schema, "strict": True}
    error = refused(engine, tools=[LOOK, {"type": "function", "function": function}])
    assert error["message"].startswith("Invalid schema for function 'look': ")
    assert (error["param"], error["code"]) == ("tools[1].function.parameters", "invalid_function_parameters")


def test_json_of_any_shape_must_be_spoken_of(engine: Running) -> None:
    error = refused(engine, response_format={"type": "json_object"})
    assert error["message"] == (
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    )
    assert error["param"] == "messages"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"tool_choice": "auto", "parallel_tool_calls": True}, None),
        ({"tool_choice": "required"}, (["look", "stop"], True, True)),
        ({"parallel_tool_calls": False}, (["look", "stop"], False, False)),
        ({"tool_choice": {"type": "function", "function": {"name": "stop"}}}, (["stop"], True, True)),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "look"}}]},
                }
            },
            (["look"], False, True),
        ),
    ],
)
def test_who_may_and_must_be_called(engine: Running, given: dict[str, Any], expected: Any) -> None:
    stop = {"type": "function", "function": {"name": "stop"}}
    said = asked(engine, tools=[LOOK, stop], **given)
    assert [tool["function"]["name"] for tool in said["tools"]] == ["look", "stop"]
    rules = said["calls"]
    assert (None if rules is None else (rules["names"], rules["required"], rules["parallel"])) == expected


def test_a_strict_function_is_held_to_without_being_asked_twice(engine: Running) -> None:
    assert asked(engine, tools=[LOOK, FIND])["calls"] == {
        "names": ["look", "find"],
        "required": False,
        "parallel": True,
    }


def test_tools_that_must_not_be_called_are_not_told_of(engine: Running) -> None:
    said = asked(engine, tools=[LOOK], tool_choice="none")
    assert (said["tools"], said["calls"]) == (None, None)
    answer = engine.strict.chat.completions.create(
        model=BASE,
        messages=told("x"),
        tools=[LOOK],  # type: ignore[list-item]
        tool_choice="none",
    )
    assert answer.choices[0].message.tool_calls is None


def test_the_reason_says_whose_choice_a_call_was(engine: Running) -> None:
    named = {"type": "function", "function": {"name": "look"}}
    for choice, reason in (("auto", "tool_calls"), ("required", "tool_calls"), (named, "stop")):
        body = {"model": BASE, "messages": told("x"), "tools": [LOOK], "tool_choice": choice}
        whole = engine.http.post("chat/completions", json=body).json()["choices"][0]
        assert (whole["finish_reason"], len(whole["message"]["tool_calls"])) == (reason, 1)
        chunks = [json.loads(event)["choices"][0] for event in events_of(engine, **body)[:-1]]
        assert chunks[-1]["finish_reason"] == reason
        assert [call["index"] for chunk in chunks for call in chunk["delta"].get("tool_calls", [])] == [0]


def test_functions_are_tools_in_the_older_form(engine: Running) -> None:
    body = {"model": BASE, "messages": told("x"), "functions": [LOOK["function"]]}
    (choice,) = engine.http.post("chat/completions", json=body).json()["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"a": 1}'}
    assert "tool_calls" not in choice["message"]
    deltas = [json.loads(event)["choices"][0] for event in events_of(engine, **body)[:-1]]
    assert [one["delta"]["function_call"] for one in deltas if "function_call" in one["delta"]] == [
        {"name": "look", "arguments": '{"a": 1}'}
    ]
    assert deltas[-1]["finish_reason"] == "function_call"
    said = asked(engine, functions=[LOOK["function"]], function_call={"name": "look"})
    assert said["calls"] == {"names": ["look"], "required": True, "parallel": False}
    assert asked(engine, functions=[LOOK["function"]], function_call="none")["tools"] is None


def test_an_older_call_in_a_conversation_is_a_tool_call(engine: Running) -> None:
    messages: Any = [
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "function", "name": "look", "content": "42"},
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": ASKED},
    ]
    assert asked(engine, messages=messages)["roles"] == ["assistant", "function", "developer", "user"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": "required", "tools": []}, "tool_choice"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
        (
            {"tools": [LOOK], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
            "tool_choice",
        ),
        ({"tools": [LOOK] * 129}, "tools"),
        ({"tools": [{"type": "custom", "custom": {"name": "shell"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "x" * 65}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": '<|call|>"'}}]}, "tools[0].function.name"),
        ({"function_call": "auto"}, "function_call"),
        ({"functions": [LOOK["function"]], "function_call": {"name": "other"}}, "function_call"),
        ({"functions": [LOOK["function"]], "tools": [LOOK]}, "functions"),
        ({"functions": []}, "functions"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": format_of(SCHEMA, name="two words")}, "response_format.json_schema.name"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
        ),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"-5": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias[...]"),
        ({"logit_bias": {str(token): 1 for token in range(1025)}}, "logit_bias"),
        ({"frequency_penalty": 2.1}, "frequency_penalty"),
        ({"presence_penalty": -2.1}, "presence_penalty"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_name(engine: Running, body: dict[str, Any], param: str) -> None:
    assert refused(engine, **body)["param"] == param


def test_leanings_reach_the_model(engine: Running) -> None:
    said = asked(engine, frequency_penalty=0.5, presence_penalty=-1, logit_bias={"50": -100, "7": 3})
    assert (said["frequency_penalty"], said["presence_penalty"]) == (0.5, -1)
    assert said["logit_bias"] == [[50, -100], [7, 3]]


def test_the_models_own_context_bounds_an_answer_that_nothing_else_bounds(engine: Running) -> None:
    assert asked(engine)["max_tokens"] is None
    assert asked(engine, max_tokens=10**30)["max_tokens"] == 1 << 24


def test_a_parsed_answer_by_the_clients_own_stream(engine: Running) -> None:
    with engine.strict.chat.completions.stream(
        model=BASE,
        messages=told("x"),
        response_format=format_of(SCHEMA),  # type: ignore[arg-type]
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].finish_reason == "stop"
    with pytest.raises(openai.BadRequestError):
        engine.client.chat.completions.create(
            model=BASE,
            messages=told("x"),
            response_format=format_of({}),  # type: ignore[arg-type]
        )
