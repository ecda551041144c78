"""JSON laid out and put back on one line: every string and number stays as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.editing.layout import as_before, laid_out, on_one_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_each_value_stands_on_a_line_of_its_own() -> None:
    text = '{"height":100,"where":{"x":[1,2]},"none":{},"list":[]}'
    expected = json.dumps(json.loads(text), indent=2)
    assert laid_out(text) == expected


def test_numbers_and_escapes_stay_as_they_were_written() -> None:
    text = '{"a": 1e5, "b": 1.10, "c": "\\u00e9 \\n {,:}", "a": 2}'
    assert on_one_line(laid_out(text)) == text


@pytest.mark.parametrize("before", ['{"a":1,"b":[]}', '{"a": 1, "b": []}', '{\n  "a": 1\n}', "{}"])
def test_a_change_is_written_in_the_way_of_what_stood_there(before: str) -> None:
    assert as_before(laid_out(before), before) == before
    assert as_before('{"c":  2 }', '{"a":1}') == '{"c":2}'
    assert as_before('{"c":2}', "{}") == '{"c": 2}'
    assert as_before('{"c":2}', '{\n  "a": 1\n}') == '{\n  "c": 2\n}'


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": }', "no JSON at all", '{"a": NaN}'])
def test_what_is_no_json_stays_as_it_is(text: str) -> None:
    assert laid_out(text) == on_one_line(text) == text


@given(JSON)
def test_the_way_there_and_back_is_what_python_writes(value: Any) -> None:
    written = json.dumps(value)
    assert on_one_line(laid_out(written)) == written
    assert json.loads(laid_out(written)) == value
