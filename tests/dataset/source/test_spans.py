from __future__ import annotations

import pytest

from lib.dataset.source.spans import spans


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"", []),
        (b"  ", []),
        (b"[]", []),
        (b'{"a": 1}', [b'{"a": 1}']),
        (b'{"a": "}"}\n{"b": "\\"{"}', [b'{"a": "}"}', b'{"b": "\\"{"}']),
        (b'[{"a": [1, {}]}, 3, {"b": 2}]', [b'{"a": [1, {}]}', b'{"b": 2}']),
        (b"[[1], [2]]", [b"[1]", b"[2]"]),
        (b'}{"a": 1}', [b'{"a": 1}']),
    ],
)
def test_values_are_found_by_their_brackets(content: bytes, values: list[bytes]) -> None:
    assert [content[start:end] for start, end in spans(content)] == values


def test_a_value_that_is_never_closed_ends_where_the_next_begins_at_the_margin() -> None:
    content = b'{\n "a": [\n}\n{\n "b": 1\n}\n'
    assert [content[start:end] for start, end in spans(content)] == [b'{\n "a": [\n}', b'{\n "b": 1\n}']


def test_a_missing_quote_spoils_its_own_line_only() -> None:
    content = b'[{"a": "no end},\n{"b": 1}]'
    assert [content[start:end] for start, end in spans(content)] == [b'{"a": "no end}', b'{"b": 1}']
