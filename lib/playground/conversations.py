"""Conversations that survive a reload: questions, and for each column of models its own answers, as they stream in.

Owns the tables `conversations` and `turns`. Everything is written before it is shown; what a restart interrupted is
found again as incomplete. Knows no service and asks nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lib.errors import EtudeError, WorkspaceError
from lib.playground.talk import Answer
from lib.workspace.database import Workspace, new_id

State = Literal["complete", "streaming", "incomplete", "failed"]

TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Column:
    """Who answers in one column: a model of a service."""

    service_id: str
    model: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is asked of whom, and how. Times are seconds since 1970."""

    id: str
    title: str
    columns: tuple[Column, ...]
    system: str
    temperature: float | None
    max_tokens: int | None
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: a question belongs to all columns (`column` None), an answer to one.

    `facts` of an answer: tokens_in, tokens_out, seconds, first_token_seconds, finish_reason, stopped, and `problem`
    (what, todo, raw) when it failed. `state` is "streaming" while text comes in.
    """

    id: str
    position: int
    column: int | None
    role: str
    model: str | None
    content: str
    state: State
    facts: Mapping[str, Any] = field(default_factory=dict)


def create(
    ws: Workspace,
    columns: Sequence[Column],
    *,
    title: str = "",
    system: str = "",
    temperature: float | None = None,
    max_tokens: int | None = None,
) -> Conversation:
    """Begin a conversation with at least one column. Without a title its first question becomes one."""
    if not columns:
        raise WorkspaceError("A conversation needs somebody to answer.", "Choose a model.")
    now = ws.clock()
    made = Conversation(new_id("conv"), title, tuple(columns), system, temperature, max_tokens, now, now)
    with ws.write() as db:
        db.execute(
            "INSERT INTO conversations (id, title, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (made.id, title, _settings(made), now, now),
        )
    return made


def change(ws: Workspace, made: Conversation) -> None:
    """Keep other columns, settings or another title for what follows; turns that are there stay as they are."""
    with ws.write() as db:
        db.execute(
            "UPDATE conversations SET title = ?, settings = ?, updated_at = ? WHERE id = ?",
            (made.title, _settings(made), ws.clock(), made.id),
        )


def conversations(ws: Workspace) -> tuple[Conversation, ...]:
    """All that were not removed, the last used first."""
    rows = ws.read("SELECT * FROM conversations WHERE deleted_at IS NULL ORDER BY updated_at DESC, rowid DESC")
    return tuple(map(_conversation, rows))


def conversation(ws: Workspace, conversation_id: str) -> Conversation:
    """One conversation, removed or not. Raises WorkspaceError when there never was one."""
    rows = ws.read("SELECT * FROM conversations WHERE id = ?", (conversation_id,))
    if not rows:
        raise WorkspaceError(f"There is no conversation {conversation_id}.", "Begin a new one.")
    return _conversation(rows[0])


def turns(ws: Workspace, conversation_id: str) -> tuple[Turn, ...]:
    """All turns in the order in which they were said; answers to one question by their columns."""
    rows = ws.read(
        "SELECT * FROM turns WHERE conversation_id = ? ORDER BY position, column_number, created_at, rowid",
        (conversation_id,),
    )
    return tuple(map(_turn, rows))


def question(ws: Workspace, conversation_id: str, text: str) -> Turn:
    """Keep what the person asks. The first question names a conversation that has no title."""
    with ws.write() as db:
        position = _next_position(db, conversation_id)
        turn = Turn(new_id("turn"), position, None, "user", None, text, "complete")
        _insert(ws, db, conversation_id, turn)
        title = " ".join(text.split())[:TITLE_CHARACTERS]
        db.execute(
            "UPDATE conversations SET updated_at = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
            (ws.clock(), title, conversation_id),
        )
    return turn


def begin_answer(ws: Workspace, conversation_id: str, column: int) -> Turn:
    """Keep that a column is about to answer the last question; its text follows through `keep_so_far` and `finish`.

    An earlier answer of this column to the same question is replaced. Raises WorkspaceError without such a column or
    question.
    """
    columns = conversation(ws, conversation_id).columns
    if not 0 <= column < len(columns):
        raise WorkspaceError(f"The conversation has no column {column + 1}.", "Choose one of its models.")
    with ws.write() as db:
        last = _last_question(db, conversation_id)
        if last is None:
            raise WorkspaceError("Nothing was asked yet.", "Ask something first.")
        turn = Turn(new_id("turn"), last + 1, column, "assistant", columns[column].model, "", "streaming")
        db.execute(
            "DELETE FROM turns WHERE conversation_id = ? AND position = ? AND column_number = ?",
            (conversation_id, turn.position, column),
        )
        _insert(ws, db, conversation_id, turn)
    return turn


def keep_so_far(ws: Workspace, turn_id: str, text: str) -> None:
    """Keep what has arrived of an answer that still comes in."""
    with ws.write() as db:
        db.execute("UPDATE turns SET content = ? WHERE id = ? AND state = 'streaming'", (text, turn_id))


def finish(ws: Workspace, turn_id: str, answer: Answer) -> None:
    """Keep an answer that has ended, complete or not, with its figures."""
    facts = {
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "seconds": answer.seconds,
        "first_token_seconds": answer.first_token_seconds,
        "finish_reason": answer.finish_reason,
        "stopped": answer.stopped,
        "problem": _problem(answer.problem),
    }
    _end(ws, turn_id, answer.text, "complete" if answer.complete else "incomplete", facts)


def failed(ws: Workspace, turn_id: str, error: EtudeError) -> None:
    """Keep why there is no answer."""
    _end(ws, turn_id, "", "failed", {"problem": _problem(error)})


def recover(ws: Workspace, *, older_than_seconds: float) -> int:
    """Mark answers as incomplete that still count as coming in but began longer ago than this. Returns how many.

    For the start of the app, when nobody can be writing them any more.
    """
    with ws.write() as db:
        return db.execute(
            "UPDATE turns SET state = 'incomplete' WHERE state = 'streaming' AND created_at < ?",
            (ws.clock() - older_than_seconds,),
        ).rowcount


def messages_for(ws: Workspace, conversation_id: str, column: int) -> list[dict[str, str]]:
    """What a column's model is sent next: the system message, all questions, and the column's own whole answers."""
    system = conversation(ws, conversation_id).system
    messages = [{"role": "system", "content": system}] if system else []
    for turn in turns(ws, conversation_id):
        mine = turn.column in (None, column)
        if mine and turn.state == "complete":
            messages.append({"role": turn.role, "content": turn.content})
    return messages


def remove(ws: Workspace, conversation_id: str) -> None:
    """Put a conversation away: it is listed no more, and nothing of it is deleted."""
    with ws.write() as db:
        db.execute("UPDATE conversations SET deleted_at = ? WHERE id = ?", (ws.clock(), conversation_id))


def _end(ws: Workspace, turn_id: str, text: str, state: State, facts: Mapping[str, Any]) -> None:
    with ws.write() as db:
        db.execute(
            "UPDATE turns SET content = ?, state = ?, facts = ? WHERE id = ?",
            (text, state, json.dumps(facts, ensure_ascii=False), turn_id),
        )


def _insert(ws: Workspace, db: sqlite3.Connection, conversation_id: str, turn: Turn) -> None:
    db.execute(
        "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, '{}', ?)",
        (
            turn.id,
            conversation_id,
            turn.position,
            turn.column,
            turn.role,
            turn.model,
            turn.content,
            turn.state,
            ws.clock(),
        ),
    )


def _next_position(db: sqlite3.Connection, conversation_id: str) -> int:
    found = db.execute("SELECT max(position) FROM turns WHERE conversation_id = ?", (conversation_id,)).fetchone()[0]
    return 0 if found is None else int(found) + 1


def _last_question(db: sqlite3.Connection, conversation_id: str) -> int | None:
    sql = "SELECT max(position) FROM turns WHERE conversation_id = ? AND role = 'user'"
    found = db.execute(sql, (conversation_id,)).fetchone()[0]
    return None if found is None else int(found)


def _settings(made: Conversation) -> str:
    kept = {
        "columns": [asdict(column) for column in made.columns],
        "system": made.system,
        "temperature": made.temperature,
        "max_tokens": made.max_tokens,
    }
    return json.dumps(kept, ensure_ascii=False)


def _conversation(row: sqlite3.Row) -> Conversation:
    kept = json.loads(row["settings"])
    return Conversation(
        id=row["id"],
        title=row["title"],
        columns=tuple(Column(**column) for column in kept["columns"]),
        system=kept["system"],
        temperature=kept["temperature"],
        max_tokens=kept["max_tokens"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        id=row["id"],
        position=row["position"],
        column=row["column_number"],
        role=row["role"],
        model=row["model"],
        content=row["content"],
        state=row["state"],
        facts=json.loads(row["facts"]),
    )


def _problem(error: EtudeError | None) -> dict[str, str | None] | None:
    return None if error is None else {"what": error.what, "todo": error.todo, "raw": error.raw}
