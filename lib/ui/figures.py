"""Numbers, money and days as the screen writes them: thousands with commas, dollars to the cent, days with their year.

Knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal


def usd(amount: Decimal | None, *, free: bool = True, unknown: str = "not known") -> str:
    """Dollars to the cent, halves up. None at all is free, or under a cent where `free` says that it is charged."""
    if amount is None:
        return unknown
    cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if cents:
        return f"${cents:,}"
    return "free" if free and not amount else "under $0.01"


def price(amount: Decimal | None, *, unknown: str = "not known") -> str:
    """A price with all the digits it was quoted with."""
    if amount is None:
        return unknown
    return f"${amount:,}" if amount else "free"


def day(when: date | None, *, unknown: str = "") -> str:
    """A day such as 14 Jan 2027."""
    return f"{when.day} {when:%b %Y}" if when else unknown


def number_of(count: int, thing: str, things: str | None = None) -> str:
    """A count with its noun: 1 example, 240 examples."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def numbers_of(counts: Mapping[str, int], *, none: str) -> str:
    """Several counts by what they count, those of nothing left out: 2 changed, 3 removed."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or none
