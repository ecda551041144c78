"""Marks of answers to held-out questions: what is right counts, and nothing that only looks like it."""

from __future__ import annotations

import pytest

from lib.dataset.samples.marking import by_field, by_tone
from lib.dataset.samples.samples import SAMPLES, Sample

ORDER = '{"name": "Ada", "quantity": 3, "city": null}'
TOLD = "Gladly told: Towels are changed every second day. Warmly, your Heron House"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_every_right_answer_has_full_marks_and_the_spoilt_one_has_not(sample: Sample) -> None:
    for part in (*sample.make(), sample.in_other_words()):
        for example in part:
            answer = example["messages"][2]["content"]
            assert set(sample.mark(answer, answer).values()) == {True}
            spoilt = sample.spoil(answer)
            assert spoilt == answer or False in sample.mark(answer, spoilt).values()


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (ORDER, {"json", "name", "quantity", "city"}),
        ('{"city": null, "quantity": 3, "name": "Ada"}', {"json", "name", "quantity", "city"}),
        ('{"name": "Ida", "quantity": 3, "city": null}', {"json", "quantity", "city"}),
        ('{"name": "Ada", "quantity": "3", "city": null}', {"json", "name", "city"}),
        ('{"name": "Ada", "quantity": 3}', {"name", "quantity"}),
        ('{"name": "Ada", "quantity": 3, "city": null, "date": null}', {"name", "quantity", "city"}),
        ('{"name": "Ada", "quantity": true, "city": null}', {"json", "name", "city"}),
        (ORDER.removesuffix("}"), set()),
        ('["Ada", 3, null]', set()),
        ("Ada wants 3.", set()),
        ("", set()),
        ("[" * 100_000, set()),
    ],
)
def test_fields_are_marked_one_by_one(said: str, right: set[str]) -> None:
    marks = by_field(ORDER, said)
    assert set(marks) == {"json", "name", "quantity", "city"}
    assert {name for name, is_right in marks.items() if is_right} == right


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (TOLD, {"tone", "fact"}),
        ("Gladly told: Breakfast is at seven. Warmly, your Heron House", {"tone"}),
        ("Towels are changed every second day.", set()),
        ("Gladly told: Towels are changed every second day.", set()),
        ("Towels are changed every second day. Warmly, your Heron House", set()),
        ("", set()),
    ],
)
def test_tone_and_fact_are_marked_apart(said: str, right: set[str]) -> None:
    assert {name for name, is_right in by_tone(TOLD, said).items() if is_right} == right
