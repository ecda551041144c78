"""Conversations are there after a reload: every question, every answer in its column, and how each ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib.errors import NotThere, WorkspaceError
from lib.playground import conversations
from lib.playground.conversations import Column
from lib.playground.talk import Answer
from lib.workspace.database import Workspace

BASE, TUNED = Column("embedded", "base"), Column("embedded", "ft:base:me::x")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    now = iter(range(1000, 100_000))
    return Workspace.open(tmp_path / "home", clock=lambda: float(next(now)))


def said(text: str, **more: object) -> Answer:
    usual = Answer(text, "base", "stop", True, 3, 4, 0.1, 0.5)
    return replace(usual, **more)  # type: ignore[arg-type]


def test_two_columns_answer_and_each_model_sees_its_own_answers(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE, TUNED], system="Be brief.", temperature=0.0, max_tokens=64)
    conversations.question(ws, made.id, "What is\n  the capital of France?")
    for column, text in ((1, "Paris, of course."), (0, "France")):
        turn = conversations.begin_answer(ws, made.id, column)
        conversations.finish(ws, turn.id, said(text))
    conversations.question(ws, made.id, "And of Spain?")
    again = Workspace.open(ws.home)
    found = conversations.conversation(again, made.id)
    assert (found.columns, found.system, found.temperature, found.max_tokens) == ((BASE, TUNED), "Be brief.", 0.0, 64)
    assert found.title == "What is the capital of France?"
    assert [(turn.position, turn.column, turn.content) for turn in conversations.turns(again, made.id)] == [
        (0, None, "What is\n  the capital of France?"),
        (1, 0, "France"),
        (1, 1, "Paris, of course."),
        (2, None, "And of Spain?"),
    ]
    assert [message["content"] for message in conversations.messages_for(again, made.id, 1)] == [
        "Be brief.",
        "What is\n  the capital of France?",
        "Paris, of course.",
        "And of Spain?",
    ]
    assert conversations.messages_for(again, made.id, 0)[2]["content"] == "France"


def test_what_streams_in_is_kept_as_it_comes(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE])
    conversations.question(ws, made.id, "Hello")
    turn = conversations.begin_answer(ws, made.id, 0)
    conversations.keep_so_far(ws, turn.id, "Good mor")
    seen = conversations.turns(Workspace.open(ws.home), made.id)[-1]
    assert (seen.state, seen.content, seen.model) == ("streaming", "Good mor", "base")
    assert conversations.messages_for(ws, made.id, 0) == [{"role": "user", "content": "Hello"}]
    conversations.finish(ws, turn.id, said("Good morning."))
    conversations.keep_so_far(ws, turn.id, "too late")
    seen = conversations.turns(ws, made.id)[-1]
    assert (seen.state, seen.content) == ("complete", "Good morning.")
    assert seen.facts == {
        "tokens_in": 3,
        "tokens_out": 4,
        "seconds": 0.5,
        "first_token_seconds": 0.1,
        "finish_reason": "stop",
        "stopped": False,
        "problem": None,
    }


def test_a_part_is_never_sent_back_as_an_answer(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE])
    conversations.question(ws, made.id, "Hello")
    turn = conversations.begin_answer(ws, made.id, 0)
    gone = NotThere("It is gone.", "Look elsewhere.", raw="HTTP 404")
    conversations.finish(ws, turn.id, said("Good mor", complete=False, problem=gone))
    seen = conversations.turns(ws, made.id)[-1]
    assert (seen.state, seen.content) == ("incomplete", "Good mor")
    assert seen.facts["problem"] == {"what": "It is gone.", "todo": "Look elsewhere.", "raw": "HTTP 404"}
    assert conversations.messages_for(ws, made.id, 0) == [{"role": "user", "content": "Hello"}]


def test_asking_a_column_again_replaces_its_answer_and_no_other(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE, TUNED])
    conversations.question(ws, made.id, "Hello")
    other = conversations.begin_answer(ws, made.id, 1)
    conversations.finish(ws, other.id, said("other"))
    first = conversations.begin_answer(ws, made.id, 0)
    conversations.failed(ws, first.id, NotThere("It is gone."))
    assert conversations.turns(ws, made.id)[1].state == "failed"
    second = conversations.begin_answer(ws, made.id, 0)
    conversations.finish(ws, second.id, said("better"))
    conversations.finish(ws, first.id, said("late"))
    assert [turn.content for turn in conversations.turns(ws, made.id)] == ["Hello", "better", "other"]


def test_what_a_restart_interrupted_is_incomplete(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE])
    conversations.question(ws, made.id, "Hello")
    turn = conversations.begin_answer(ws, made.id, 0)
    conversations.keep_so_far(ws, turn.id, "Good mor")
    assert conversations.recover(ws, older_than_seconds=1000) == 0
    assert conversations.recover(ws, older_than_seconds=1) == 1
    seen = conversations.turns(ws, made.id)[-1]
    assert (seen.state, seen.content) == ("incomplete", "Good mor")


def test_a_removed_conversation_is_listed_no_more_and_nothing_of_it_is_deleted(ws: Workspace) -> None:
    one, two = conversations.create(ws, [BASE], title="One"), conversations.create(ws, [BASE], title="Two")
    conversations.question(ws, one.id, "Hello")
    assert [each.title for each in conversations.conversations(ws)] == ["One", "Two"]
    conversations.remove(ws, one.id)
    assert [each.id for each in conversations.conversations(ws)] == [two.id]
    assert conversations.turns(ws, one.id)[0].content == "Hello"


def test_settings_change_for_what_follows(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE])
    conversations.question(ws, made.id, "Hello")
    conversations.change(ws, replace(made, title="Named", columns=(BASE, TUNED), system="Rhyme.", temperature=1.5))
    found = conversations.conversation(ws, made.id)
    assert (found.title, found.columns, found.system, found.temperature) == ("Named", (BASE, TUNED), "Rhyme.", 1.5)
    assert len(conversations.turns(ws, made.id)) == 1


def test_what_is_not_there_is_said(ws: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="needs somebody"):
        conversations.create(ws, [])
    with pytest.raises(WorkspaceError, match="no conversation"):
        conversations.conversation(ws, "conv_none")
    made = conversations.create(ws, [BASE])
    with pytest.raises(WorkspaceError, match="Nothing was asked"):
        conversations.begin_answer(ws, made.id, 0)
    conversations.question(ws, made.id, "Hello")
    with pytest.raises(WorkspaceError, match="no column 2"):
        conversations.begin_answer(ws, made.id, 1)
    with pytest.raises(WorkspaceError, match="could not be changed"):
        conversations.question(ws, "conv_none", "Hello")


def test_any_text_is_kept_to_the_letter(ws: Workspace) -> None:
    made = conversations.create(ws, [BASE])
    for text in ("", "\x00\n\t", "'; DROP TABLE turns; --", "<img src=x>", "😀" * 1000, "ü{x}%s"):
        conversations.question(ws, made.id, text)
        assert conversations.turns(ws, made.id)[-1].content == text
