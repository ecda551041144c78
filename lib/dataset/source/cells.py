"""The values of cells as JSON can say them and as people would write them: dates, numbers, what is nested.

Knows values, not the programs that they come from.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# Spreadsheets and people show so many digits of a number; those behind them are noise of the binary form.
DIGITS = 15


def value_of(held: Any) -> Any:
    """The JSON value of a cell. Nothing becomes None; in what is nested, it is left out: a table has every key in each
    row, whether it means something there or not.
    """
    if isinstance(held, Mapping):
        return {str(key): value_of(value) for key, value in held.items() if value is not None}
    if isinstance(held, list | tuple):
        return [value_of(value) for value in held]
    if held is None or isinstance(held, bool | int | str):
        return held
    return _number(held) if isinstance(held, float) else _text(held)


def _number(held: float) -> Any:
    if math.isnan(held) or math.isinf(held):
        return None
    if held.is_integer() and abs(held) < 10**DIGITS:
        return int(held)
    return float(f"{held:.{DIGITS}g}")


def _text(held: Any) -> str:
    if isinstance(held, datetime):
        if held.tzinfo is None and held.time() == time():
            return held.date().isoformat()
        return held.isoformat(" ", "seconds" if held.microsecond == 0 else "auto")
    if isinstance(held, date | time):
        return held.isoformat()
    if isinstance(held, timedelta):
        minutes, seconds = divmod(round(abs(held).total_seconds()), 60)
        return f"{'-' if held < timedelta() else ''}{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(held, Decimal):
        return format(held, "f")
    if isinstance(held, bytes):
        try:
            return held.decode()
        except UnicodeDecodeError:
            return base64.b64encode(held).decode()
    return str(held)
