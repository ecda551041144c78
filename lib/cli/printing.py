"""What every command prints with: one JSON value on standard output, or text; what is under way goes to standard error.

Knows no command.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON, in ASCII so that every pipe takes it; NaN, which JSON does not have, becomes null."""
    print(json.dumps(_without_nan(value), allow_nan=False))


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return [_without_nan(inner) for inner in value] if isinstance(value, list | tuple) else value


def tell(sentence: str) -> None:
    """Something for a person who is watching, not part of the result."""
    print(sentence, file=sys.stderr, flush=True)


def local_time(seconds: float) -> str:
    """A time (seconds since 1970) as it is on this machine, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
