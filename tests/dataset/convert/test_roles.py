from __future__ import annotations

from typing import Any

import pytest

from lib.dataset.convert.fields import Fields, Unfit
from lib.dataset.convert.roles import Roles, guess_roles
from tests.dataset.conversations import chat

Data = dict[str, Any]


def told(roles: Roles) -> str:
    """The roles as a line: the first letter of each."""
    return " ".join(f"{column}:{role[0]}" for column, role in roles.of)


def rows(*lines: str) -> list[Data]:
    head, *others = (line.split("|") for line in lines)
    return [dict(zip(head, cells, strict=True)) for cells in others]


@pytest.mark.parametrize(
    ("head", "guessed"),
    [
        ("question|answer", "question:q answer:a"),
        ("Prompt|Completion|system", "Prompt:q Completion:a system:s"),
        ("id|text|label", "id:i text:q label:l"),
        ("subject|body|team|priority", "subject:q body:q team:l priority:l"),
        ("left|right", "left:q right:a"),
        ("subject|body", "subject:q body:a"),
        ("passage|question|answer|category", "passage:c question:q answer:a category:i"),
        ("Customer question|Agent reply|Ticket ID", "Customer question:q Agent reply:a Ticket ID:i"),
        ("text|score", "text:q score:a"),
        ("source|target", "source:q target:a"),
        ("frage|antwort", "frage:q antwort:a"),
        ("created_at|user_message|assistant_message", "created_at:i user_message:q assistant_message:a"),
    ],
)
def test_the_roles_are_guessed_from_the_names(head: str, guessed: str) -> None:
    row = "|".join("7" if name == "score" else "some longer words" for name in head.split("|"))
    assert told(guess_roles(rows(head, row))) == guessed


def test_without_names_the_values_tell() -> None:
    held = [f"{n}|a story about case {n} that goes on|{'good' if n % 2 else 'bad'}|2026-01-{n:02}" for n in range(1, 9)]
    assert told(guess_roles(rows("a|b|c|d", *held))) == "a:i b:q c:l d:i"
    assert told(guess_roles(rows("a|b|c", "1|a very long story about something|yes"))) == "a:i b:q c:a"


def test_nothing_to_guess_from_is_no_error() -> None:
    assert guess_roles([]) == Roles(())
    assert told(guess_roles([{"a": None}], ["a", "b"])) == "a:i b:i"


def test_several_questions_are_one_labelled_text_and_several_answers_one_object() -> None:
    roles = guess_roles(rows("subject|body|team|priority", "x|y|z|w"))
    row = {"subject": " Hi ", "body": "It broke", "team": "Repairs", "priority": 2}
    made = roles.convert(Fields(row))
    assert made == chat("subject: Hi\nbody: It broke", '{"team": "Repairs", "priority": 2}')
    row = {"subject": "", "body": "It broke", "team": "Repairs", "priority": None}
    assert roles.convert(Fields(row)) == chat("It broke", '{"team": "Repairs", "priority": ""}')


def test_context_and_system_have_their_places() -> None:
    roles = Roles((("doc", "context"), ("q", "question"), ("a", "answer"), ("sys", "system"), ("n", "ignored")))
    fields = Fields({"doc": "It rains.", "q": "Does it?", "a": True, "sys": "Be brief.", "n": 7})
    assert roles.convert(fields) == chat("It rains.\n\nDoes it?", "true", system="Be brief.")
    assert fields.left_out() == ("n",)
    assert roles.becomes() == "“doc” and “q” become the question, “a” the answer, “sys” the system message."


def test_columns_that_differ_in_writing_only_are_two() -> None:
    roles = Roles((("Text", "question"), ("text ", "answer")))
    assert roles.convert(Fields({"Text": "a", "text ": "b"})) == chat("a", "b")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"q": "a", "a": " "}, "has no answer: “a” is empty"),
        ({"q": None, "a": "b"}, "has no question: “q” is empty"),
        ({}, "has no question"),
    ],
)
def test_a_row_without_both_is_said(row: Data, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        Roles((("q", "question"), ("a", "answer"))).convert(Fields(row))
    with pytest.raises(Unfit, match="no column is one"):
        Roles(()).convert(Fields(row))
