from __future__ import annotations

import pytest

from lib.dataset.editing.fields import delete_field, extra_fields, set_field
from lib.errors import DataError
from tests.dataset.conversations import chat


def test_fields_of_a_grader_are_set_and_taken_away() -> None:
    data = {**chat(), "answer": "4"}
    assert extra_fields(data) == {"answer": "4"}
    assert set_field(data, "answer", [4]) == {**chat(), "answer": [4]}
    assert list(set_field(data, "unit", None)) == ["messages", "answer", "unit"]
    assert delete_field(data, "answer") == chat()
    assert data == {**chat(), "answer": "4"}


@pytest.mark.parametrize("name", ["messages", "tools", "input", "preferred_output", "", "  "])
def test_the_format_cannot_be_overwritten_as_a_field(name: str) -> None:
    with pytest.raises(DataError):
        set_field(chat(), name, [])
    with pytest.raises(DataError, match="no extra field"):
        delete_field(chat(), name)
