"""Bodies that are almost right, and some that are not: always an answer in the protocol's shape, never a breakdown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.server.conftest import BASE, Running
from tests.engine.server.test_chat_request import SCHEMA

TOOL = {"type": "function", "function": {"name": "look", "parameters": SCHEMA, "strict": True}}
CHAT = {
    "model": BASE,
    "messages": [
        {"role": "developer", "content": [{"type": "text", "text": "Hm."}]},
        {"role": "user", "content": "json", "name": "me"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "function", "name": "look", "content": None},
        {"role": "user", "content": "x"},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
    "stream": False,
    "n": 2,
    "seed": 1,
    "stop": ["a", "b"],
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"5": 1},
    "max_tokens": 5,
    "metadata": {"a": "b"},
}
RESPONSE = {
    "model": BASE,
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "json"}]},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "42"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "x"},
    ],
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "look", "parameters": SCHEMA}],
    "tool_choice": {"type": "function", "name": "look"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
    "include": ["message.output_text.logprobs"],
    "top_logprobs": 1,
    "metadata": {"a": "b"},
    "reasoning": {"effort": "low"},
    "stream": False,
}
UPLOAD = {
    "filename": "a.jsonl",
    "purpose": "fine-tune",
    "bytes": 3,
    "mime_type": "text/jsonl",
    "expires_after": {"anchor": "created_at", "seconds": 3600},
}
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["auto", "required", "function", "json_object", "\u0000", "\u202e", "x" * 5000]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=4), st.just("type")), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values within a JSON value."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a path; DROP leaves it out."""
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if not rest and new is DROP:
        del copy[key]
    else:
        copy[key] = changed(value[key], tuple(rest), new)
    return copy


DROP = object()
MOST = 100


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", CHAT),
        ("responses", RESPONSE),
        ("uploads", UPLOAD),
        ("uploads/upload_x/complete", {"part_ids": ["a"], "md5": "b"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_almost_right_is_answered_or_refused_in_the_protocols_shape(
    engine: Running, path: str, body: dict[str, Any]
) -> None:
    whole = engine.http.post(path, json=body)
    assert whole.status_code in (200, 404), whole.text
    where = st.sampled_from([place for place in places(body) if place])

    @given(changes=st.lists(st.tuples(where, st.one_of(anything, st.just(DROP))), min_size=1, max_size=2))
    @settings(max_examples=MOST, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def hold(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        sent: Any = body
        for place, new in changes:
            if place in places(sent):
                sent = changed(sent, place, new)
        said = json.dumps(sent).encode()
        answer = engine.http.post(path, content=said, headers={"content-type": "application/json"})
        assert answer.status_code in (200, 400, 403, 404), (answer.status_code, answer.text, sent)
        if answer.status_code != 200:
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}

    hold()
    assert engine.http.post(path, json=body).status_code == whole.status_code
