from __future__ import annotations

from typing import Any

import pytest

from lib.dataset.source.headings import Headings, headings


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([["question", "answer"], ["a", "b"]], Headings(("question", "answer"), True, False)),
        ([[" question ", "answer", ""], ["a", "b"]], Headings(("question", "answer"), True, False)),
        ([["a", "a", None, "a"], ["1", "2", "3", "4"]], Headings(("a", "a (2)", "column 3", "a (4)"), True, True)),
        ([["a", "a (2)", "a"], ["1", "2", "3"]], Headings(("a", "a (2)", "a (3)"), True, True)),
        ([["text", "label"], ["x", "label"]], Headings(("text", "label"), True, False)),
        ([["It broke", "repairs"], ["Late", "repairs"]], Headings(("column 1", "column 2"), False, False)),
        ([["x" * 81, "y"], ["z", "w", "v"]], Headings(("column 1", "column 2", "column 3"), False, False)),
        ([["a\nb", "y"], ["z", "w"]], Headings(("column 1", "column 2"), False, False)),
        ([["a", 12.5], ["b", 13]], Headings(("column 1", "column 2"), False, False)),
        ([["a", "2026-01-02 10:00"], ["b", ""]], Headings(("column 1", "column 2"), False, False)),
    ],
)
def test_the_first_row_names_the_columns_unless_it_is_a_case(rows: list[list[Any]], named: Headings) -> None:
    assert headings(rows) == named


def test_no_rows_have_no_columns() -> None:
    assert headings([]).columns == ()


def test_a_name_is_not_longer_than_may_be_repeated() -> None:
    (first, second) = headings([["question", "x" * 5000], ["a", "b"]]).columns
    assert (first, len(second)) == ("question", 200)
