from __future__ import annotations

import pytest

from lib.dataset.rules.quality import given_away, says_nothing
from tests.dataset.rules.corpus import ANSWER, LONG, USER, answered, codes, said


@pytest.mark.parametrize("text", ["", " \n", ".", "...", "?!", "-", "—", "“”", "\u200b", "***"])
def test_punctuation_says_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["y", "no", "0", "+", "<", "=", "👍", "✓", "是", "ü", "a.", "$", "№ 1", "_x_"])
def test_labels_and_signs_are_answers(text: str) -> None:
    assert not says_nothing(text)


def test_an_answer_is_given_away_only_when_it_is_long_and_the_same() -> None:
    assert given_away(f"Please repeat: {LONG} Thanks.", LONG)
    assert not given_away("Yes or no?", "no")
    assert not given_away(LONG[:-10], LONG)
    other = said({"role": "user", "content": LONG}, ANSWER, USER, {"role": "assistant", "content": LONG})
    assert "answer_in_prompt" not in codes(other), "the question before is meant, not an earlier one"


@pytest.mark.parametrize(
    "text",
    [
        "I can't wait to help you!",
        "I cannot believe how good this is.",
        "You can say: I'm sorry, but I can't help.",
        "I'm sorry to hear that. Let us look at your order.",
        "Unfortunately, the parcel is late.",
    ],
)
def test_what_is_no_refusal_is_left_alone(text: str) -> None:
    assert "refusal" not in codes(answered(text))


def test_only_the_last_answer_counts_as_a_refusal() -> None:
    refusing = {"role": "assistant", "content": "I cannot help with that."}
    assert "refusal" in codes(said(USER, refusing))
    assert "refusal" not in codes(said(USER, refusing, USER, ANSWER))
