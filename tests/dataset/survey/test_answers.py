from __future__ import annotations

import json
from typing import Any

from lib.dataset.check import Report, check
from lib.dataset.reading import read
from tests.dataset.conversations import chat, lines_of

TEAMS = ("Billing", "Shipping", "Returns")


def report(answers: list[str]) -> Report:
    return check(read(lines_of([chat(f"Case {n}", answer) for n, answer in enumerate(answers)]), "a").lines)


def routed(team: str = "Billing", **more: Any) -> str:
    return json.dumps({"team": team, **more})


def test_an_answer_that_is_no_json_among_many_that_are_is_found() -> None:
    found = report([routed() for _ in range(25)] + ["Billing, I think", '{"team": "Billing"']).findings
    assert [(one.code, one.line, one.message_index, one.severity) for one in found] == [
        ("answer_not_json", 26, 1, "warning"),
        ("answer_not_json", 27, 1, "warning"),
    ]


def test_where_only_some_answers_are_json_nothing_is_said() -> None:
    assert report([routed() for _ in range(15)] + [f"Some words about {n}" for n in range(15)]).findings == ()


def test_a_misspelt_label_is_found_in_its_field() -> None:
    answers = [routed(TEAMS[n % 3], case=n) for n in range(30)] + [routed("Biling", case=30)]
    (found,) = report(answers).findings
    assert (found.code, found.line, found.severity) == ("rare_label", 31, "warning")
    assert "“team”" in found.text
    assert "Is “Billing” meant?" in found.text


def test_a_label_of_its_own_is_told_and_no_other_proposed() -> None:
    (found,) = report([TEAMS[n % 3] for n in range(30)] + ["Garden"]).findings
    assert (found.severity, found.line) == ("info", 31)
    assert "meant?" not in found.text


def test_answers_that_are_no_labels_are_left_alone() -> None:
    assert report([f"Answer number {n} of many" for n in range(100)]).findings == ()
    assert report([TEAMS[n % 3] for n in range(30)]).findings == ()
    assert report([*(TEAMS[n % 3] for n in range(10)), "Garden"]).findings == (), "too few to tell"
