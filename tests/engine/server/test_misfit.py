"""What does not fit is refused in the words and with the codes of OpenAI's server, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from lib.engine.chat_request import ChatRequest
from lib.engine.job_request import JobRequest
from lib.engine.protocol import parsed, typed
from lib.engine.response_request import ResponseRequest
from lib.engine.routes.uploads import Announced
from lib.errors import Rejected

CHAT: dict[str, Any] = {"model": "a", "messages": [{"role": "user", "content": "x"}]}
JOB: dict[str, Any] = {"model": "a", "training_file": "f"}


@pytest.mark.parametrize(
    ("kind", "body", "param", "code", "words"),
    [
        # The first four were answered by OpenAI's server, word for word.
        (
            ChatRequest,
            CHAT | {"n": 130},
            "n",
            "integer_above_max_value",
            "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 130 instead.",
        ),
        (
            ChatRequest,
            CHAT | {"messages": []},
            "messages",
            "empty_array",
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ),
        (
            ChatRequest,
            CHAT | {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages[0].content[0].type",
            "missing_required_parameter",
            "Missing required parameter: 'messages[0].content[0].type'.",
        ),
        (
            ChatRequest,
            CHAT | {"response_format": {"type": "json"}},
            "response_format.type",
            "invalid_value",
            "Invalid value: 'json'. Supported values are: 'text', 'json_object', and 'json_schema'.",
        ),
        (
            ChatRequest,
            CHAT | {"messages": [{"role": "bot", "content": "x"}]},
            "messages[0].role",
            "invalid_value",
            "Invalid value: 'bot'. Supported values are: 'developer', 'system', 'user', 'assistant', 'tool', and "
            "'function'.",
        ),
        (
            ChatRequest,
            CHAT | {"messages": [{"role": "user", "content": 5}]},
            "messages[0].content",
            "invalid_type",
            "Invalid type for 'messages[0].content': expected one of a string or an array, but got an integer instead.",
        ),
        (
            ChatRequest,
            CHAT | {"max_tokens": 1.5},
            "max_tokens",
            "invalid_type",
            "Invalid type for 'max_tokens': expected an integer, but got a decimal number instead.",
        ),
        (
            ChatRequest,
            CHAT | {"temperature": -1},
            "temperature",
            "decimal_below_min_value",
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        ),
        (
            ChatRequest,
            CHAT | {"stop": list("abcde")},
            "stop",
            "array_above_max_length",
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 "
            "instead.",
        ),
        (
            ChatRequest,
            CHAT | {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "tools[0].function.name",
            "invalid_value",
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the "
            "pattern '^[a-zA-Z0-9_-]{1,64}$'.",
        ),
        (
            ChatRequest,
            [],
            None,
            "invalid_type",
            "Invalid type: expected an object, but got an array instead.",
        ),
        (
            JobRequest,
            JOB | {"suffix": "a" * 65},
            "suffix",
            "string_above_max_length",
            "Invalid 'suffix': string too long. Expected a string with maximum length 64, but got a string with length "
            "65 instead.",
        ),
        (
            JobRequest,
            JOB | {"suffix": ""},
            "suffix",
            "empty_string",
            "Invalid 'suffix': empty string. Expected a string with minimum length 1, but got an empty string instead.",
        ),
        (
            JobRequest,
            JOB | {"metadata": {str(number): "x" for number in range(17)}},
            "metadata",
            "object_above_max_properties",
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
            "with 17 properties instead.",
        ),
        (
            JobRequest,
            JOB | {"metadata": {"a": 1}},
            "metadata[...]",
            "invalid_type",
            "Invalid type for 'metadata[...]': expected a string, but got an integer instead.",
        ),
        (
            JobRequest,
            JOB | {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}},
            "method.dpo.hyperparameters.beta",
            "decimal_above_max_value",
            "Invalid 'method.dpo.hyperparameters.beta': decimal above maximum value. Expected a value <= 2, but got 3 "
            "instead.",
        ),
        (
            Announced,
            {"filename": "a", "purpose": "b", "bytes": 1, "mime_type": "x", "colour": 1},
            "colour",
            "unknown_parameter",
            "Unknown parameter: 'colour'.",
        ),
        (
            ResponseRequest,
            {"model": "a", "input": "x", "text": {"format": {"type": "json_schema", "name": "x"}}},
            "text.format.schema",
            "missing_required_parameter",
            "Missing required parameter: 'text.format.schema'.",
        ),
    ],
)
def test_what_does_not_fit(kind: Any, body: Any, param: str | None, code: str, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        typed(body, kind)
    assert (str(refused.value), refused.value.param, refused.value.code, refused.value.status) == (
        words,
        param,
        code,
        400,
    )


def test_a_number_too_long_to_be_written_is_refused_like_any_other() -> None:
    for text in ("9" * 25, "9" * 4000, "1e300"):
        with pytest.raises(Rejected) as refused:
            typed(CHAT | {"seed": parsed(text.encode())}, ChatRequest)
        assert refused.value.param == "seed"
        assert len(str(refused.value)) < 250


def test_what_fits_is_not_refused() -> None:
    assert typed(CHAT | {"n": 128, "temperature": 2, "stop": list("abcd")}, ChatRequest).n == 128
