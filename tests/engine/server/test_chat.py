"""Chat completions: whole and streamed, n, stop, tools, logprobs, usage; and what happens when somebody goes away."""

from __future__ import annotations

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.engine.server.conftest import BASE, Running, Start, eventually


def told(words: str) -> list[Any]:
    return [{"role": "user", "content": words}]


def events_of(engine: Running, **body: Any) -> list[str]:
    """The data of each event of a raw stream."""
    with engine.http.stream("POST", "chat/completions", json={"model": BASE, "stream": True} | body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.read().decode()
    assert text.endswith("\n\n")
    return [event.removeprefix("data: ") for event in text.split("\n\n")[:-1]]


def test_a_whole_answer(engine: Running) -> None:
    answer = engine.strict.chat.completions.create(model="base-one", messages=told("hello"), seed=5)
    assert answer.model == BASE
    assert answer.id.startswith("chatcmpl-")
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (f"{BASE} says hello 5", "stop")
    assert choice.logprobs is None
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (7, 4, 11)


def test_a_stream_begins_with_the_role_and_ends_with_done(engine: Running) -> None:
    *chunks, done = events_of(engine, messages=told("hello"), seed=5)
    assert done == "[DONE]"
    parsed = [json.loads(chunk) for chunk in chunks]
    assert {chunk["object"] for chunk in parsed} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in parsed}) == 1
    deltas = [chunk["choices"][0] for chunk in parsed]
    assert deltas[0]["delta"]["role"] == "assistant"
    assert "".join(delta["delta"].get("content", "") for delta in deltas) == f"{BASE} says hello 5"
    assert [delta["finish_reason"] for delta in deltas] == [None] * (len(deltas) - 1) + ["stop"]
    assert not any("usage" in chunk for chunk in parsed)


def test_the_clients_own_stream_and_its_usage(engine: Running) -> None:
    stream = engine.strict.chat.completions.create(
        model=BASE, messages=told("hi"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 11
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks[:-1])
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_several_answers_have_their_own_seeds(engine: Running) -> None:
    answer = engine.strict.chat.completions.create(model=BASE, messages=told("x"), n=3, seed=10)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert [str(choice.message.content).split()[-1] for choice in answer.choices] == ["10", "11", "12"]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 12)
    parsed = [json.loads(event) for event in events_of(engine, messages=told("x"), n=2)[:-1]]
    assert {chunk["choices"][0]["index"] for chunk in parsed} == {0, 1}
    assert sum(chunk["choices"][0]["finish_reason"] == "stop" for chunk in parsed) == 2


def test_content_may_be_parts_but_only_of_text(engine: Running) -> None:
    parts = [{"type": "text", "text": "in"}, {"type": "text", "text": "parts"}]
    messages: Any = [{"role": "developer", "content": parts}, {"role": "user", "content": parts}]
    answer = engine.strict.chat.completions.create(model=BASE, messages=messages)
    assert "inparts" in str(answer.choices[0].message.content)
    image: Any = [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/canary"}}]
    with pytest.raises(openai.BadRequestError, match="text only") as refused:
        engine.client.chat.completions.create(model=BASE, messages=[{"role": "user", "content": image}])
    assert refused.value.param == "messages[0].content[0].type"


def test_tokens_are_bounded_by_either_name(engine: Running) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        answer = engine.http.post("chat/completions", json={"model": BASE, "messages": told("a b c"), name: 2}).json()
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == 2
    huge = engine.http.post("chat/completions", json={"model": BASE, "messages": told("a"), "max_tokens": 10**9})
    assert huge.status_code == 200


def test_logprobs_are_there_when_asked_for(engine: Running) -> None:
    answer = engine.strict.chat.completions.create(model=BASE, messages=told("hi"), logprobs=True, top_logprobs=2)
    content = answer.choices[0].logprobs.content  # type: ignore[union-attr]
    assert "".join(token.token for token in content or []) == answer.choices[0].message.content
    with pytest.raises(openai.BadRequestError):
        engine.client.chat.completions.create(model=BASE, messages=told("hi"), top_logprobs=2)


def test_tool_calls_carry_their_arguments_as_text(engine: Running) -> None:
    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    answer = engine.strict.chat.completions.create(model=BASE, messages=told("x"), tools=tools)
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    call: Any = (choice.message.tool_calls or [])[0]
    assert (call.type, call.function.name, call.function.arguments) == ("function", "look", '{"a": 1}')
    assert call.id.startswith("call_")
    with engine.strict.chat.completions.stream(model=BASE, messages=told("x"), tools=tools) as stream:
        streamed: Any = stream.get_final_completion().choices[0]
    assert streamed.message.tool_calls[0].function.arguments == '{"a": 1}'
    assert streamed.finish_reason == "tool_calls"
    without = engine.strict.chat.completions.create(model=BASE, messages=told("x"), tools=tools, tool_choice="none")
    assert without.choices[0].finish_reason == "stop"


def test_parameters_that_nobody_knows_are_ignored(engine: Running) -> None:
    answer = engine.http.post(
        "chat/completions",
        json={"model": BASE, "messages": told("x"), "num_beams": 4, "user": "me", "frequency_penalty": 1},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"model": 3}, "model"),
        ({"model": None}, "model"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_name(engine: Running, fields: dict[str, Any], param: str) -> None:
    body = {
        name: value for name, value in ({"model": BASE, "messages": told("x")} | fields).items() if value is not None
    }
    answer = engine.http.post("chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_refusal_of_the_model_comes_with_its_status_even_for_a_stream(engine: Running) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            engine.client.chat.completions.create(model=BASE, messages=told("too long"), stream=stream)
        assert refused.value.code == "context_length_exceeded"


def test_many_answers_at_once_stay_apart(engine: Running) -> None:
    def ask(number: int) -> str:
        with engine.new_client() as client:
            answer = client.chat.completions.create(model=BASE, messages=told(f"n{number}"))
        return str(answer.choices[0].message.content)

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(ask, range(24)))
    assert [answer.split()[2] for answer in answers] == [f"n{number}" for number in range(24)]


def test_a_checkpoint_and_a_fine_tune_answer_with_their_own_weights(engine: Running) -> None:
    job = engine.wait(engine.job(hyperparameters={"n_epochs": 2}).id)
    for model, folder in (
        (f"{job.fine_tuned_model}:ckpt-step-5", "step-5"),
        (job.fine_tuned_model, job.fine_tuned_model.rpartition(":")[2]),
    ):
        answer = engine.strict.chat.completions.create(model=model, messages=told("x"))
        assert answer.model == model
        assert str(answer.choices[0].message.content).startswith(f"{folder} says")


def test_the_answering_process_is_there_before_the_first_question(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    assert children(engine.pid) == []
    engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    (answerer,) = children(engine.pid)
    engine.client.chat.completions.create(model=BASE, messages=told("hi"))
    assert children(engine.pid) == [answerer]
    assert engine.close() == 0


def test_a_dead_answering_process_fails_its_answers_and_is_started_again(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    with pytest.raises(openai.InternalServerError) as broken:
        engine.client.chat.completions.create(model=BASE, messages=told("die"))
    assert broken.value.type == "server_error"
    assert engine.client.chat.completions.create(model=BASE, messages=told("again")).choices[0].finish_reason == "stop"
    pieces = iter(engine.client.chat.completions.create(model=BASE, messages=told("for ever"), stream=True))
    assert next(pieces).choices[0].delta.role == "assistant"
    for child in children(engine.pid):
        os.kill(child, signal.SIGKILL)
    with pytest.raises(openai.APIError, match="ended in the middle"):
        list(pieces)
    assert engine.client.chat.completions.create(model=BASE, messages=told("again")).choices[0].finish_reason == "stop"
    assert engine.close() == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_generation_ends_when_its_client_goes_away(start_engine: Start, tmp_path: Path, stream: bool) -> None:
    engine = start_engine(tmp_path / "home")
    body = json.dumps({"model": BASE, "messages": told("for ever"), "stream": stream})
    with socket.create_connection(("127.0.0.1", engine.port)) as connection:
        connection.sendall(
            (
                f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
                f"Authorization: Bearer {engine.api_key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )
        if stream:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        else:
            eventually(lambda: children(engine.pid))
            engine.client.chat.completions.create(model=BASE, messages=told("beside it"))
        assert "stopped" not in (tmp_path / "home" / "answer.log").read_text()
    eventually(lambda: (tmp_path / "home" / "answer.log").read_text().count("stopped") == 1)
    assert engine.close() == 0
    assert "Traceback" not in engine.log.read_text()


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("needs /proc to find a process's children")
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
