"""The Responses API: whole and streamed in OpenAI's order, calls, JSON, what is kept, and what goes on from it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from lib.engine import response_shelf
from lib.engine.protocol import BODY_LIMIT
from lib.engine.response_shelf import ResponseShelf
from lib.engine.store import SCHEMAS, Store
from lib.errors import NotThere, Rejected
from tests.engine.server.conftest import BASE, Running, Start, eventually
from tests.engine.server.test_chat import children
from tests.engine.server.test_chat_request import ASKED, SCHEMA

LOOK: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
FIND: Any = {"type": "function", "name": "find", "parameters": SCHEMA}


def asked(engine: Running, **body: Any) -> dict[str, Any]:
    """What the answering process is asked when the body has these fields."""
    response = engine.http.post("responses", json={"model": BASE, "input": ASKED} | body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = json.loads(response.json()["output"][0]["content"][0]["text"])
    return found


def refused(engine: Running, **body: Any) -> dict[str, Any]:
    answer = engine.http.post("responses", json={"model": BASE, "input": "x"} | body)
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert (error["type"], set(error)) == ("invalid_request_error", {"message", "type", "param", "code"})
    return error


def events_of(engine: Running, **body: Any) -> list[dict[str, Any]]:
    """The events of a raw stream."""
    with engine.http.stream("POST", "responses", json={"model": BASE, "input": "hello", "stream": True} | body) as raw:
        assert raw.headers["content-type"].startswith("text/event-stream")
        text = raw.read().decode()
    assert text.endswith("\n\n")
    assert "[DONE]" not in text
    events = []
    for event in text.split("\n\n")[:-1]:
        name, data = event.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def test_a_whole_response(engine: Running) -> None:
    response = engine.strict.responses.create(model="base-one", input="hello", metadata={"case": "7"}, user="me")
    assert response.id.startswith("resp_")
    assert (response.status, response.model, response.object) == ("completed", BASE, "response")
    assert response.output_text == f"{BASE} says hello None"
    (message,) = response.output
    assert message.type == "message"
    assert (message.role, message.status, message.id[:4]) == ("assistant", "completed", "msg_")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 4, 11)
    assert (response.error, response.incomplete_details, response.previous_response_id) == (None, None, None)
    assert (response.metadata, response.user, response.store) == ({"case": "7"}, "me", True)  # type: ignore[attr-defined]
    assert (response.tools, response.tool_choice, response.parallel_tool_calls) == ([], "auto", True)
    assert response.text is not None
    assert response.text.format is not None
    assert response.text.format.type == "text"


def test_a_stream_tells_everything_in_order(engine: Running) -> None:
    events = events_of(engine)
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    text = "".join(event["delta"] for event in events[4:-4])
    assert text == f"{BASE} says hello None"
    assert events[0]["response"] | {} == events[1]["response"]
    assert (events[0]["response"]["status"], events[0]["response"]["output"]) == ("in_progress", [])
    assert events[2]["item"] == {
        "id": events[2]["item"]["id"],
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    assert events[3]["part"] == {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    assert {event["item_id"] for event in events[3:-2]} == {events[2]["item"]["id"]}
    assert events[-4]["text"] == events[-3]["part"]["text"] == events[-2]["item"]["content"][0]["text"] == text
    final = events[-1]["response"]
    assert (final["status"], final["output"]) == ("completed", [events[-2]["item"]])
    assert final["usage"]["total_tokens"] == 11
    assert final["id"] == events[0]["response"]["id"]
    assert engine.http.get(f"responses/{final['id']}").json() == final


def test_the_clients_own_stream(engine: Running) -> None:
    with engine.strict.responses.stream(model=BASE, input="hello") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == f"{BASE} says hello None"
    assert final.status == "completed"
    kinds = [event.type for event in engine.strict.responses.create(model=BASE, input="hello", stream=True)]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


def test_an_answer_cut_short_is_incomplete(engine: Running) -> None:
    response = engine.strict.responses.create(model=BASE, input="hello", max_output_tokens=2)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output[0].status == "incomplete"  # type: ignore[union-attr]
    events = events_of(engine, max_output_tokens=2)
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_call_is_an_item_with_its_arguments(engine: Running) -> None:
    response = engine.strict.responses.create(model=BASE, input="x", tools=[LOOK])
    (call,) = response.output
    assert call.type == "function_call"
    assert (call.name, call.arguments, call.status) == ("look", '{"a": 1}', "completed")
    assert call.call_id.startswith("call_")
    events = events_of(engine, input="x", tools=[LOOK])
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert (events[2]["item"]["arguments"], events[2]["item"]["status"]) == ("", "in_progress")
    assert (events[3]["delta"], events[4]["arguments"]) == ('{"a": 1}', '{"a": 1}')
    assert events[5]["item"]["call_id"] == events[2]["item"]["call_id"]
    with engine.strict.responses.stream(model=BASE, input="x", tools=[LOOK]) as stream:
        assert stream.get_final_response().output[0].type == "function_call"


def test_a_conversation_goes_on_with_the_output_of_a_call(engine: Running) -> None:
    first = engine.strict.responses.create(model=BASE, input="x", tools=[LOOK], instructions="Be brief.")
    call: Any = first.output[0]
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "42"}
    told: Any = [output, {"role": "user", "content": ASKED}]
    second = engine.strict.responses.create(model=BASE, input=told, previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert json.loads(second.output_text)["roles"] == ["user", "assistant", "tool", "user"]
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_"):
        engine.client.responses.create(model=BASE, input="and now?", previous_response_id=first.id)
    by_hand: Any = [{"role": "user", "content": "x"}, call.model_dump(exclude_none=True), *told]
    third = engine.strict.responses.create(model=BASE, input=by_hand, instructions="Be brief.")
    assert json.loads(third.output_text)["roles"] == ["system", "user", "assistant", "tool", "user"]


def test_all_that_was_answered_can_be_sent_back(engine: Running) -> None:
    first = engine.strict.responses.create(model=BASE, input="hello")
    items: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "hel"}, {"type": "input_text", "text": "lo"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        *[item.model_dump() for item in first.output],
        {"type": "message", "role": "user", "content": ASKED},
    ]
    assert asked(engine, input=items)["roles"] == ["user", "assistant", "user"]


def test_an_item_may_be_named_instead_of_repeated(engine: Running) -> None:
    first = engine.strict.responses.create(model=BASE, input="x", tools=[LOOK])
    call: Any = first.output[0]
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "42"}
    (given,) = engine.client.responses.input_items.list(first.id).data
    items: Any = [{"id": given.id}, {"type": "item_reference", "id": call.id}, output]
    told: Any = [*items, {"role": "user", "content": ASKED}]
    second = engine.strict.responses.create(model=BASE, input=told)
    assert json.loads(second.output_text)["roles"] == ["user", "assistant", "tool", "user"]
    kept = engine.client.responses.input_items.list(second.id, order="asc").data
    assert [item.id for item in kept[:2]] == [given.id, call.id]
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_"):
        engine.client.responses.create(model=BASE, input=[{"type": "item_reference", "id": call.id}])
    # A response that is forgotten takes its items with it, and only its own.
    engine.client.responses.delete(first.id)
    message: Any = [{"type": "item_reference", "id": second.output[0].id}]
    assert asked(engine, input=[*message, {"role": "user", "content": ASKED}])["roles"] == ["assistant", "user"]
    unkept = engine.client.responses.create(model=BASE, input="x", store=False).output[0].id
    for unknown in (call.id, unkept, "msg_unknown"):
        gone: Any = [{"type": "item_reference", "id": unknown}]
        with pytest.raises(openai.NotFoundError, match=f"Item with id '{unknown}' not found") as refusal:
            engine.client.responses.create(model=BASE, input=gone)
        assert (refusal.value.param, refusal.value.code) == ("input", None)
    assert refused(engine, input=[{"type": "item_reference"}])["param"] == "input[0].id"


def test_calls_belong_to_the_assistants_message_before_them(engine: Running) -> None:
    calls: Any = [{"type": "function_call", "call_id": f"call_{n}", "name": "look", "arguments": "{}"} for n in "ab"]
    outputs: Any = [{"type": "function_call_output", "call_id": f"call_{n}", "output": n} for n in "ab"]
    items = [{"role": "assistant", "content": "I look."}, *calls, *outputs, {"role": "user", "content": ASKED}]
    assert asked(engine, input=items)["roles"] == ["assistant", "tool", "tool", "user"]


def test_what_is_kept_can_be_seen_and_forgotten(engine: Running) -> None:
    items: Any = [{"role": "developer", "content": "Hm."}, {"role": "user", "content": "hello"}]
    made = engine.strict.responses.create(model=BASE, input=items)
    assert engine.strict.responses.retrieve(made.id) == made
    listed = engine.strict.responses.input_items.list(made.id)
    assert [item.role for item in listed] == ["user", "developer"]  # type: ignore[union-attr]
    oldest = engine.strict.responses.input_items.list(made.id, order="asc", limit=1)
    assert [item.role for item in oldest] == ["developer", "user"]  # type: ignore[union-attr]
    assert engine.http.get(f"responses/{made.id}/input_items", params={"after": "msg_unknown"}).status_code == 404
    assert engine.http.get(f"responses/{made.id}/input_items", params={"limit": 101}).status_code == 400
    cancelled = engine.http.post(f"responses/{made.id}/cancel")
    assert (cancelled.status_code, cancelled.json()["error"]["param"]) == (400, "response_id")
    assert engine.http.delete(f"responses/{made.id}").json() == {"id": made.id, "object": "response", "deleted": True}
    for path in (f"responses/{made.id}", f"responses/{made.id}/input_items"):
        gone = engine.http.get(path)
        assert (gone.status_code, gone.json()["error"]["message"]) == (404, f"Response with id '{made.id}' not found.")
    error = refused(engine, previous_response_id=made.id)
    assert (error["param"], error["code"]) == ("previous_response_id", "previous_response_not_found")


def test_what_is_not_to_be_kept_is_not(engine: Running) -> None:
    made = engine.strict.responses.create(model=BASE, input="hello", store=False)
    assert engine.http.get(f"responses/{made.id}").status_code == 404
    final = events_of(engine, store=False)[-1]["response"]
    assert engine.http.get(f"responses/{final['id']}").status_code == 404


def test_kept_responses_outlive_the_engine(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    made = engine.strict.responses.create(model=BASE, input="hello")
    engine.kill()
    engine = start_engine(tmp_path / "home")
    assert engine.strict.responses.retrieve(made.id) == made
    assert asked(engine, previous_response_id=made.id)["roles"] == ["user", "assistant", "user"]
    engine.close()


def test_a_schema_and_json_reach_the_model(engine: Running) -> None:
    text: Any = {"format": {"type": "json_schema", "name": "ticket", "schema": SCHEMA, "strict": True}}
    assert asked(engine, text=text)["format"] == {"name": "ticket", "schema": SCHEMA, "strict": True}
    assert asked(engine, text={"format": {"type": "json_object"}})["format"]["schema"] == {"type": "object"}
    shown = engine.strict.responses.create(model=BASE, input="x", text=text).text
    assert shown is not None
    assert shown.format is not None
    assert shown.format.type == "json_schema"


def test_who_may_and_must_be_called(engine: Running) -> None:
    tools = [LOOK, {"type": "function", "name": "stop"}]
    for choice, rules in (
        ("auto", None),
        ("required", (["look", "stop"], True)),
        ({"type": "function", "name": "stop"}, (["stop"], True)),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]},
            (["look"], False),
        ),
    ):
        said = asked(engine, tools=tools, tool_choice=choice)["calls"]
        assert (None if said is None else (said["names"], said["required"])) == rules
    assert asked(engine, tools=tools, tool_choice="none")["tools"] is None
    # A schema that strict mode takes is kept to strictly unless the request says otherwise.
    assert asked(engine, tools=[FIND])["tools"][0]["function"]["strict"] is True
    assert asked(engine, tools=[FIND | {"strict": False}])["calls"] is None


def test_logprobs_come_when_they_are_included(engine: Running) -> None:
    include: Any = ["message.output_text.logprobs"]
    response = engine.strict.responses.create(model=BASE, input="hello", include=include, top_logprobs=1)
    part: Any = response.output[0].content[0]  # type: ignore[union-attr]
    assert "".join(entry.token for entry in part.logprobs) == part.text
    events = events_of(engine, include=include)
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert all(len(event["logprobs"]) == 1 for event in deltas)
    assert not any(event.get("logprobs") for event in events_of(engine))
    assert refused(engine, top_logprobs=2)["param"] == "top_logprobs"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 4}, "input"),
        ({"input": [4]}, "input[0]"),
        ({"input": [{"role": "oracle", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": []}]}, "input[0].content"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [{"type": "computer_call"}]}, "input[0].type"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call", "call_id": "a", "name": "<|x|>", "arguments": ""}]}, "input[0].name"),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}, "input"),
        ({"model": 3}, "model"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "array"}, "strict": True}}},
            "text.format.schema",
        ),
        ({"text": {"format": {"type": "json_object"}}}, "input"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [LOOK | {"strict": True}]}, "tools[0].parameters"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [LOOK], "tool_choice": {"type": "function", "name": "other"}}, "tool_choice"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"metadata": {"a": "x" * 513}}, "metadata[...]"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"input": "too long"}, "input"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_is_out_of_bounds_is_refused_with_its_name(engine: Running, body: dict[str, Any], param: str) -> None:
    assert refused(engine, **body)["param"] == param


def test_what_is_missing_and_who_is_unknown(engine: Running) -> None:
    for body, param in (({"input": "x"}, "model"), ({"model": BASE}, "input")):
        answer = engine.http.post("responses", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert answer.json()["error"]["code"] == "missing_required_parameter"
    unknown = engine.http.post("responses", json={"model": "gpt-9", "input": "x"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    for path in ("responses/resp_unknown", "responses/resp_unknown/input_items"):
        assert engine.http.get(path).status_code == 404


def test_an_answer_that_breaks_off_is_told_as_failed(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    with pytest.raises(openai.InternalServerError):
        engine.client.responses.create(model=BASE, input="die")
    events = events_of(engine, input="die")
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["status"] == "failed"
    assert "ended in the middle" in events[-1]["response"]["error"]["message"]
    assert engine.http.get(f"responses/{events[-1]['response']['id']}").status_code == 404
    assert engine.close() == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_generation_ends_when_its_client_goes_away(start_engine: Start, tmp_path: Path, stream: bool) -> None:
    engine = start_engine(tmp_path / "home")
    body = json.dumps({"model": BASE, "input": "for ever", "stream": stream})
    with socket.create_connection(("127.0.0.1", engine.port)) as connection:
        head = (
            f"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\nAuthorization: Bearer {engine.api_key}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall((head + body).encode())
        if stream:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        else:
            eventually(lambda: children(engine.pid))
            engine.client.responses.create(model=BASE, input="beside it")
        assert "stopped" not in (tmp_path / "home" / "answer.log").read_text()
    eventually(lambda: (tmp_path / "home" / "answer.log").read_text().count("stopped") == 1)
    assert engine.close() == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "engine.db")
    yield opened
    opened.close()


def response(number: int, previous: int | None = None, **more: Any) -> dict[str, Any]:
    before = None if previous is None else f"resp_{previous}"
    made = {"id": f"resp_{number}", "previous_response_id": before, "created_at": 1000 + number, "output": []}
    return made | more


def test_responses_are_kept_for_a_month_and_within_bounds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    shelf = ResponseShelf(store, lambda: now)
    monkeypatch.setattr(response_shelf, "MOST_RESPONSES", 3)
    for number in range(5):
        shelf.add(response(number), [])
    assert [row["id"] for row in store.rows("SELECT id FROM responses")] == ["resp_2", "resp_3", "resp_4"]
    monkeypatch.setattr(response_shelf, "MOST_BYTES", 1500)
    shelf.add(response(5, output=[{"id": "msg_5", "text": "x" * 1000}]), [])
    assert shelf.get("resp_5")["output"]
    with pytest.raises(NotThere):
        shelf.get("resp_2")
    now += 31 * 24 * 3600
    shelf.add(response(6, created_at=int(now)), [])
    assert [row["id"] for row in store.rows("SELECT id FROM responses")] == ["resp_6"]
    assert store.rows("SELECT id FROM response_items") == []


def test_items_named_are_bounded_together_and_known_from_before(store: Store) -> None:
    shelf = ResponseShelf(store, lambda: 0.0)
    long = {"id": "msg_long", "type": "message", "role": "user", "content": "x" * (BODY_LIMIT // 2)}
    shelf.add({"id": "resp_1", "previous_response_id": None, "created_at": 0, "output": [{"id": "msg_a"}]}, [long])
    assert shelf.named(["msg_long", "msg_a", "msg_a"]) == {"msg_long": long, "msg_a": {"id": "msg_a"}}
    with pytest.raises(Rejected, match="more than"):
        shelf.named(["msg_long"] * 3)
    # What an older version kept is found as well.
    with store.change() as db:
        db.execute("DROP TABLE response_items")
        for statement in SCHEMAS[3].read_text(encoding="utf-8").split(";"):
            db.execute(statement)
    assert set(shelf.named(["msg_long", "msg_a"])) == {"msg_long", "msg_a"}


def test_a_conversation_that_leads_too_far_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = ResponseShelf(store, lambda: 1000.0)
    for number in range(4):
        shelf.add(response(number, number - 1 if number else None), [{"id": f"msg_{number}"}])
    assert [item["id"] for item in shelf.conversation("resp_3")] == ["msg_0", "msg_1", "msg_2", "msg_3"]
    assert shelf.conversation(None) == []
    monkeypatch.setattr(response_shelf, "BODY_LIMIT", 200)
    with pytest.raises(Rejected) as refused:
        shelf.conversation("resp_3")
    assert refused.value.code == "context_length_exceeded"
    shelf.remove("resp_1")
    monkeypatch.setattr(response_shelf, "BODY_LIMIT", 10_000)
    with pytest.raises(Rejected, match="resp_1' not found"):
        shelf.conversation("resp_3")
