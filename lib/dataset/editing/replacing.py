"""Replaces text in one example or in all of them, after showing what would change.

Looks into the texts of messages and, if wanted, into the values of the arguments of tool calls, never into keys: what
was JSON stays JSON. Goes through any number of examples with a few in memory.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.dataset.drafts.entry import Saved
from lib.dataset.editing.pattern import Pattern
from lib.dataset.editing.where import Data, ListName, readable_messages, with_messages
from lib.dataset.example import HALF_PAIR
from lib.dataset.parse import Unparsable, parse
from lib.errors import DataError

LISTS: tuple[ListName, ...] = ("messages", "preferred", "non_preferred")
PREVIEWED = 20
TOLD_EVERY = 500

# ASCII that JSON writes as it is; a file may still write it as \u00…, which is looked for as well.
PLAIN_ASCII = frozenset(map(chr, range(32, 127))) - frozenset('"\\/')


@dataclass(frozen=True, slots=True)
class Replacing:
    """What is replaced by what, and where. `roles` None means all; `arguments` looks into tool calls as well."""

    pattern: Pattern
    replacement: str
    roles: frozenset[str] | None = None
    arguments: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """One example before and after."""

    position: int
    before: Data
    after: Data


@dataclass(frozen=True, slots=True)
class Preview:
    """What a replacement would do, as far as has been looked: `looked_at` examples, of which `examples` would change.

    `occurrences` is how often the pattern was found, `first` shows the first of the examples that would change.
    """

    looked_at: int
    examples: int
    occurrences: int
    first: tuple[Pair, ...]


def replace_text(
    data: Mapping[str, Any],
    pattern: Pattern,
    replacement: str,
    roles: Collection[str] | None = None,
    *,
    arguments: bool = False,
) -> tuple[Data, int]:
    """The example with every occurrence replaced in messages of these roles, and how many there were.

    Raises DataError when the replacement cannot be used, or the search takes too long.
    """
    pattern.check_replacement(replacement)
    return _replaced(data, Replacing(pattern, replacement, None if roles is None else frozenset(roles), arguments))


def matches(examples: Iterable[Saved], wanted: Replacing, first: int = PREVIEWED) -> Iterator[Preview]:
    """What a replacement would change: a preview now and then, each with more examples looked at, and a last one.

    Whoever reads them can show how far it is, and stops it by reading no further. Raises as `replace_text` does, naming
    the example.
    """
    wanted.pattern.check_replacement(wanted.replacement)
    looked_at = found = occurrences = 0
    pairs: list[Pair] = []
    for one in examples:
        made = _of(one, wanted)
        looked_at += 1
        if made is not None:
            before, after, number = made
            found += 1
            occurrences += number
            if len(pairs) < first:
                pairs.append(Pair(one.position, before, after))
        if looked_at % TOLD_EVERY == 0:
            yield Preview(looked_at, found, occurrences, tuple(pairs))
    yield Preview(looked_at, found, occurrences, tuple(pairs))


def replacements(examples: Iterable[Saved], wanted: Replacing) -> Iterator[tuple[int, Data, int]]:
    """(position, new data, revision) for every example in which something is replaced, for drafts.change_all.

    Raises as `matches` does.
    """
    wanted.pattern.check_replacement(wanted.replacement)
    for one in examples:
        if (made := _of(one, wanted)) is not None:
            yield one.position, made[1], one.revision


def _of(one: Saved, wanted: Replacing) -> tuple[Data, Data, int] | None:
    if one.line is None or not _may_hold(one.line, wanted.pattern):
        return None
    data = parse(one.line)
    try:
        after, number = _replaced(data, wanted)
    except DataError as error:
        raise DataError(f"Example {one.position + 1}: {error.what}", error.todo, line=one.position + 1) from error
    return (data, after, number) if number else None


def _may_hold(line: bytes, pattern: Pattern) -> bool:
    """False only when the pattern cannot be found in this example: then it need not be parsed."""
    if pattern.regex or not pattern.case or not PLAIN_ASCII.issuperset(pattern.text):
        return True
    return pattern.text.encode() in line or b"\\u00" in line


def _replaced(data: Mapping[str, Any], wanted: Replacing) -> tuple[Data, int]:
    made, total = dict(data), 0
    for name in LISTS:
        messages, count = readable_messages(data, name), 0
        for index, entry in enumerate(messages):
            if isinstance(entry, dict) and (wanted.roles is None or entry.get("role") in wanted.roles):
                messages[index], number = _in_message(entry, wanted)
                count += number
        if count:
            made = with_messages(made, name, messages)
            total += count
    return made, total


def _in_message(entry: Data, wanted: Replacing) -> tuple[Data, int]:
    made, total = dict(entry), 0
    if "content" in entry:
        made["content"], total = _in_content(entry["content"], wanted)
    calls = entry.get("tool_calls")
    if wanted.arguments and isinstance(calls, list):
        changed = [_in_call(call, wanted) for call in calls]
        made["tool_calls"] = [call for call, _ in changed]
        total += sum(number for _, number in changed)
    return made, total


def _in_content(content: Any, wanted: Replacing) -> tuple[Any, int]:
    if isinstance(content, str):
        return wanted.pattern.replaced(content, wanted.replacement)
    if not isinstance(content, list):
        return content, 0
    changed = [_in_part(part, wanted) for part in content]
    return [part for part, _ in changed], sum(number for _, number in changed)


def _in_part(part: Any, wanted: Replacing) -> tuple[Any, int]:
    if isinstance(part, str):
        return wanted.pattern.replaced(part, wanted.replacement)
    if not isinstance(part, dict):
        return part, 0
    key = next((key for key in ("text", "refusal") if isinstance(part.get(key), str)), None)
    if key is None:
        return part, 0
    text, number = wanted.pattern.replaced(part[key], wanted.replacement)
    return {**part, key: text}, number


def _in_call(call: Any, wanted: Replacing) -> tuple[Any, int]:
    """A call with its arguments changed. Those that are no JSON, or nested far too deep, are left as they are."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call, 0
    arguments = function.get("arguments")
    if not isinstance(arguments, str) or HALF_PAIR.search(arguments):
        return call, 0
    try:
        value, number = _in_value(parse(arguments.encode()), wanted)
    except (Unparsable, RecursionError):
        return call, 0
    if not number:
        return call, 0
    written = json.dumps(value, ensure_ascii=False)
    return {**call, "function": {**function, "arguments": written}}, number


def _in_value(value: Any, wanted: Replacing) -> tuple[Any, int]:
    if isinstance(value, str):
        return wanted.pattern.replaced(value, wanted.replacement)
    if isinstance(value, dict):
        changed = {key: _in_value(held, wanted) for key, held in value.items()}
        return {key: held for key, (held, _) in changed.items()}, sum(number for _, number in changed.values())
    if isinstance(value, list):
        items = [_in_value(held, wanted) for held in value]
        return [held for held, _ in items], sum(number for _, number in items)
    return value, 0
