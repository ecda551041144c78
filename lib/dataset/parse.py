"""One JSON value from bytes, or a plain sentence that says where and why it cannot be one.

Stricter than Python (NaN is no JSON, bytes must be UTF-8) and gentler than a typed decoder: huge integers keep all
their digits and half of a character pair is let through, because neither makes the rest of a line unreadable.
Knows nothing of messages.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import msgspec

# A line longer than this is not looked into: with ten images of 10 MB each an example may come near, a text never.
LONGEST_LINE = 192 << 20
SNIPPET = 24
MOST_REPEATED, LONGEST_TOLD = 3, 300

DECODER = msgspec.json.Decoder()
HALF_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
KEY_MARK = b'":'
ESCAPED_KEY_MARK = b'\\":'


@dataclass(eq=False)
class Unparsable(Exception):
    """Why a value cannot be read. `line` counts from 0 within the value, `column` from 1 in characters."""

    code: str
    sentence: str
    line: int
    column: int
    near: str
    hint: str


def parse(raw: bytes) -> Any:
    """The JSON value of these bytes. Raises Unparsable."""
    if len(raw) > LONGEST_LINE:
        sentence = f"it is {len(raw) >> 20} MB long"
        raise Unparsable("line_too_long", sentence, 0, 1, "", "Split it, or take out what no model can read.")
    try:
        return DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _parse_slowly(raw)


class Repeated(NamedTuple):
    """A key that stands more than once in one object: the beginnings of a value that goes and of the one that stays."""

    key: str
    goes: str
    stays: str


def repeated_keys(raw: bytes, value: Any) -> tuple[Repeated, ...]:
    """The first few keys that stand twice in one object of this line, of which a reader keeps only the last value."""
    marks = raw.count(KEY_MARK) - raw.count(ESCAPED_KEY_MARK)
    if marks == _count_keys(value):
        return ()
    repeated: list[Repeated] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs) and len(repeated) < MOST_REPEATED:
            left = dict(reversed(pairs))
            key = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            repeated.append(Repeated(key, _begun(left[key]), _begun(made[key])))
        return made

    try:
        json.loads(raw, object_pairs_hook=keep)
    except (ValueError, RecursionError):
        return ()
    return tuple(repeated)


def has_half_pair(raw: bytes) -> bool:
    """Whether an escape such as \\ud83d stands without its other half, which no text can hold."""
    if not HALF_ESCAPE.search(raw):
        return False
    try:
        json.dumps(json.loads(raw), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def is_deeper(value: Any, most: int) -> bool:
    """Whether objects and lists are nested in each other more than `most` deep."""
    level = [value]
    for _ in range(most + 1):
        inner = [held for held in level if isinstance(held, (dict, list))]
        level = [entry for held in inner for entry in (held.values() if isinstance(held, dict) else held)]
        if not level:
            return False
    return any(isinstance(held, (dict, list)) for held in level)


def _begun(value: Any) -> str:
    """The beginning of a value as JSON. Half of a character becomes the mark for a lost one, to be shown."""
    text = json.dumps(value if not isinstance(value, str) else value[:LONGEST_TOLD], ensure_ascii=False)
    told = text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"
    return told.encode("utf-8", "replace").decode()


def _count_keys(value: Any) -> int:
    total, waiting = 0, [value]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict):
            total += len(held)
            waiting.extend(held.values())
        elif isinstance(held, list):
            waiting.extend(held)
    return total


def _parse_slowly(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad_bytes(raw, error) from error
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise _bad_syntax(text, error) from error
    except _NoNumber as error:
        at = max(0, text.find(str(error)))
        hint = "JSON has no such number. Write null or take it out."
        raise _at(text, at, "invalid_json", f"{error} is not a number in JSON", hint) from error
    except RecursionError as error:
        sentence = "its brackets are nested too deeply"
        raise Unparsable("too_deep", sentence, 0, 1, text[:SNIPPET], "An example needs six levels.") from error
    except ValueError as error:
        sentence = "it holds a number with thousands of digits"
        raise Unparsable("invalid_json", sentence, 0, 1, text[:SNIPPET], "Write the number as text.") from error


class _NoNumber(Exception):
    pass


def _no_number(word: str) -> NoReturn:
    raise _NoNumber(word)


def _finite(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        raise _NoNumber(word)
    return number


def _bad_bytes(raw: bytes, error: UnicodeDecodeError) -> Unparsable:
    before = raw[: error.start].decode("utf-8")
    line, column = before.count("\n"), len(before) - before.rfind("\n")
    near = raw[max(0, error.start - SNIPPET) : error.start + SNIPPET].decode("cp1252", errors="replace")
    wrong = " ".join(f"{byte:02X}" for byte in raw[error.start : error.end])
    hint = "The file was probably written in another encoding. Save it again as UTF-8."
    return Unparsable("invalid_utf8", f"the bytes {wrong} are not UTF-8", line, column, near, hint)


def _bad_syntax(text: str, error: json.JSONDecodeError) -> Unparsable:
    return _at(text, error.pos, "invalid_json", f"it is not valid JSON: {error.msg}", _hint(text, error))


def _at(text: str, position: int, code: str, sentence: str, hint: str) -> Unparsable:
    line = text.count("\n", 0, position)
    column = position - text.rfind("\n", 0, position)
    near = text[max(0, position - SNIPPET) : position + SNIPPET].replace("\n", " ")
    return Unparsable(code, sentence, line, column, near, hint)


def _hint(text: str, error: json.JSONDecodeError) -> str:
    """What was probably meant, from the character at which the parser stopped."""
    rest, before = text[error.pos :].lstrip(), text[: error.pos].rstrip()
    if error.msg.startswith("Extra data"):
        return "Two values stand on one line. Put each example on a line of its own."
    if not rest or error.msg.startswith("Unterminated string"):
        return "The line ends too early: a quote or bracket is not closed, or the text has a line break inside."
    if rest[0] in "}]" and before.endswith(","):
        return "Take out the comma before the closing bracket."
    if rest[0] == "'":
        return 'JSON wants double quotes ("), not single ones.'
    if rest[0] in "“”„‘’":
        return 'Replace the typographic quotes by plain ones (").'
    if rest.startswith(("None", "True", "False")):
        return "This is Python, not JSON: write null, true, false."
    if error.msg.startswith("Invalid control character"):
        return "A line break or tab inside a text must be written as \\n or \\t."
    if error.msg.startswith("Expecting ',' delimiter"):
        return 'A quote inside a text must be written as \\", or a comma is missing.'
    return "Correct the line in the file, or write it anew with a JSON library."
