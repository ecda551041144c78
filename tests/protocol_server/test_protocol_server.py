"""The server under test conditions: the official client gets through a whole job, and each fault does what it says."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.protocol_server import (
    Cut,
    Dropped,
    Held,
    Html,
    Lost,
    ProtocolServer,
    Refused,
    Truncated,
    refused_by_code,
)

BASE = "gpt-4o-mini-2024-07-18"
LINES = b"\n".join(json.dumps({"messages": [{"role": "user", "content": str(n)}]}).encode() for n in range(12))


@pytest.fixture
def client(server: ProtocolServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as client:
        yield client


def test_a_job_goes_from_upload_to_chat(server: ProtocolServer, client: OpenAI) -> None:
    file = client.files.create(file=("train.jsonl", LINES), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file.id,
        validation_file=file.id,
        suffix="tone",
        metadata={"mark": "a"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 3}}},
    )
    assert job.status == "validating_files"
    assert job.fine_tuned_model is None
    seen = []
    while job.status != "succeeded":
        job = client.fine_tuning.jobs.retrieve(job.id)
        seen.append(job.status)
    assert seen == ["validating_files", "queued", "running", "running", "succeeded"]
    assert job.fine_tuned_model is not None
    assert job.fine_tuned_model.startswith(f"ft:{BASE}:test:tone:")
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=3))
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    steps = [event.data["step"] for event in events if event.type == "metrics" and isinstance(event.data, dict)]
    assert steps == list(range(8, 0, -1))
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [one.step_number for one in checkpoints] == [8, 4]
    table = base64.b64decode(client.files.content(job.result_files[0]).read()).decode()
    assert table.startswith("step,train_loss,train_accuracy")
    for model in (BASE, job.fine_tuned_model, checkpoints[0].fine_tuned_model_checkpoint):
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hello"}])
        assert answer.choices[0].message.content == "You said: hello"
    assert [one.id for one in client.fine_tuning.jobs.list(metadata={"mark": "a"})] == [job.id]
    assert not list(client.fine_tuning.jobs.list(metadata={"mark": "b"}))
    assert client.models.delete(job.fine_tuned_model).deleted
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete(BASE)


def test_cancelling_twice_is_an_error(server: ProtocolServer, client: OpenAI) -> None:
    file = client.files.create(file=("train.jsonl", LINES), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        client.fine_tuning.jobs.cancel(job.id)


def test_events_can_come_shuffled_and_twice(server: ProtocolServer, client: OpenAI) -> None:
    server.world.events_shuffled = server.world.events_twice = True
    file = client.files.create(file=("train.jsonl", LINES), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
    server.world.succeed(server.world.jobs[job.id])
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=7))
    true = [event["id"] for event in server.world.jobs[job.id].events]
    assert sorted({event.id for event in events}) == sorted(true)
    assert len(events) > len(true)
    assert [event.id for event in events] != true[::-1]


def test_a_wrong_key_is_refused_and_logged(server: ProtocolServer) -> None:
    other = OpenAI(base_url=server.base_url, api_key="sk-other", max_retries=0)
    with other, pytest.raises(openai.AuthenticationError) as refusal:
        other.models.list()
    assert refusal.value.code == "invalid_api_key"
    assert server.requests[0].headers["authorization"] == "Bearer sk-other"


def test_a_lost_answer_took_effect_and_a_dropped_request_did_not(server: ProtocolServer, client: OpenAI) -> None:
    server.next("POST", "/files", Dropped())
    with pytest.raises(openai.APIConnectionError):
        client.files.create(file=("train.jsonl", LINES), purpose="fine-tune")
    assert not server.world.files
    server.next("POST", "/files", Lost())
    with pytest.raises(openai.APIConnectionError):
        client.files.create(file=("train.jsonl", LINES), purpose="fine-tune")
    assert len(server.world.files) == 1
    assert server.count("POST", "/files") == 2


def test_refusals_and_pages_and_halves(server: ProtocolServer, client: OpenAI) -> None:
    server.next("GET", "/models", refused_by_code(429, "rate_limit_exceeded", "Slowly.", retry_after="2"))
    with pytest.raises(openai.RateLimitError) as slow:
        client.models.list()
    assert slow.value.response.headers["retry-after"] == "2"
    server.next("GET", "/models", Refused(500, body={"detail": "no"}))
    with pytest.raises(openai.InternalServerError):
        client.models.list()
    server.next("GET", "/models", Html())
    with pytest.raises(AttributeError):
        client.models.list()
    server.next("GET", "/models", Truncated(20))
    with pytest.raises(json.JSONDecodeError):
        client.models.list()
    assert client.models.list().data


def test_streams_come_whole_cut_and_held(server: ProtocolServer, client: OpenAI) -> None:
    def ask() -> list[str | None]:
        stream = client.chat.completions.create(
            model=BASE, messages=[{"role": "user", "content": "one two"}], stream=True
        )
        return [chunk.choices[0].delta.content or chunk.choices[0].finish_reason for chunk in stream]

    assert ask() == [None, "You", " said:", " one", " two", "stop"]
    server.next("POST", "/chat/completions", Cut(300))
    with pytest.raises(openai.APIConnectionError):
        ask()
    server.next("POST", "/chat/completions", Cut(300, clean=True))
    assert "stop" not in ask()
    held = Held(300)
    server.next("POST", "/chat/completions", held)
    got: list[list[str | None]] = []
    thread = threading.Thread(target=lambda: got.append(ask()))
    thread.start()
    assert held.reached.wait(10)
    assert not got
    held.go_on.set()
    thread.join(10)
    assert got[0][-1] == "stop"
