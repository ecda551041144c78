"""Two answers at once: in step, stopped at any moment, and always kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.playground import conversations
from lib.playground.conversations import Column, Conversation
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service
from lib.ui.playground_stream import Answers, Side
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer
from tests.protocol_server.faults import Cut, Held

MODELS = ("open-base-8b", "gpt-4.1-2025-04-14")


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with ProtocolServer() as running:
        running.world.answer = lambda body: "one two three four five six"
        yield running


@pytest.fixture
def connection(server: ProtocolServer) -> Iterator[Connection]:
    service = Service("svc_1", "other", "Lab", server.base_url, "session")
    made = connect(service, Secret(server.api_key, service.origin))
    yield made
    made.close()


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path)


@pytest.fixture
def said(ws: Workspace) -> Conversation:
    begun = conversations.create(ws, [Column("svc_1", model) for model in MODELS])
    conversations.question(ws, begun.id, "Count")
    return begun


def begin(ws: Workspace, said: Conversation, connection: Connection) -> Answers:
    sides = [
        Side(
            connection, model, [{"role": "user", "content": "Count"}], conversations.begin_answer(ws, said.id, place).id
        )
        for place, model in enumerate(MODELS)
    ]
    return Answers(ws, said, sides)


def kept(ws: Workspace, said: Conversation) -> list[tuple[str, str]]:
    return [(turn.state, turn.content) for turn in conversations.turns(ws, said.id) if turn.column is not None]


def test_both_answers_grow_to_their_end_and_are_kept(ws: Workspace, said: Conversation, connection: Connection) -> None:
    texts: dict[int, str] = {}
    for side, text in begin(ws, said, connection):
        assert text.startswith(texts.get(side, ""))
        texts[side] = text
    assert set(texts.values()) == {"one two three four five six"}
    assert kept(ws, said) == [("complete", "one two three four five six")] * 2


def test_a_stop_keeps_what_came_and_waits_for_no_silent_service(
    ws: Workspace, said: Conversation, connection: Connection, server: ProtocolServer
) -> None:
    silent = Held(after=1200)
    server.next("POST", "/chat/completions", silent, times=None)
    answers = begin(ws, said, connection)
    try:
        for _, text in answers:
            if text:
                break
    finally:
        answers.stop()
        silent.go_on.set()
    states = [state for state, _ in kept(ws, said)]
    assert states == ["incomplete", "incomplete"]
    assert any(text.startswith("one") for _, text in kept(ws, said))


def test_a_silent_side_repeats_what_it_has_so_that_a_screen_can_notice_a_stop(
    ws: Workspace, said: Conversation, connection: Connection, server: ProtocolServer
) -> None:
    silent = Held(after=None)
    server.next("POST", "/chat/completions", silent, times=None)
    answers = begin(ws, said, connection)
    try:
        assert next(iter(answers)) == (0, "")
    finally:
        answers.stop()
        silent.go_on.set()


def test_a_cut_or_refused_side_does_not_disturb_the_other(
    ws: Workspace, said: Conversation, connection: Connection, server: ProtocolServer
) -> None:
    del server.world.models[MODELS[0]]
    for _ in begin(ws, said, connection):
        pass
    assert kept(ws, said) == [("failed", ""), ("complete", "one two three four five six")]
    server.world.add_model(MODELS[0])
    server.next("POST", "/chat/completions", Cut(700), times=2)
    for _ in begin(ws, said, connection):
        pass
    assert [state for state, _ in kept(ws, said)] == ["incomplete", "incomplete"]
