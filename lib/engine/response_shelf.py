"""The responses that are kept, so that the next one can go on from them: bounded, the oldest go first.

Knows no route and no model.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib.engine.protocol import BODY_LIMIT, invalid
from lib.engine.response_items import Item
from lib.engine.store import Store
from lib.errors import NotThere

# As long as OpenAI keeps them.
LIFETIME_SECONDS = 30 * 24 * 3600
MOST_RESPONSES = 10_000
MOST_BYTES = 256 * 1024 * 1024


class ResponseShelf:
    """Responses by id, each with the input that came with it."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def add(self, response: Mapping[str, Any], items: Sequence[Item]) -> None:
        """Keep a response that is done. Older ones make room."""
        told, given = json.dumps(response), json.dumps(items)
        # A person waits for this answer, and it is no loss of work: the disk need not be waited for.
        with self._store.change(at_once=False) as db:
            added = db.execute(
                "INSERT INTO responses (id, previous_id, input, response, bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    response["id"],
                    response["previous_response_id"],
                    given,
                    told,
                    len(told) + len(given),
                    response["created_at"],
                ),
            )
            kept = [(item["id"], added.lastrowid) for item in (*items, *response["output"])]
            # An item that was named in the request belongs to the response that it first came with.
            db.executemany("INSERT OR IGNORE INTO response_items (id, response) VALUES (?, ?)", kept)
            self._make_room(db)

    def get(self, response_id: str) -> dict[str, Any]:
        """A response as it was answered. Raises NotThere."""
        response: dict[str, Any] = json.loads(self._row(response_id)["response"])
        return response

    def items(self, response_id: str) -> list[Item]:
        """The input that came with a response. Raises NotThere."""
        items: list[Item] = json.loads(self._row(response_id)["input"])
        return items

    def named(self, item_ids: Sequence[str]) -> dict[str, Item]:
        """The kept items with these ids. Raises NotThere, in OpenAI's words, and Rejected when all are too long."""
        found: dict[str, Item] = {}
        size = 0
        for item_id in item_ids:
            found[item_id] = found.get(item_id) or self._item(item_id)
            size += len(json.dumps(found[item_id]))
            if size > BODY_LIMIT:
                said = f"The items that are named have more than {BODY_LIMIT} bytes."
                raise invalid("input", said, code="context_length_exceeded")
        return found

    def remove(self, response_id: str) -> None:
        """Forget a response. Raises NotThere."""
        self._row(response_id)
        with self._store.change() as db:
            db.execute("DELETE FROM responses WHERE id = ?", (response_id,))

    def conversation(self, response_id: str | None) -> list[Item]:
        """All items up to a response and with its output, oldest first; none without a response.

        Raises Rejected when it, or one that it goes on from, is not kept any more, or all of it is too long.
        """
        found: list[list[Item]] = []
        size = 0
        while response_id is not None:
            row = self._store.row("SELECT * FROM responses WHERE id = ?", (response_id,))
            if row is None:
                raise invalid(
                    "previous_response_id",
                    f"Previous response with id '{response_id[:80]}' not found.",
                    code="previous_response_not_found",
                )
            size += row["bytes"]
            if size > BODY_LIMIT:
                said = f"The conversation up to this response has more than {BODY_LIMIT} bytes."
                raise invalid("previous_response_id", said, code="context_length_exceeded")
            found.append([*json.loads(row["input"]), *json.loads(row["response"])["output"]])
            response_id = row["previous_id"]
        return [item for items in reversed(found) for item in items]

    def _row(self, response_id: str) -> sqlite3.Row:
        row = self._store.row("SELECT * FROM responses WHERE id = ?", (response_id,))
        if row is None:
            raise NotThere(f"Response with id '{response_id[:80]}' not found.", status=404)
        return row

    def _item(self, item_id: str) -> Item:
        row = self._store.row(
            "SELECT input, response FROM responses WHERE number = (SELECT response FROM response_items WHERE id = ?)",
            (item_id,),
        )
        if row is None:
            raise NotThere(
                f"Item with id '{item_id[:80]}' not found. Items are not persisted when `store` is set to false. "
                "Try again with `store` set to true, or remove this item from your input.",
                status=404,
                param="input",
            )
        items: list[Item] = [*json.loads(row["input"]), *json.loads(row["response"])["output"]]
        return next(item for item in items if item["id"] == item_id)

    def _make_room(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM responses WHERE created_at <= ?", (self._clock() - LIFETIME_SECONDS,))
        db.execute("DELETE FROM responses WHERE number <= (SELECT max(number) FROM responses) - ?", (MOST_RESPONSES,))
        total = db.execute("SELECT coalesce(sum(bytes), 0) FROM responses").fetchone()[0]
        while total > MOST_BYTES:
            oldest = db.execute("SELECT number, bytes FROM responses ORDER BY number LIMIT 1").fetchone()
            db.execute("DELETE FROM responses WHERE number = ?", (oldest["number"],))
            total -= oldest["bytes"]
