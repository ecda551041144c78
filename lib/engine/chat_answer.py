"""A chat answer as the protocol shows it: whole, or as the chunks of a stream. Knows no process and no request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.answer_process import Piece
from lib.engine.store import new_id


@dataclass(frozen=True, slots=True)
class Manner:
    """How calls are told: in the older form as `function_call`, and `named` as a function that had to be called.

    OpenAI ends an answer whose function was named in the request with "stop", since calling was not the model's choice.
    """

    older: bool = False
    named: bool = False

    def reason(self, piece: Piece) -> str | None:
        """The finish reason of a piece."""
        if piece.finish_reason is None or not piece.tool_calls:
            return piece.finish_reason
        if self.named:
            return "stop"
        return "function_call" if self.older else "tool_calls"


@dataclass(slots=True)
class Choice:
    """One of the n answers, gathered from its pieces."""

    index: int
    manner: Manner = field(default_factory=Manner)
    text: str = ""
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def take(self, piece: Piece) -> None:
        """Add a piece."""
        self.text += piece.text
        self.logprobs += piece.logprobs or []
        if piece.finish_reason is not None:
            self.tool_calls = tool_calls(piece)
            self.finish_reason = self.manner.reason(piece)
            self.prompt_tokens, self.completion_tokens = piece.prompt_tokens, piece.completion_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What all parts of one answer share."""

    id: str
    created: int
    model: str
    with_logprobs: bool
    with_usage: bool

    @classmethod
    def begin(cls, model: str, created: int, *, with_logprobs: bool, with_usage: bool) -> Answer:
        """An answer with a new id. `with_usage`: its stream ends in a chunk that tells the tokens."""
        return cls(new_id("chatcmpl-", 29), created, model, with_logprobs, with_usage)

    def whole(self, choices: list[Choice]) -> dict[str, Any]:
        """The answer in one object."""
        return self._shared("chat.completion") | {
            "choices": [self._choice(choice) for choice in choices],
            "usage": usage(choices),
        }

    def opening(self, index: int) -> dict[str, Any]:
        """The first chunk of one choice: who speaks."""
        return self._chunk(index, {"role": "assistant", "content": "", "refusal": None})

    def chunks(self, choice: Choice, piece: Piece) -> Iterator[dict[str, Any]]:
        """The chunks that say a piece which the choice has taken: text, calls, and the reason when it ends there."""
        index = choice.index
        if piece.text or piece.logprobs:
            yield self._chunk(index, {"content": piece.text}, logprobs=self._logprobs(piece.logprobs or []))
        if choice.tool_calls and choice.manner.older:
            yield self._chunk(index, {"function_call": choice.tool_calls[0]["function"]})
        elif choice.tool_calls:
            calls = [{"index": place, **call} for place, call in enumerate(choice.tool_calls)]
            yield self._chunk(index, {"tool_calls": calls})
        if choice.finish_reason is not None:
            yield self._chunk(index, {}, reason=choice.finish_reason)

    def usage_chunk(self, choices: list[Choice]) -> dict[str, Any]:
        """The last chunk of a stream that was asked to include its usage."""
        return self._shared("chat.completion.chunk") | {"choices": [], "usage": usage(choices)}

    def _shared(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "fp_etude",
        }

    def _chunk(
        self,
        index: int,
        delta: Mapping[str, Any],
        *,
        logprobs: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> dict[str, Any]:
        shown = {"index": index, "delta": dict(delta), "logprobs": logprobs, "finish_reason": reason}
        usage_field = {"usage": None} if self.with_usage else {}
        return self._shared("chat.completion.chunk") | {"choices": [shown]} | usage_field

    def _choice(self, choice: Choice) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": choice.text if choice.text or not choice.tool_calls else None,
            "refusal": None,
            "annotations": [],
        }
        if choice.tool_calls and choice.manner.older:
            message["function_call"] = choice.tool_calls[0]["function"]
        elif choice.tool_calls:
            message["tool_calls"] = choice.tool_calls
        return {
            "index": choice.index,
            "message": message,
            "logprobs": self._logprobs(choice.logprobs),
            "finish_reason": choice.finish_reason,
        }

    def _logprobs(self, content: list[dict[str, Any]]) -> dict[str, Any] | None:
        return {"content": content, "refusal": None} if self.with_logprobs else None


def tool_calls(piece: Piece) -> list[dict[str, Any]]:
    """The calls of a piece, each with an id and its arguments as a JSON string."""
    calls = []
    for call in piece.tool_calls or []:
        function = call.get("function", call)
        arguments = function["arguments"]
        calls.append(
            {
                "id": call.get("id") or new_id("call_", 24),
                "type": "function",
                "function": {
                    "name": function["name"],
                    "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
                },
            }
        )
    return calls


def usage(choices: list[Choice]) -> dict[str, Any]:
    """Tokens of the whole request: the prompt once, however many answers there are."""
    prompt = max((choice.prompt_tokens for choice in choices), default=0)
    completion = sum(choice.completion_tokens for choice in choices)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
