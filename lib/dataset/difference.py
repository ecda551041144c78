"""What differs between one example before and after: message by message, and the keys beside them.

Knows two examples; which belong together is for compare.py to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.dataset.alignment import unequal
from lib.dataset.example import NON_PREFERRED, PREFERRED, Example, encode, raw_messages

# Beyond so many messages that differ they are compared in their order: aligning them takes the square of their number.
MOST_ALIGNED = 200


@dataclass(frozen=True, slots=True)
class MessageChange:
    """One message before and after, as raw JSON values; None where there was or is none.

    `where` is the key of the list it stands in (“messages”, “preferred_output”, …). `index` is its place in that list
    from 0, after the change, or before it when the message is gone.
    """

    where: str
    index: int
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs. `keys` are the names of other keys whose values differ, in their order.

    Both are empty when the two say the same and are only written differently.
    """

    messages: tuple[MessageChange, ...]
    keys: tuple[str, ...]


def difference(before: Example, after: Example) -> Difference:
    """What differs between an example and what it became."""
    lists_before, rest_before = _parted(before)
    lists_after, rest_after = _parted(after)
    changes: list[MessageChange] = []
    for where in {**lists_before, **lists_after}:
        changes.extend(_changes(where, lists_before.get(where, []), lists_after.get(where, [])))
    absent = object()
    keys = [
        key
        for key in {**rest_before, **rest_after}
        if not _same(rest_before.get(key, absent), rest_after.get(key, absent), absent)
    ]
    return Difference(tuple(changes), tuple(keys))


def _parted(example: Example) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """The lists of messages by their keys, and everything else; what stands beside the messages of an input too."""
    data = example.data
    lists = {"messages": raw_messages(data)}
    lists.update({key: data[key] for key in (*PREFERRED, *NON_PREFERRED) if isinstance(data.get(key), list)})
    rest = {key: value for key, value in data.items() if key not in lists}
    if isinstance(data.get("messages"), list):
        return lists, rest
    if "messages" in data:
        rest["messages"] = data["messages"]
    if isinstance(data.get("input"), Mapping):
        del rest["input"]
        rest.update({f"input.{key}": value for key, value in data["input"].items() if key != "messages"})
    return lists, rest


def _changes(where: str, before: list[Any], after: list[Any]) -> Iterator[MessageChange]:
    left, right = [encode(entry) for entry in before], [encode(entry) for entry in after]
    for begun, ended, begins, ends in unequal(left, right, _too_many):
        for offset in range(max(ended - begun, ends - begins)):
            old, new = begun + offset, begins + offset
            yield MessageChange(
                where,
                new if new < ends else old,
                before[old] if old < ended else None,
                after[new] if new < ends else None,
            )


def _too_many(old: int, new: int) -> bool:
    return max(old, new) > MOST_ALIGNED


def _same(before: Any, after: Any, absent: object) -> bool:
    """Whether two values would be written alike: to Python, true equals 1."""
    if before is absent or after is absent:
        return before is after
    return encode(before) == encode(after)
