"""What every command prints with: one JSON value on standard output, or text; what is under way goes to standard error.

Text comes out of files and services: what would steer a terminal, or is no character, is shown as an escape. Knows no
command.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.errors import EngineError, EtudeError, ServiceError

# Everything below a blank but line end and tab, what C1 has (a terminal obeys it too), and halves of characters.
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON, in ASCII so that every pipe takes it; NaN, which JSON does not have, becomes null."""
    print(json.dumps(_without_nan(value), allow_nan=False))


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return [_without_nan(inner) for inner in value] if isinstance(value, list | tuple) else value


def say(text: str, *, end: str = "\n") -> None:
    """The result as text, at once."""
    print(_shown(text, sys.stdout.encoding), end=end, flush=True)


def tell(sentence: str) -> None:
    """Something for a person who is watching, not part of the result."""
    print(_shown(sentence, sys.stderr.encoding), file=sys.stderr, flush=True)


def tell_error(error: EtudeError) -> None:
    """What went wrong, and under it the exact words of the service where it is one that failed."""
    tell(str(error))
    if error.raw and isinstance(error, ServiceError | EngineError):
        tell(error.raw)


def _shown(text: str, encoding: str | None) -> str:
    """The text as a terminal with this encoding can show it."""
    plain = UNSHOWN.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
    return plain.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def local_time(seconds: float) -> str:
    """A time (seconds since 1970) as it is on this machine, to the minute; "?" for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return "?"
