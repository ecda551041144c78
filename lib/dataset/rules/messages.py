"""What one message must be made of: role, content, weight, name, and nothing else.

Knows nothing of the calls inside tool messages (calls.py) and of what an image is (images.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.rules import images
from lib.dataset.rules.case import Case, Rule, shown
from lib.dataset.rules.entry import Entry, EntryRule, entries

ROLES = ("system", "user", "assistant", "tool", "function", "developer")

# Keys that a message of any role may have, and those of one role only.
COMMON_KEYS = frozenset({"role", "content", "name"})
OWN_KEYS: dict[str, frozenset[str]] = {
    "assistant": frozenset({"weight", "tool_calls", "function_call", "refusal", "audio"}),
    "tool": frozenset({"tool_call_id"}),
}
ALL_KEYS = COMMON_KEYS.union(*OWN_KEYS.values())

# What OpenAI's specification lets be null, by role. Everything else is left out when there is nothing to say.
NULLABLE: dict[str, frozenset[str]] = {
    "assistant": frozenset({"content", "refusal", "function_call", "audio"}),
    "function": frozenset({"content"}),
}

# Names with a blank or one of <|\/> are refused when chatting.
NAME = re.compile(r"[^\s<|\\/>]{1,64}")
NO_PART_OF_A_NAME = re.compile(r"[\s<|\\/>]+")

PART_TYPES = {
    "text": ROLES,
    "image_url": ("user",),
    "refusal": ("assistant",),
}
# The keys of a part of each type.
PART_KEYS: dict[str, frozenset[str]] = {kind: frozenset({"type", kind}) for kind in PART_TYPES}

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
# A tool may well have nothing to say; whoever speaks may not.
SPEAKERS = ("system", "developer", "user", "assistant")


def every_message(case: Case) -> Iterator[Finding]:
    """All rules about one message, for every message of the example and for the answers of a pair."""
    for index, entry in enumerate(case.messages):
        if not isinstance(entry, dict):
            text = f"is not an object: “{shown(entry)}”."
            yield case.finding("error", "message_not_an_object", text, "Every message is an object.", message=index)
    for entry in entries(case):
        for rule in MESSAGE_RULES:
            yield from rule(entry)


def role_is_known(entry: Entry) -> Iterator[Finding]:
    """The message has a role, and one that the format knows."""
    if "role" not in entry.data:
        why = "The service answers: Discriminator 'role' is missing in value."
        yield entry.finding("error", "missing_role", "has no role.", why)
    elif entry.role not in ROLES:
        role = entry.data["role"]
        why = "Known roles are system, user, assistant and tool."
        fix = "rename_role" if isinstance(role, str) and role.strip().lower() in KNOWN_AS else None
        yield entry.finding("error", "unknown_role", f"has the unknown role “{shown(role)}”.", why, fix=fix)
    elif entry.role == "developer" and entry.case.method != "reinforcement":
        yield entry.finding(
            "warning",
            "developer_role",
            "has the role developer.",
            "The published format of training files does not have it; whether services take it is not known.",
            fix="developer_to_system",
        )


def has_no_extra_keys(entry: Entry) -> Iterator[Finding]:
    """The message has no key beside those of its role."""
    for key, value in entry.data.items():
        if key not in ALL_KEYS:
            why = "The service refuses the whole file when a message has keys that it does not know."
            text = f"contains an extra “{shown(key)}”."
            yield entry.finding("error", "extra_message_key", text, why, fix="remove_extra_message_keys")
        elif value is None:
            yield from _null(entry, key)
        elif key not in COMMON_KEYS | OWN_KEYS.get(entry.role, frozenset()) and entry.role in ROLES:
            if key == "weight":
                why = "Only assistant messages are trained on, so only they have a weight. A service may refuse it."
                yield entry.finding("warning", "misplaced_weight", "has a weight.", why, fix="drop_misplaced_weights")
            else:
                why = "It belongs to messages of another role; a service may refuse it or pass it over."
                text = f"has “{key}”, which messages of its role do not have."
                yield entry.finding("warning", "misplaced_key", text, why, fix="remove_extra_message_keys")


def content_is_there(entry: Entry) -> Iterator[Finding]:
    """The message says something; an assistant may call tools or decline instead."""
    content = entry.data.get("content")
    if content is None:
        if not (entry.role == "function" and "content" in entry.data) and not _does_without(entry.data):
            why = "Only an assistant message that calls a tool may do without."
            yield entry.finding("error", "missing_content", "has no content.", why, fix=_empty_fix(entry))
    elif isinstance(content, str):
        if is_empty(entry.data):
            why = "An empty answer teaches the model to say nothing; an empty question wastes tokens."
            yield entry.finding("warning", "empty_content", "is empty.", why, fix=_empty_fix(entry))
    elif not isinstance(content, list):
        why = "Content is a text, or a list of parts."
        text = f"has content that is neither text nor parts: {shown(content)}."
        yield entry.finding("error", "content_type", text, why, fix="content_to_text")
    else:
        yield from _parts(entry, content)


def weight_is_0_or_1(entry: Entry) -> Iterator[Finding]:
    """A weight is the number 0 or the number 1."""
    weight = entry.data.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        why = "A message is either trained on (1) or not (0); there is nothing in between."
        text = f"has the weight {shown(weight)}; allowed are 0 and 1."
        yield entry.finding("error", "bad_weight", text, why, fix="round_weight")


def name_fits(entry: Entry) -> Iterator[Finding]:
    """A name is a short text without blanks."""
    name = entry.data.get("name")
    if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
        why = "Names have at most 64 characters, and no blanks, <, |, \\, / or >."
        text = f"has a name that services refuse: “{shown(name)}”."
        yield entry.finding("warning", "bad_name", text, why, fix="clean_names" if clean_name(name) else None)


def clean_name(name: Any) -> str:
    """The nearest name that services take; "" when nothing is left of it."""
    return NO_PART_OF_A_NAME.sub("_", name.strip())[:64] if isinstance(name, str) else ""


def is_empty(data: Any) -> bool:
    """Whether a speaker says nothing at all in this message: no text, no picture, no call, no refusal."""
    if not isinstance(data, dict) or data.get("role") not in SPEAKERS or _does_without(data):
        return False
    content = data.get("content")
    if isinstance(content, list):
        return all(
            isinstance(part, dict) and isinstance(part.get("text"), str) and not part["text"].strip()
            for part in content
        )
    return content is None or (isinstance(content, str) and not content.strip())


def _does_without(data: dict[str, Any]) -> bool:
    """Whether this is an assistant message that needs no content."""
    held = (data.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
    return data.get("role") == "assistant" and any(held)


def _empty_fix(entry: Entry) -> str | None:
    """Dropping the message, or the example when no answer would be left in it."""
    if entry.answer:
        return "remove_example"
    if not is_empty(entry.data):
        return None
    if entry.case.method != "supervised":
        return "drop_empty_messages" if not all(map(is_empty, entry.case.messages)) else "remove_example"
    left = [one for one in entry.case.messages if not is_empty(one)]
    answered = any(isinstance(one, dict) and one.get("role") == "assistant" for one in left)
    return "drop_empty_messages" if answered else "remove_example"


def _null(entry: Entry, key: str) -> Iterator[Finding]:
    if key not in ("role", "content") and key not in NULLABLE.get(entry.role, frozenset()):
        why = "The published format allows no null here. A key without a value is left out."
        yield entry.finding("warning", "null_field", f"has “{key}” without a value (null).", why, fix="drop_nulls")


def _parts(entry: Entry, parts: list[Any]) -> Iterator[Finding]:
    if not parts:
        why = "Content is a text, or a list with at least one part."
        yield entry.finding("error", "no_parts", "has an empty list as its content.", why, fix=_empty_fix(entry))
    elif is_empty(entry.data):
        why = "An empty answer teaches the model to say nothing; an empty question wastes tokens."
        yield entry.finding("warning", "empty_content", "is empty.", why, fix=_empty_fix(entry))
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in PART_TYPES:
            why = "Parts of a training file are text, image_url and refusal."
            text = f"has a part of unknown type: {shown(part)}."
            fix = "text_to_parts" if isinstance(part, str) else None
            yield entry.finding("error", "unknown_part", text, why, fix=fix)
        elif entry.role not in PART_TYPES[kind] and entry.role in ROLES:
            why = "Images stand in user messages only, refusals in the assistant's."
            text = f"has a part of type {kind}, which messages of its role cannot have."
            yield entry.finding("error", "misplaced_part", text, why)
        elif not _part_is_whole(part, kind):
            why = "A text part has “text”, an image part has “image_url” with a “url”."
            text = f"has a part of type {kind} without what makes it one."
            yield entry.finding("error", "broken_part", text, why)
        elif extra := part.keys() - PART_KEYS[kind]:
            why = "The published format has no such key in a part; a service may refuse it."
            text = f"has a part of type {kind} with an extra “{shown(min(extra))}”."
            yield entry.finding("warning", "extra_part_key", text, why, fix="remove_extra_part_keys")


def _part_is_whole(part: dict[str, Any], kind: str) -> bool:
    if kind == "image_url":
        held = part.get("image_url")
        return isinstance(held, dict) and isinstance(held.get("url"), str)
    return isinstance(part.get(kind), str)


MESSAGE_RULES: tuple[EntryRule, ...] = (
    role_is_known,
    has_no_extra_keys,
    content_is_there,
    weight_is_0_or_1,
    name_fits,
)
RULES: tuple[Rule, ...] = (every_message, *images.RULES)
