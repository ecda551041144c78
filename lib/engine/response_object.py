"""A response as the protocol shows it, while it is being written and when it is done.

Source: OpenAI's Responses API as its Python client 3.52.0 types it. Knows no process, no request body and no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lib.engine.answer_process import Piece
from lib.engine.chat_answer import tool_calls
from lib.engine.response_request import ResponseRequest
from lib.engine.store import new_id

Object = dict[str, Any]


class Writing:
    """One response, gathered from its pieces. `response` is what is shown of it at any time."""

    def __init__(self, request: ResponseRequest, model: str, created_at: int) -> None:
        self.with_logprobs = request.with_logprobs
        self.message: Object | None = None
        self.response: Object = {"id": new_id("resp_", 48), "object": "response", "created_at": created_at} | _echo(
            request
        )
        self.response |= {"model": model, "status": "in_progress", "output": [], "usage": None}

    @property
    def output(self) -> list[Object]:
        """The items written so far."""
        items: list[Object] = self.response["output"]
        return items

    def begin_message(self) -> Object:
        """The message that the answer's words go into, as it is added: without any."""
        self.message = {"id": new_id("msg_", 48), "type": "message", "status": "in_progress", "role": "assistant"}
        self.message["content"] = []
        self.output.append(self.message)
        return self.message

    def begin_part(self) -> Object:
        """The one part of the message."""
        assert self.message is not None
        part: Object = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        self.message["content"].append(part)
        return part

    def calls(self, piece: Piece) -> list[Object]:
        """The calls of an answer's last piece as items, each done."""
        return [
            {
                "id": new_id("fc_", 48),
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                **call["function"],
            }
            for call in tool_calls(piece)
        ]

    def finish(self, piece: Piece, now: int) -> None:
        """Enter the counts, and whether the answer came to its own end."""
        is_whole = piece.finish_reason != "length"
        if self.message is not None:
            self.message["status"] = "completed" if is_whole else "incomplete"
        self.response["status"] = "completed" if is_whole else "incomplete"
        if is_whole:
            self.response["completed_at"] = now
        else:
            self.response["incomplete_details"] = {"reason": "max_output_tokens"}
        self.response["usage"] = {
            "input_tokens": piece.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": piece.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": piece.prompt_tokens + piece.completion_tokens,
        }

    def fail(self, message: str) -> None:
        """Enter that the answer broke off."""
        if self.message is not None:
            self.message["status"] = "incomplete"
        self.response |= {"status": "failed", "error": {"code": "server_error", "message": message}}


def _echo(request: ResponseRequest) -> Object:
    """What a response repeats of its request, with the defaults that were taken."""
    text = request.text
    shown = None if text is None or text.format is None else msgspec.to_builtins(text.format)
    if shown is not None and shown["type"] == "json_schema":
        shown = {"description": None, **shown}
    choice = request.tool_choice
    return {
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": request.max_tool_calls,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id,
        "prompt_cache_key": request.prompt_cache_key,
        "reasoning": _reasoning(request),
        "safety_identifier": request.safety_identifier,
        "service_tier": "default",
        "store": request.store is not False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": shown or {"type": "text"}, "verbosity": (text and text.verbosity) or "medium"},
        "tool_choice": "auto" if choice is None else msgspec.to_builtins(choice),
        "tools": [msgspec.to_builtins(function) for function in request.functions()],
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": request.truncation or "disabled",
        "user": request.user,
    }


def _reasoning(request: ResponseRequest) -> Mapping[str, Any]:
    asked = request.reasoning
    return {"effort": asked and asked.effort, "summary": asked and asked.summary}
