"""Turns of a conversation as other tools write them, as messages: speakers, calls of tools and what came back.

Knows how turns are written, not what the examples around them look like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.dataset.convert.fields import Data, Fields, Unfit, content_of, looks_nested, nested, text_of
from lib.dataset.convert.names import plain

SPEAKERS = ("role", "from", "speaker", "author", "sender")
SAID = ("content", "value", "text", "message", "utterance")
# One turn may hold both what was asked and what was answered.
BOTH = (
    ("user", "assistant"),
    ("human", "assistant"),
    ("human", "gpt"),
    ("human", "bot"),
    ("user", "bot"),
    ("prompt", "response"),
    ("prompt", "completion"),
    ("question", "answer"),
    ("instruction", "output"),
    ("input", "output"),
    ("query", "response"),
)
KEPT = ("name", "tool_call_id", "tool_calls", "function_call", "refusal")
# How much a turn counts in training: ours is weight, LLaMA-Factory's loss_weight, axolotl's train.
WEIGHTS = ("weight", "loss_weight", "train")

ROLES = {
    "system": "system",
    "developer": "developer",
    "human": "user",
    "user": "user",
    "prompter": "user",
    "customer": "user",
    "client": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "function_call": "function_call",
    "tool_call": "function_call",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "tool": "tool",
    "function": "function",
}


def messages_of(held: Any, fields: Fields, where: str, *, text_is: str = "assistant") -> list[Data]:
    """A list of turns, one turn, or a text (one message of the role `text_is`) as messages. Raises Unfit."""
    if isinstance(held, str) and not (looks_nested(held) and held.rstrip().endswith(("]", "}"))):
        return [{"role": text_is, "content": held}]
    turns = nested(held, where)
    if isinstance(turns, Mapping):
        turns = turns["messages"] if isinstance(turns.get("messages"), list) else [turns]
    if not isinstance(turns, Sequence) or isinstance(turns, str) or not turns:
        raise Unfit(f"has no turns in “{where}”")
    work = _Turns(fields, where)
    for place, turn in enumerate(turns):
        work.add(turn, place)
    return work.messages


def with_system(system: Any, messages: list[Data]) -> list[Data]:
    """The messages with a system message before them, unless it stands there already."""
    if not system:
        return messages
    first = {"role": "system", "content": text_of(system)}
    return messages if messages[:1] == [first] else [first, *messages]


def tools_of(held: Any) -> list[Data]:
    """Declared tools in the services' format. Raises Unfit."""
    tools = nested(held, "tools")
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise Unfit("has tools that are no list of objects")
    return [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]


class _Turns:
    """Messages as they grow. Calls in a row are one message; what comes back answers them in their order."""

    def __init__(self, fields: Fields, where: str) -> None:
        self.messages: list[Data] = []
        self._fields, self._where = fields, where
        self._waiting: list[str] = []

    def add(self, turn: Any, place: int) -> None:
        if isinstance(turn, str):
            self._say("assistant" if place % 2 else "user", turn)
        elif isinstance(turn, list) and len(turn) == 2:
            self._say("user", turn[0])
            self._say("assistant", turn[1])
        elif isinstance(turn, Mapping):
            self._add_object(turn)
        else:
            raise Unfit(f"has a turn in “{self._where}” that is no turn: “{text_of(turn)[:40]}”")

    def _add_object(self, turn: Mapping[str, Any]) -> None:
        speaker = next((key for key in SPEAKERS if isinstance(turn.get(key), str)), None)
        if speaker is None:
            both = next((pair for pair in BOTH if pair[0] in turn and pair[1] in turn), None)
            if both is None:
                raise Unfit(f"has a turn in “{self._where}” that does not say who speaks")
            self._fields.leave_out((key for key in turn if key not in (*both, "system")), "in a turn")
            if turn.get("system"):
                self._say("system", turn["system"])
            self._say("user", turn[both[0]])
            self._say("assistant", turn[both[1]])
            return
        role = ROLES.get(plain(turn[speaker]))
        if role is None:
            raise Unfit(f"has a turn by “{turn[speaker][:40]}”, who is neither user nor assistant")
        said = next((key for key in SAID if key in turn), None)
        if said is None and not any(key in turn for key in KEPT):
            raise Unfit(f"has a turn by “{turn[speaker][:40]}” that says nothing")
        self._speak(role, turn, turn.get(said) if said else None)
        weight = next((key for key in WEIGHTS if key in turn), None)
        known = {speaker, said, *KEPT}
        if weight is not None and self._weighs(turn[weight]):
            known.add(weight)
        self._fields.leave_out((key for key in turn if key not in known and turn[key] is not None), "in a turn")

    def _speak(self, role: str, turn: Mapping[str, Any], said: Any) -> None:
        if role == "function_call":
            self._call(said)
        elif role == "tool":
            answered = turn.get("tool_call_id") or (
                self._waiting.pop(0) if self._waiting else f"call_{len(self.messages)}"
            )
            self.messages.append({"role": "tool", "tool_call_id": answered, "content": text_of(said)})
        else:
            kept = {key: turn[key] for key in KEPT if turn.get(key) is not None}
            entry: Data = {"role": role}
            if said is not None or "tool_calls" not in kept:
                entry["content"] = content_of(said)
            self.messages.append(entry | kept)
            if isinstance(kept.get("tool_calls"), list):
                self._waiting = [
                    str(call["id"]) for call in kept["tool_calls"] if isinstance(call, dict) and "id" in call
                ]

    def _say(self, role: str, said: Any) -> None:
        self.messages.append({"role": role, "content": content_of(said)})

    def _call(self, said: Any) -> None:
        read = nested(said, "function_call")
        calls = [
            self._one_call(call, f"call_{len(self.messages)}_{place + len(self._waiting)}")
            for place, call in enumerate(read if isinstance(read, list) else [read])
        ]
        if self._waiting and self.messages and "tool_calls" in self.messages[-1]:
            self.messages[-1]["tool_calls"] += calls
        else:
            self.messages.append({"role": "assistant", "tool_calls": calls})
            self._waiting = []
        self._waiting += [call["id"] for call in calls]

    def _one_call(self, call: Any, call_id: str) -> Data:
        if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
            raise Unfit("has a call of a tool without the tool's name")
        arguments: Any = next((call[key] for key in ("arguments", "parameters") if key in call), {})
        return {"id": call_id, "type": "function", "function": {"name": call["name"], "arguments": text_of(arguments)}}

    def _weighs(self, weight: Any) -> bool:
        """Whether a weight has a place: 0 and 1 have, and those of messages that are never trained on."""
        last = self.messages[-1]
        if last["role"] != "assistant":
            return bool(weight == 0)
        if weight == 0:
            last["weight"] = 0
        return bool(weight in (0, 1))
