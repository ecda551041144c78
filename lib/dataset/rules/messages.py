"""What one message must be made of: role, content, weight, name, and nothing else.

Knows nothing of the calls inside tool messages, see tools.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, Rule, shown

ROLES = ("system", "user", "assistant", "tool", "function", "developer")

# Keys that a message of any role may have, and those of one role only.
COMMON_KEYS = frozenset({"role", "content", "name"})
OWN_KEYS: dict[str, frozenset[str]] = {
    "assistant": frozenset({"weight", "tool_calls", "function_call", "refusal", "audio"}),
    "tool": frozenset({"tool_call_id"}),
}
ALL_KEYS = COMMON_KEYS.union(*OWN_KEYS.values())

# Names with a blank or one of <|\/> are refused when chatting.
NAME = re.compile(r"[^\s<|\\/>]{1,64}")
PART_TYPES = {
    "text": ROLES,
    "image_url": ("user",),
    "refusal": ("assistant",),
}
MOST_IMAGES = 10

MessageRule = Callable[[Case, int, dict[str, Any]], Iterator[Finding]]


def every_message(case: Case) -> Iterator[Finding]:
    """All rules about one message, for every message of the example."""
    for index, entry in enumerate(case.messages):
        if not isinstance(entry, dict):
            text = f"is not an object: “{shown(entry)}”."
            yield case.finding("error", "message_not_an_object", text, "Every message is an object.", message=index)
            continue
        for rule in MESSAGE_RULES:
            yield from rule(case, index, entry)


def role_is_known(case: Case, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    """The message has a role, and one that the format knows."""
    if "role" not in entry:
        why = "The service answers: Discriminator 'role' is missing in value."
        yield case.finding("error", "missing_role", "has no role.", why, message=index)
    elif entry["role"] not in ROLES:
        why = "Known roles are system, user, assistant and tool."
        text = f"has the unknown role “{shown(entry['role'])}”."
        yield case.finding("error", "unknown_role", text, why, message=index, fix=_role_fix(entry["role"]))
    elif entry["role"] == "developer" and case.method == "supervised":
        yield case.finding(
            "warning",
            "developer_role",
            "has the role developer.",
            "The published format of training files does not have it; whether services take it is not known.",
            message=index,
            fix="developer_to_system",
        )


def has_no_extra_keys(case: Case, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    """The message has no key beside those of its role."""
    for key in entry:
        if key not in ALL_KEYS:
            why = "The service refuses the whole file when a message has keys that it does not know."
            text = f"contains an extra “{shown(key)}”."
            yield case.finding("error", "extra_message_key", text, why, message=index, fix="remove_extra_keys")
        elif key not in COMMON_KEYS | OWN_KEYS.get(str(entry.get("role")), frozenset()):
            why = "It belongs to messages of another role; a service may refuse it or pass it over."
            text = f"has “{key}”, which messages of its role do not have."
            yield case.finding("warning", "misplaced_key", text, why, message=index, fix="remove_extra_keys")


def content_is_there(case: Case, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    """The message says something; an assistant may call tools instead."""
    content = entry.get("content")
    calls = entry.get("role") == "assistant" and (entry.get("tool_calls") or entry.get("function_call"))
    if content is None:
        if not calls and not (entry.get("role") == "assistant" and entry.get("refusal")):
            why = "Only an assistant message that calls a tool may do without."
            yield case.finding("error", "missing_content", "has no content.", why, message=index)
    elif isinstance(content, str):
        if not content.strip() and not calls:
            why = "An empty answer teaches the model to say nothing; an empty question wastes tokens."
            yield case.finding("warning", "empty_content", "is empty.", why, message=index, fix="drop_empty_messages")
    elif not isinstance(content, list):
        why = "Content is a text, or a list of parts."
        text = f"has content that is neither text nor parts: {shown(content)}."
        yield case.finding("error", "content_type", text, why, message=index, fix="content_to_text")
    else:
        yield from _parts(case, index, entry, content)


def weight_is_0_or_1(case: Case, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    """A weight is the number 0 or the number 1."""
    weight = entry.get("weight", 1)
    if isinstance(weight, bool) or weight not in (0, 1):
        why = "A message is either trained on (1) or not (0); there is nothing in between."
        text = f"has the weight {shown(weight)}; allowed are 0 and 1."
        yield case.finding("error", "bad_weight", text, why, message=index, fix="round_weight")


def name_fits(case: Case, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    """A name is a short text without blanks."""
    name = entry.get("name")
    if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
        why = "Names have at most 64 characters, and no blanks, <, |, \\, / or >."
        text = f"has a name that services refuse: “{shown(name)}”."
        yield case.finding("warning", "bad_name", text, why, message=index)


def few_images(case: Case) -> Iterator[Finding]:
    """An example has at most ten images (OpenAI; Azure says 64)."""
    parts = [
        part
        for entry in case.messages
        if isinstance(entry, dict) and isinstance(entry.get("content"), list)
        for part in entry["content"]
    ]
    images = sum(1 for part in parts if isinstance(part, dict) and part.get("type") == "image_url")
    if images > MOST_IMAGES:
        why = "OpenAI takes at most 10 images an example and passes over the rest."
        yield case.finding("warning", "many_images", f"has {images} images; at most {MOST_IMAGES} are used.", why)


def _parts(case: Case, index: int, entry: dict[str, Any], parts: list[Any]) -> Iterator[Finding]:
    if not parts:
        why = "Content is a text, or a list with at least one part."
        yield case.finding("error", "no_parts", "has an empty list as its content.", why, message=index)
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in PART_TYPES:
            why = "Parts of a training file are text, image_url and refusal."
            text = f"has a part of unknown type: {shown(part)}."
            yield case.finding("error", "unknown_part", text, why, message=index)
        elif entry.get("role") not in PART_TYPES[kind] and entry.get("role") in ROLES:
            why = "Images stand in user messages only, refusals in the assistant's."
            text = f"has a part of type {kind}, which messages of its role cannot have."
            yield case.finding("error", "misplaced_part", text, why, message=index)
        elif not _part_is_whole(part, kind):
            why = "A text part has “text”, an image part has “image_url” with a “url”."
            text = f"has a part of type {kind} without what makes it one."
            yield case.finding("error", "broken_part", text, why, message=index)


def _part_is_whole(part: dict[str, Any], kind: str) -> bool:
    if kind == "image_url":
        held = part.get("image_url")
        return isinstance(held, dict) and isinstance(held.get("url"), str)
    return isinstance(part.get(kind), str)


def _role_fix(role: Any) -> str | None:
    return "rename_role" if isinstance(role, str) and role.strip().lower() in KNOWN_AS else None


# What other tools, and hurried hands, call the roles.
KNOWN_AS = {
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "agent": "assistant",
    **{role: role for role in ROLES},
}

MESSAGE_RULES: tuple[MessageRule, ...] = (
    role_is_known,
    has_no_extra_keys,
    content_is_there,
    weight_is_0_or_1,
    name_fits,
)
RULES: tuple[Rule, ...] = (every_message, few_images)
