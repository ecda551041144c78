"""The facts about one example that a survey keeps: how long it is, who speaks in it, and what it can be compared by.

This is the plain way, which any example can go; plain.py has a faster one for conversations of plain texts, and a test
holds the two together. Knows no file and no rule.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from lib.dataset.example import NON_PREFERRED, PREFERRED, content_text, raw_messages
from lib.tokens.billing import call_tokens, content_tokens, example_tokens
from lib.tokens.counting import Count

# The bit of each role in `roles`; whatever else a role may be called has the last one.
ROLE_BITS = {"system": 1, "developer": 2, "user": 4, "assistant": 8, "tool": 16, "function": 32}
OTHER_ROLE = 64

# No UTF-8 text holds this byte, so that texts that are put together cannot be mistaken for other texts.
BETWEEN = b"\xff"
PLAIN_ROLES = ("system", "user", "assistant")
SIGNED, WRAP = 1 << 63, 1 << 64


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one example.

    `tokens` are billed for one epoch when nothing is cut, `trained` those of answers that are trained on; both 0
    without a counter. `roles` has a bit for each role (ROLE_BITS). `same`, `prompt` and `system` are hashes: equal for
    equal examples, for the same prompt, for the same system message (0 without one). `answer` is the text of the last
    message when the assistant's.
    """

    tokens: int
    trained: int
    messages: int
    roles: int
    same: int
    prompt: int
    system: int
    system_text: str | None
    answer: str | None


def facts_of(data: Mapping[str, Any], count: Count | None) -> Facts:
    """The facts about one example, of whatever shape."""
    entries = [entry for entry in raw_messages(data) if isinstance(entry, dict)]
    answers = [entry for entry in _answers(data) if isinstance(entry, dict)]
    system = system_of(entries)
    legacy = data.get("completion") if "messages" not in data and "prompt" in data else None
    return Facts(
        tokens=example_tokens(data, count) if count else 0,
        trained=sum(_trained(entry, count) for entry in (*entries, *answers)) + content_tokens(legacy, count)
        if count
        else 0,
        messages=len(entries) + len(answers),
        roles=_roles(entries),
        same=same_of(data),
        prompt=prompt_of(data),
        system=0 if system is None else digest(plain_bytes(system)),
        system_text=system,
        answer=_last_answer(entries, answers),
    )


def same_of(data: Mapping[str, Any]) -> int:
    """A hash that is equal for equal examples alone, whatever the order of their keys and the way they are escaped."""
    messages = data.get("messages")
    if len(data) == 1 and isinstance(messages, list) and all(_is_plain(entry) for entry in messages):
        return _hash_of([(entry["role"], plain_bytes(entry["content"])) for entry in messages])
    return digest(BETWEEN + plain_bytes(json.dumps(data, sort_keys=True, ensure_ascii=False)))


def prompt_of(data: Mapping[str, Any]) -> int:
    """A hash of everything before the last answer, word for word; 0 where nothing is asked.

    Prompts that differ by a blank or a capital are for near.py to find.
    """
    if "messages" not in data and isinstance(data.get("prompt"), str):
        return digest(plain_bytes(data["prompt"]))
    entries = [entry for entry in raw_messages(data) if isinstance(entry, dict)]
    last = len(entries)
    if "messages" in data:
        last = max((at for at, entry in enumerate(entries) if entry.get("role") == "assistant"), default=last)
    said = [(str(entry.get("role")), plain_bytes(_said(entry))) for entry in entries[:last]]
    return _hash_of(said) if said else 0


def digest(held: bytes, seed: int = 0) -> int:
    """The XXH3 hash as a signed 64-bit number, never 0."""
    number = xxhash.xxh3_64_intdigest(held, seed)
    return (number - WRAP if number >= SIGNED else number) or 1


def seed_of(roles: Sequence[str]) -> int:
    """Who speaks, in which order, as the seed of a hash of what is said: never 0."""
    return xxhash.xxh3_64_intdigest(BETWEEN.join([plain_bytes(role) for role in roles])) or 1


def plain_bytes(text: str) -> bytes:
    """The text as UTF-8; half of a character pair, which UTF-8 cannot hold, keeps its own three bytes."""
    return text.encode("utf-8", "surrogatepass")


def system_of(entries: list[dict[str, Any]]) -> str | None:
    """The text of the system (or developer) message that stands first."""
    first = entries[0] if entries else {}
    return content_text(first.get("content")) if first.get("role") in ("system", "developer") else None


def _hash_of(said: Sequence[tuple[str, bytes]]) -> int:
    return digest(BETWEEN.join([text for _, text in said]), seed_of([role for role, _ in said]))


def _is_plain(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and len(entry) == 2
        and isinstance(entry.get("content"), str)
        and entry.get("role") in PLAIN_ROLES
    )


def _answers(data: Mapping[str, Any]) -> list[Any]:
    held = [data.get(name) for name in (*PREFERRED, *NON_PREFERRED)]
    return [entry for answers in held if isinstance(answers, list) for entry in answers]


def _trained(entry: Mapping[str, Any], count: Count) -> int:
    """Tokens of the answer that an assistant message gives; 0 when it has the weight 0."""
    if entry.get("role") != "assistant" or entry.get("weight") == 0:
        return 0
    calls = entry.get("tool_calls")
    functions = [call.get("function") for call in (calls if isinstance(calls, list) else ()) if isinstance(call, dict)]
    return content_tokens(entry.get("content"), count) + sum(
        call_tokens(function, count) for function in (*functions, entry.get("function_call"))
    )


def _roles(entries: list[dict[str, Any]]) -> int:
    bits = 0
    for entry in entries:
        role = entry.get("role")
        bits |= ROLE_BITS.get(role, OTHER_ROLE) if isinstance(role, str) else OTHER_ROLE
    return bits


def _last_answer(entries: list[dict[str, Any]], answers: list[dict[str, Any]]) -> str | None:
    last = answers[0] if answers else entries[-1] if entries else {}
    content = last.get("content")
    return content if last.get("role") == "assistant" and isinstance(content, str) and content else None


def _said(entry: Mapping[str, Any]) -> str:
    calls = entry.get("tool_calls")
    return content_text(entry.get("content")) + (json.dumps(calls, sort_keys=True) if calls else "")
