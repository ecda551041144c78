from __future__ import annotations

import pytest

from tests.dataset.rules.corpus import USER, answered, asked, codes, said


@pytest.mark.parametrize(
    "text",
    [
        "[Your Name]",
        "Dear [INSERT NAME HERE]",
        "<your-api-key>",
        "[Company Name] Ltd.",
        "Date: [Date]",
        "Hi {{ user.name }}!",
        "lorem ipsum",
        "FIX" + "ME: later",
    ],
)
def test_a_gap_in_an_answer_is_found(text: str) -> None:
    assert "placeholder" in codes(answered(text))


@pytest.mark.parametrize(
    "text",
    [
        "[1] See the notes. [citation needed] a[i] = b[insertion]",
        "<b>your</b> name",
        "¡TO" + "DO es posible!",
        "Use `f'{name}'` or {name}.",
        "```\nDear [Your Name], {{x}}\n```",
        "The secret is [e-mail] and [phone].",
    ],
)
def test_what_is_no_gap_is_left_alone(text: str) -> None:
    assert not codes(answered(text))


def test_a_question_may_ask_for_a_form_but_not_come_from_an_unfilled_one() -> None:
    assert not codes(asked("Write a letter that begins with Dear [Your Name]"))
    assert codes(asked("What does {{product}} cost?")) == {"placeholder"}


def test_what_is_not_trained_on_may_speak_as_a_machine() -> None:
    spoken = {"role": "assistant", "content": "As an AI language model, I cannot know."}
    assert "boilerplate" in codes(said(USER, spoken))
    later = said(USER, {**spoken, "weight": 0}, USER, {"role": "assistant", "content": "Noon."})
    assert not codes(later)
    assert not codes(asked("Who is ChatGPT, and what does it say as an AI language model?"))
