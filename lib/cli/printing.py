"""What every command prints with: one JSON value on standard output, or text; what is under way goes to standard error.

Knows no command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON, in ASCII so that every terminal and pipe takes it."""
    print(json.dumps(value))


def tell(sentence: str) -> None:
    """Something for a person who is watching, not part of the result."""
    print(sentence, file=sys.stderr, flush=True)


def local_time(seconds: float) -> str:
    """A time (seconds since 1970) as it is on this machine, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
