from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lib.dataset.source.cells import value_of


@pytest.mark.parametrize(
    ("held", "value"),
    [
        (3.0, 3),
        (1e300, 1e300),
        (0.1 + 0.2, 0.3),
        (float("nan"), None),
        (float("inf"), None),
        (10**30, 10**30),
        (True, True),
        ("  a ", "  a "),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00"),
        (datetime(2026, 1, 2, 3, 4, 5, 600), "2026-01-02 03:04:05.000600"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=26, seconds=5), "26:00:05"),
        (timedelta(seconds=-5), "-0:00:05"),
        (Decimal("1.20"), "1.20"),
        (b"a", "a"),
        (b"\xff", "/w=="),
        ({"a": None, "b": [None, {"c": None, "d": 2.0}]}, {"b": [None, {"d": 2}]}),
    ],
)
def test_a_cell_is_what_people_would_write(held: Any, value: Any) -> None:
    made = value_of(held)
    assert made == value
    assert type(made) is type(value)
