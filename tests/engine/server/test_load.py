"""More than there is room for: too many answers, messages and bytes are refused, and nobody else notices."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import openai
import pytest

from lib.engine.answering import AT_ONCE, WAITING
from lib.engine.guard import MOST_AT_ONCE
from tests.engine.server.conftest import BASE, Running, Start, eventually
from tests.engine.server.test_chat import told
from tests.engine.server.test_real_answers import MODEL
from tests.engine.server.test_real_answers import engine as real_engine

__all__ = ["real_engine"]


def connect(engine: Running, body: dict[str, Any], missing: int = 0) -> socket.socket:
    """A chat request that has been sent, but for `missing` bytes of its body, and whose answer nobody reads."""
    said = json.dumps({"model": BASE} | body)
    connection = socket.create_connection(("127.0.0.1", engine.port), timeout=10)
    connection.sendall(
        (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
            f"Authorization: Bearer {engine.api_key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(said) + missing}\r\n\r\n{said}"
        ).encode()
    )
    return connection


def test_more_answers_than_fit_are_refused_for_a_moment(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    with connect(engine, {"messages": told("for ever"), "stream": True, "n": 128}) as endless:
        assert endless.recv(100).startswith(b"HTTP/1.1 200")
        room = AT_ONCE + WAITING - 128
        full = {"model": BASE, "messages": told("x"), "n": room + 1}
        for path, body in (("chat/completions", full), ("chat/completions", full | {"stream": True})):
            answer = engine.http.post(path, json=body)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["error"]["type"] == "rate_limit_error"
        assert engine.http.get("models").status_code == 200
    eventually(lambda: engine.http.post("chat/completions", json=full).status_code == 200)
    assert engine.close() == 0


def test_more_requests_than_fit_are_refused_for_a_moment(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    held = []
    try:
        for _ in range(MOST_AT_ONCE):
            held.append(connect(engine, {"messages": told("x")}, missing=1))
        refused = eventually(lambda: (answer := engine.http.get("models")).status_code == 429 and answer)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["type"] == "rate_limit_error"
    finally:
        for connection in held:
            connection.close()
    assert eventually(lambda: engine.http.get("models").status_code == 200)
    assert engine.close() == 0


def test_more_messages_than_are_read_are_refused(engine: Running) -> None:
    for path, body in (
        ("chat/completions", {"messages": told("x") * 2049}),
        ("responses", {"input": told("x") * 2049}),
    ):
        answer = engine.http.post(path, json={"model": BASE} | body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "array_above_max_length")
    assert engine.http.post("chat/completions", json={"model": BASE, "messages": told("x") * 2048}).status_code == 200


@pytest.mark.parametrize("words", ["x", "word ", "\u0000", "💥"], ids=["letters", "words", "nul", "signs"])
def test_a_prompt_of_megabytes_is_refused_by_the_model_and_holds_nobody_up(real_engine: Running, words: str) -> None:
    client = real_engine.client
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=told(words * (1_000_000 // len(words))))
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "messages")
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=MODEL, input=words * (1_000_000 // len(words)))
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "input")
    answer = client.chat.completions.create(model=MODEL, messages=told("x"), max_tokens=10**9, seed=1)
    assert answer.usage is not None
    assert answer.usage.total_tokens <= 513
