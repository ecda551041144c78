"""Answers stream, stop at any moment and end honestly: what is cut, stalled or malformed is never taken for whole."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import BadCredentials, NotThere, ServiceBroken, ServiceError, Throttled, Unreachable
from lib.playground.talk import Answer, Answering, ask
from lib.services.connection import Connection
from tests.protocol_server import (
    Cut,
    Dropped,
    Fault,
    Held,
    Html,
    Plain,
    ProtocolServer,
    Refused,
    Replaced,
    refused_by_code,
)

MODEL = "open-base-8b"
CHAT = "/chat/completions"
QUESTION = [{"role": "user", "content": "tell me of the long and winding road"}]
TEXT = "You said: tell me of the long and winding road"


def whole(answering: Answering) -> Answer:
    for _ in answering:
        pass
    return answering.answer


def sse(*chunks: Any, done: bool = True) -> Fault:
    lines = [f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks]
    return Plain("".join([*lines, "data: [DONE]\n\n" if done else ""]).encode(), content_type="text/event-stream")


def chunk(text: str | None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def test_text_comes_in_pieces_and_the_answer_has_its_figures(server: ProtocolServer, connection: Connection) -> None:
    answering = ask(connection, MODEL, QUESTION)
    pieces = list(answering)
    answer = answering.answer
    assert len(pieces) > 3
    assert "".join(pieces) == answer.text == TEXT
    assert answer.complete
    assert (answer.finish_reason, answer.problem, answer.stopped) == ("stop", None, False)
    assert (answer.tokens_in, answer.tokens_out) == (8, 10)
    assert answer.first_token_seconds is not None
    assert 0 < answer.first_token_seconds <= answer.seconds


def test_settings_are_sent_as_given_and_left_out_when_not(server: ProtocolServer, connection: Connection) -> None:
    whole(ask(connection, MODEL, QUESTION))
    whole(ask(connection, MODEL, QUESTION, temperature=0.0, max_tokens=3, seed=5, stop=["\n"]))
    plain, full = (one.json for one in server.requests)
    assert set(plain) == {"model", "messages", "stream", "stream_options"}
    assert (full["temperature"], full["max_tokens"], full["seed"], full["stop"]) == (0.0, 3, 5, ["\n"])


def test_a_bounded_answer_is_complete_and_says_why_it_ended(server: ProtocolServer, connection: Connection) -> None:
    answer = whole(ask(connection, MODEL, QUESTION, max_tokens=3))
    assert (answer.text, answer.finish_reason, answer.complete) == ("You said: tell", "length", True)


def test_tokens_that_were_not_counted_are_not_invented(server: ProtocolServer, connection: Connection) -> None:
    server.next("POST", CHAT, sse(chunk("hello"), chunk(None, "stop")))
    answer = whole(ask(connection, MODEL, QUESTION))
    assert (answer.tokens_in, answer.tokens_out, answer.complete) == (None, None, True)


@pytest.mark.parametrize("clean", [False, True], ids=["torn", "closed"])
def test_wherever_a_stream_is_cut_it_is_incomplete(server: ProtocolServer, connection: Connection, clean: bool) -> None:
    sizes: list[int] = []
    server.next("POST", CHAT, Replaced(lambda body: sizes.append(len(body)) or body))  # type: ignore[func-returns-value]
    assert whole(ask(connection, MODEL, QUESTION)).complete
    bytes_after_the_reason = 2 * len(json.dumps(chunk(None, "stop"))) + 200
    for after in range(0, sizes[0] - bytes_after_the_reason, 150):
        server.next("POST", CHAT, Cut(after, clean=clean))
        answering = ask(connection, MODEL, QUESTION)
        try:
            answer = whole(answering)
        except ServiceError:
            answer = answering.answer
            assert answer.text == ""
        assert not answer.complete
        assert TEXT.startswith(answer.text)
        assert isinstance(answer.problem, ServiceBroken if clean else Unreachable)


def test_a_stream_torn_after_its_reason_is_not_called_whole(server: ProtocolServer, connection: Connection) -> None:
    server.next("POST", CHAT, Replaced(lambda body: body.replace(b"data: [DONE]\n\n", b'data: {"broken\n\n')))
    answer = whole(ask(connection, MODEL, QUESTION))
    assert answer.finish_reason == "stop"
    assert not answer.complete
    assert isinstance(answer.problem, ServiceBroken)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused_by_code(401, "invalid_api_key", "Incorrect API key"), BadCredentials),
        (refused_by_code(404, "model_not_found", "The model 'x' does not exist"), NotThere),
        (refused_by_code(429, "rate_limit_exceeded", "Slow", retry_after="1"), Throttled),
        (Refused(500), ServiceBroken),
        (Html(), ServiceBroken),
        (Dropped(), Unreachable),
        (sse("{not json"), ServiceBroken),
        (sse({"error": {"message": "out of memory", "code": None}}), ServiceBroken),
        (sse({"error": "as a text"}), ServiceBroken),
    ],
)
def test_a_refusal_before_the_first_piece_is_raised_and_sent_once(
    server: ProtocolServer, connection: Connection, fault: Fault, error: type[ServiceError]
) -> None:
    server.next("POST", CHAT, fault)
    answering = ask(connection, MODEL, QUESTION)
    with pytest.raises(error) as told:
        list(answering)
    assert type(told.value) is error
    assert answering.answer.problem is told.value
    assert not answering.answer.complete
    assert server.count("POST", CHAT) == 1


def test_an_error_in_the_middle_keeps_what_came(server: ProtocolServer, connection: Connection) -> None:
    server.next("POST", CHAT, sse(chunk("half an "), {"error": {"message": "out of memory"}}))
    answer = whole(ask(connection, MODEL, QUESTION))
    assert answer.text == "half an "
    assert not answer.complete
    assert answer.problem is not None
    assert "out of memory" in (answer.problem.raw or "")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"content": None}}]},
        {"choices": [{"index": 0, "delta": {"content": "", "tool_calls": None}}], "usage": None},
    ],
)
def test_chunks_without_text_do_no_harm(server: ProtocolServer, connection: Connection, odd: dict[str, Any]) -> None:
    server.next("POST", CHAT, sse(odd, chunk("fine"), odd, chunk(None, "stop"), odd))
    answer = whole(ask(connection, MODEL, QUESTION))
    assert (answer.text, answer.complete) == ("fine", True)


def test_half_a_character_does_not_get_further(server: ProtocolServer, connection: Connection) -> None:
    server.next("POST", CHAT, sse(chunk("\ud83d"), chunk("\U0001f600"), chunk(None, "stop")))
    assert whole(ask(connection, MODEL, QUESTION)).text == "\ufffd\U0001f600"


@pytest.mark.parametrize("after", [None, 900], ids=["before the first byte", "in the middle"])
def test_a_stop_does_not_wait_for_a_service_that_is_silent(
    server: ProtocolServer, connection: Connection, after: int | None
) -> None:
    held = Held(after)
    server.next("POST", CHAT, held)
    answering = ask(connection, MODEL, QUESTION)
    got: list[Answer] = []
    talking = threading.Thread(target=lambda: got.append(whole(answering)))
    talking.start()
    assert held.reached.wait(10)
    if after is not None:
        _until(lambda: answering.answer.text != "")
    answering.stop()
    talking.join(10)
    assert not talking.is_alive()
    answer = got[0]
    assert (answer.complete, answer.stopped, answer.problem) == (False, True, None)
    assert TEXT.startswith(answer.text)
    assert (answer.text != "") == (after is not None)
    held.go_on.set()
    assert answering.answer == answer


def test_a_stop_before_the_beginning_sends_nothing(server: ProtocolServer, connection: Connection) -> None:
    answering = ask(connection, MODEL, QUESTION)
    answering.stop()
    answer = whole(answering)
    assert (answer.text, answer.complete, answer.stopped) == ("", False, True)
    assert server.requests == []


def test_leaving_the_iteration_ends_the_answer(server: ProtocolServer, connection: Connection) -> None:
    answering = ask(connection, MODEL, QUESTION)
    for _ in answering:
        break
    assert not answering.answer.complete
    before = answering.answer
    answering.stop()
    assert answering.answer == before


def test_a_stop_after_the_end_changes_nothing(server: ProtocolServer, connection: Connection) -> None:
    answering = ask(connection, MODEL, QUESTION)
    assert whole(answering).complete
    answering.stop()
    assert answering.answer.complete


def test_openai_gets_the_new_name_of_the_bound(server: ProtocolServer, connection: Connection) -> None:
    from dataclasses import replace

    openai = replace(connection, service=replace(connection.service, kind="openai"))
    whole(ask(openai, MODEL, QUESTION, max_tokens=3))
    assert server.requests[0].json["max_completion_tokens"] == 3
    assert "max_tokens" not in server.requests[0].json


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)
