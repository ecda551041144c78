"""Lines that come in: understood, or refused with the id they carry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.engine.answer.asking import Ask, End, understand
from lib.errors import Rejected

GOOD = {"id": "1", "model": "/models/a", "messages": [{"role": "user", "content": "Hm?"}]}


def test_a_request_has_defaults() -> None:
    ask = understand(json.dumps(GOOD).encode())
    assert isinstance(ask, Ask)
    assert (ask.temperature, ask.top_p, ask.max_tokens, ask.seed, ask.stop) == (1.0, 1.0, None, None, [])


def test_a_wish_to_end_is_no_request() -> None:
    assert understand(b'{"id": "1", "stop": true}') == End("1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("messages", "Hm?"),
        ("messages", [1]),
        ("temperature", 3),
        ("temperature", "hot"),
        ("top_p", -0.1),
        ("max_tokens", 0),
        ("stop", [""]),
        ("stop", False),
        ("seed", "a"),
        ("n", 2),
        ("top_logprobs", 21),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_the_id(name: str, value: Any) -> None:
    with pytest.raises(Rejected, match=name) as refused:
        understand(json.dumps(GOOD | {name: value}).encode())
    assert refused.value.request_id == "1"


@pytest.mark.parametrize("line", [b"junk", b"[]", b"null", b'{"id": 5}', b"[" * 100_000, b"\xff"])
def test_a_line_that_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(Rejected, match="cannot be read") as refused:
        understand(line)
    assert refused.value.request_id is None
