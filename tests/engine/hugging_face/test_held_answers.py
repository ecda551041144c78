"""Random Hugging Face models held to a schema and to calls: their own tokens, ends and way of calling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lib.engine.answer.answer import Answer
from lib.engine.answer.asking import Ask, CallRules, JsonFormat
from lib.engine.answer.constraint import Constraints
from lib.engine.answer.shelf import Shelf
from lib.engine.model import Model
from tests.engine.hugging_face import tiny

SCHEMA = {
    "type": "object",
    "properties": {"team": {"enum": ["billing", "tech"]}, "urgent": {"type": "boolean"}},
    "required": ["team", "urgent"],
    "additionalProperties": False,
}
FIND = {"type": "function", "function": {"name": "find", "parameters": SCHEMA, "strict": True}}
SPACIOUS = {"max_position_embeddings": 1024}


@pytest.fixture(scope="module", params=["qwen", "llama"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    template = tiny.QWEN if request.param == "qwen" else tiny.LLAMA
    folder = tmp_path_factory.mktemp("models") / str(request.param)
    return Shelf().model(tiny.save(folder, request.param, template, **SPACIOUS))


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder: Path = tmp_path_factory.mktemp("callers") / "qwen"
    return Shelf().model(tiny.save(folder, "qwen", tiny.QWEN, **SPACIOUS))


def says(model: Model, **more: Any) -> tuple[str, dict[str, Any]]:
    """The text and the last line of an answer."""
    asked = {"id": "1", "model": "m", "messages": [{"role": "user", "content": "Hm?"}], "max_tokens": 300}
    ask = Ask(**asked | more)
    answer = Answer(ask, model, Constraints().of(ask, model))
    text, last = "", {}
    while not answer.finished:
        last = answer.advance() or {}
        text += str(last.get("text", ""))
    return text, last


def test_an_answer_is_json_of_the_schema(model: Model) -> None:
    for seed in range(4):
        text, last = says(model, format=JsonFormat("x", SCHEMA), seed=seed)
        assert last["finish_reason"] == "stop"
        jsonschema.validate(json.loads(text), SCHEMA)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(says(model, seed=0, max_tokens=40)[0])


def test_a_required_call_is_one_in_the_models_own_form(caller: Model) -> None:
    for seed in range(4):
        rules = CallRules(["find"], required=True, parallel=False)
        text, last = says(caller, tools=[FIND], calls=rules, seed=seed)
        assert (text, last["finish_reason"]) == ("", "tool_calls")
        (call,) = last["tool_calls"]
        assert call["function"]["name"] == "find"
        jsonschema.validate(json.loads(call["function"]["arguments"]), SCHEMA)


def test_json_is_told_as_words_where_tools_could_have_been_called(caller: Model) -> None:
    (brace,) = (one for one in range(caller.vocabulary) if caller.template.bytes_of(one) == b"{")
    rules = CallRules(["find"], parallel=False)
    kinds = set()
    for seed, by in ((1, -100.0), (2, 100.0)):
        # A call begins with another token than JSON does.
        asked = {"tools": [FIND], "calls": rules, "format": JsonFormat("x", SCHEMA), "seed": seed}
        text, last = says(caller, **asked, logit_bias=[(brace, by)])
        kinds.add(last["finish_reason"])
        if last["finish_reason"] == "stop":
            jsonschema.validate(json.loads(text), SCHEMA)
        else:
            assert text == ""
    assert kinds == {"stop", "tool_calls"}
