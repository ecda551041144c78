from __future__ import annotations

import json

from lib.dataset.assessment import Assessment, raws_of
from lib.dataset.jsonl import Lines
from lib.dataset.survey.survey import survey
from lib.dataset.systems import CODE, variants
from tests.dataset.conversations import chat

PROMPT = "You sort tickets. Answer with JSON that has a team and a priority."
SLIP = "You sort tickets. Answer with JSON that has a team and a priorty."


def assessed(systems: list[str]) -> Assessment:
    lines = Lines.of([json.dumps(chat(f"{n}?", "a", system=one)).encode() for n, one in enumerate(systems)])
    return Assessment(survey(lines), raws_of(lines))


def test_a_slip_is_told_at_every_example_and_repaired_by_what_most_have() -> None:
    held = assessed([*[PROMPT] * 12, SLIP, SLIP])
    assert held.found()[CODE].tolist() == [12, 13]
    ((finding,),) = held.findings([13])
    assert (finding.code, finding.message_index, finding.fix, finding.detail) == (
        CODE,
        0,
        "use_system_prompt",
        (PROMPT,),
    )
    assert "12 other examples" in finding.text


def test_repairing_the_slips_one_by_one_ends_the_finding() -> None:
    held = assessed([*[PROMPT] * 12, SLIP])
    held.replace([12], [json.dumps(chat("12?", "a", system=PROMPT)).encode()])
    assert CODE not in held.found()
    assert held.used_systems() == [(PROMPT, 13)]


def test_other_prompts_two_plans_and_many_prompts_are_no_slips() -> None:
    assert CODE not in assessed([*[PROMPT] * 12, "Translate into Latin."]).found()
    assert CODE not in assessed([*[PROMPT] * 5, *[SLIP] * 5]).found(), "as many with one as with the other"
    own = [f"You help customer number {n}, who bought something last week." for n in range(60)]
    assert CODE not in assessed([*[own[0]] * 9, *own]).found()


def test_case_and_blanks_alone_are_a_slip() -> None:
    found = variants({1: 20, 2: 1}, {1: "Be kind", 2: "be  KIND\n"})
    assert {held: one.text for held, one in found.items()} == {2: "Be kind"}


def test_a_prompt_whose_text_is_not_known_is_passed_over() -> None:
    assert variants({1: 20, 2: 1, 0: 7}, {1: "Be kind"}) == {}
