"""The events that tell a response while it is written, in OpenAI's order, numbered from 0.

Source: OpenAI's Responses API as its Python client 3.52.0 types it. Knows no process and no store. Whoever wants only
the whole response runs through the events and lets them go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from lib.engine.answer_process import Piece
from lib.engine.response_object import Object, Writing


class Telling:
    """The events of one response. Each method yields those that follow."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._number = -1
        self._part: Object | None = None

    def begin(self) -> Iterator[Object]:
        """The response is there, and in the making."""
        yield self._whole("response.created")
        yield self._whole("response.in_progress")

    def take(self, piece: Piece, now: int) -> Iterator[Object]:
        """What a piece adds; with the last piece the end of the response."""
        is_last = piece.finish_reason is not None
        if piece.text or piece.logprobs or (is_last and self._part is None and not piece.tool_calls):
            yield from self._words(piece)
        if not is_last:
            return
        items = self._writing.calls(piece)
        self._writing.finish(piece, now)
        if self._part is not None:
            yield from self._words_done(self._part)
        for item in items:
            yield from self._call(item)
        yield self._whole(f"response.{self._writing.response['status']}")

    def fail(self, message: str) -> Iterator[Object]:
        """The answer broke off."""
        self._writing.fail(message)
        yield self._whole("response.failed")

    def _words(self, piece: Piece) -> Iterator[Object]:
        if self._part is None:
            message = self._writing.begin_message()
            yield self._event("output_item.added", output_index=0, item=message)
            self._part = self._writing.begin_part()
            yield self._of_part("content_part.added", part=self._part)
        logprobs = [dict(entry) for entry in piece.logprobs or []] if self._writing.with_logprobs else []
        self._part["text"] += piece.text
        self._part["logprobs"] += logprobs
        if piece.text or logprobs:
            yield self._of_part("output_text.delta", delta=piece.text, logprobs=logprobs)

    def _words_done(self, part: Object) -> Iterator[Object]:
        yield self._of_part("output_text.done", text=part["text"], logprobs=part["logprobs"])
        yield self._of_part("content_part.done", part=part)
        yield self._event("output_item.done", output_index=0, item=self._writing.message)

    def _call(self, item: Object) -> Iterator[Object]:
        index = len(self._writing.output)
        self._writing.output.append(item)
        place = {"item_id": item["id"], "output_index": index}
        begun = item | {"status": "in_progress", "arguments": ""}
        yield self._event("output_item.added", output_index=index, item=begun)
        yield self._event("function_call_arguments.delta", **place, delta=item["arguments"])
        yield self._event("function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"])
        yield self._event("output_item.done", output_index=index, item=item)

    def _whole(self, kind: str) -> Object:
        return self._event(kind.removeprefix("response."), response=self._writing.response)

    def _of_part(self, kind: str, **more: Any) -> Object:
        assert self._writing.message is not None
        return self._event(kind, item_id=self._writing.message["id"], output_index=0, content_index=0, **more)

    def _event(self, kind: str, **more: Any) -> Object:
        self._number += 1
        # A copy: what is shown now must not change with what is written later.
        return {"type": f"response.{kind}", "sequence_number": self._number, **copy.deepcopy(more)}
