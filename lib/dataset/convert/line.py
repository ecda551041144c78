"""One line of a file on its way to becoming an example: what it becomes, why it does not, and what is lost on the way.

Knows a line and a conversion, no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.dataset.convert.conversion import Conversion, Preview, Unconvertible
from lib.dataset.convert.exported import EXPORTED, is_held_out
from lib.dataset.example import encode
from lib.dataset.finding import Finding
from lib.dataset.jsonl import value_of
from lib.errors import DataError

LEFT_OUT, KEYS_LEFT_OUT = "row_left_out", "keys_left_out"
# What is wrong with a line and can no longer be seen in what was written anew of it.
REPEATED_KEY = "repeated_key"
# Kinds of problems that take no line out: those of whole files, and what an example lost.
TAKES_OUT_NO_LINE = frozenset(
    {"archive_damaged", "broken_character", "rest_not_read", "unreadable_file", REPEATED_KEY, KEYS_LEFT_OUT}
)
MOST_KEYS, LONGEST_KEY = 12, 60


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of one line: an example, or None. `problems` say why none, or what the example lost.

    `keys` have no place in it; `held_out` is whether it was on the side of validation when it was exported.
    """

    raw: bytes | None
    problems: tuple[Finding, ...] = ()
    keys: tuple[str, ...] = ()
    held_out: bool = False
    shown: Preview | None = None


def turned(raw: bytes, number: int, conversion: Conversion | None) -> Turned:
    """What becomes of a line; without a conversion it stays as it is. `number` is that of the line, from 1."""
    data, problems = value_of(raw, number)
    if data is None:
        return Turned(None, tuple(problems))
    if conversion is None:
        return Turned(raw)
    shown = conversion.preview(data)
    if shown.after is None:
        return Turned(None, (left_out(Unconvertible(shown.why, number), number),), shown=shown)
    held_out = conversion.dialect == EXPORTED and is_held_out(data)
    if shown.after == data:
        # It had the format already and keeps its bytes, and what is wrong with them is seen by whoever reads them.
        return Turned(raw, (), shown.left_out, held_out, shown)
    try:
        made = encode(shown.after)
    except DataError:
        why = Unconvertible("holds a number that JSON cannot say, or is nested too deeply", number)
        return Turned(None, (left_out(why, number),), shown=shown)
    lost = tuple(one for one in problems if one.code == REPEATED_KEY)
    return Turned(made, lost, shown.left_out, held_out, shown)


def lines_left(totals: Mapping[str, int]) -> int:
    """How many lines stay out, by how many problems there are of each kind."""
    return sum(number for code, number in totals.items() if code not in TAKES_OUT_NO_LINE)


def left_out(unfit: Unconvertible, number: int) -> Finding:
    """What is said about a row that makes no example."""
    why = "It stays out of the examples; the file itself is kept whole."
    return Finding("warning", LEFT_OUT, number, None, unfit.text, why)


def keys_left_out(keys: Mapping[str, int]) -> Finding:
    """What is said about keys that have no place in the examples, each with how often it stands in the file."""
    why = "They stay out of the examples; the file itself is kept whole."
    return Finding("info", KEYS_LEFT_OUT, None, None, f"No place in the examples: {listed(keys)}.", why)


def listed(keys: Mapping[str, int]) -> str:
    """Names of keys as text with how often each stands, the first dozen."""
    names = [f"“{_short(name)}” ({number:,} {'time' if number == 1 else 'times'})" for name, number in keys.items()]
    more = len(names) - MOST_KEYS
    return ", ".join(names[:MOST_KEYS]) + (f" and {more} more" if more > 0 else "")


def _short(name: str) -> str:
    flat = " ".join(name.split())
    return flat if len(flat) <= LONGEST_KEY else f"{flat[: LONGEST_KEY - 1]}…"
