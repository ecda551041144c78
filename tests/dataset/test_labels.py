"""Labels: what is rare, what is uneven, and that answers that are no labels are left alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lib.dataset.assessment import Assessment, raws_of
from lib.dataset.jsonl import Lines
from lib.dataset.survey.survey import survey
from tests.dataset.conversations import chat

TEAMS = ("billing", "shipping", "returns")


def assessed(answers: list[str]) -> Assessment:
    lines = Lines.of([json.dumps(chat(f"Case {n}", answer)).encode() for n, answer in enumerate(answers)])
    surveyed = survey(lines)
    return Assessment(surveyed, raws_of(lines))


def codes(answers: list[str]) -> dict[str, list[int]]:
    return {code: places.tolist() for code, places in assessed(answers).found().items()}


@pytest.mark.parametrize("field", ["", "team"])
def test_a_misspelt_label_is_found_and_what_was_meant_goes_with_it(field: str) -> None:
    labels = [TEAMS[n % 3] for n in range(30)] + ["biling"]
    held = assessed([json.dumps({"team": one}) for one in labels] if field else labels)
    assert {code: places.tolist() for code, places in held.found().items()} == {"rare_label": [30]}
    ((finding,),) = held.findings([30])
    assert (finding.fix, finding.detail) == ("rename_label", (field, "biling", "billing"))


def test_a_label_that_resembles_none_is_told_without_a_repair() -> None:
    held = assessed([TEAMS[n % 3] for n in range(30)] + ["garden"])
    assert list(held.found()) == ["single_label"]
    ((finding,),) = held.findings([30])
    assert finding.fix is None
    assert "meant" not in finding.text


def test_one_long_answer_among_labels_does_not_hide_them() -> None:
    assert codes(["x" * 70] + [TEAMS[n % 3] for n in range(30)] + ["biling"]) == {"rare_label": [31]}


def test_a_label_with_hardly_any_examples_beside_many_is_told_once() -> None:
    few = ["rare", "rare"]
    held = assessed(["often"] * 300 + few)
    (told,) = [finding for finding in held.about_the_whole() if finding.code == "unbalanced_labels"]
    assert "“often” has 300 examples, “rare” has 2" in told.text
    assert not assessed(["often"] * 60 + few).about_the_whole()


def test_answers_that_are_no_labels_are_left_alone() -> None:
    held = assessed([f"Answer number {n} of many" for n in range(100)])
    assert held.labels == {}
    assert held.found() == {}


def test_an_edit_moves_an_example_from_one_label_to_another() -> None:
    held = assessed([TEAMS[n % 3] for n in range(30)] + ["biling"])
    held.replace([30], [json.dumps(chat("Case 30", "billing")).encode()])
    assert held.found() == {}
    assert held.labels[""].counts(held.present).tolist() == [11, 10, 10, 0]
    held.replace([0], [json.dumps(chat("Case 0", "new label")).encode()])
    assert {code: places.tolist() for code, places in held.found().items()} == {"single_label": [0]}
    held.replace([0], [None])
    assert held.found() == {}


def test_an_answer_without_json_is_told_where_nearly_all_have_it() -> None:
    held = assessed([json.dumps({"n": n}) for n in range(25)] + ["Billing, I think"])
    assert {code: places.tolist() for code, places in held.found().items()} == {"answer_not_json": [25]}
    held.replace([25], [json.dumps(chat("Case", '{"n": 1}')).encode()])
    assert held.found() == {}
    assert np.all(held.columns.answer == 1)
