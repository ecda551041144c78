"""The two answers of a pair change places, and nothing else changes."""

from __future__ import annotations

import pytest

from lib.dataset.editing.pairs import swap
from lib.errors import DataError
from tests.dataset.conversations import pair


def test_the_answers_change_places_and_the_question_stays() -> None:
    data = pair("Which one?", "This.", "That.")
    assert swap(data) == pair("Which one?", "That.", "This.")
    assert data == pair("Which one?", "This.", "That.")
    assert swap(swap(data)) == data


def test_the_names_of_the_specification_are_kept() -> None:
    data = {"input": {}, "preferred_completion": [{"content": "a"}], "non_preferred_completion": [{"content": "b"}]}
    swapped = swap(data)
    assert list(swapped) == list(data)
    assert swapped["preferred_completion"] == [{"content": "b"}]


def test_an_answer_that_is_no_list_is_told() -> None:
    with pytest.raises(DataError, match="no list"):
        swap({**pair(), "preferred_output": "This."})
