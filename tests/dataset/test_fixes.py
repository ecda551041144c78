from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import Example, Method
from lib.dataset.finding import Finding
from lib.dataset.fixes import FIXES, WITH_DETAIL, WRITE_ANEW, Unrepairable, repair
from lib.dataset.fixes.answers import renamed
from lib.dataset.rules.kinds import FIX_LABELS
from tests.dataset.conversations import call, chat, pair, tool
from tests.dataset.rules.corpus import (
    ANSWER,
    BAD,
    CALLING,
    FUNCTION,
    FUNCTION_CALL,
    FUNCTION_RESULT,
    RESULT,
    USER,
    Bad,
    answered,
    asked,
    called,
    findings,
    other_pair,
    picture,
    said,
    without,
)

Data = dict[str, Any]
REPAIRABLE = [bad for bad in BAD if any(one.code == bad.code and one.fix for one in findings(bad.data, bad.method))]


def found(data: Data, code: str, method: Method = "supervised") -> Finding:
    return next(finding for finding in findings(data, method) if finding.code == code)


def ask(fix: str, *detail: str) -> Finding:
    return Finding("warning", "x", 1, None, "x", "y", fix, detail)


def repaired(data: Data, finding: Finding) -> Data:
    before = copy.deepcopy(data)
    after = repair(Example(data), finding)
    assert isinstance(after, Example)
    assert data == before, "the example itself is not touched"
    return after.data


@pytest.mark.parametrize("bad", REPAIRABLE, ids=str)
def test_a_repair_removes_its_finding_and_brings_no_error(bad: Bad) -> None:
    before = findings(bad.data, bad.method)
    for finding in before:
        if finding.code != bad.code or finding.fix in (None, "remove_example"):
            continue
        after = repaired(bad.data, finding)
        method: Method = "supervised" if finding.fix == "convert" else bad.method
        left = findings(after, method)
        assert (finding.code, finding.text) not in {(one.code, one.text) for one in left}
        fresh = {one.code for one in left if one.severity == "error"} - {one.code for one in before}
        assert not fresh, f"{finding.fix} brings {fresh}"
        again = repair(Example(after), finding)
        assert isinstance(again, Unrepairable), "once is enough"


@pytest.mark.parametrize(
    ("data", "code", "after"),
    [
        ({**chat("a", "b"), "id": 1, "weight": 1}, "extra_key", chat("a", "b")),
        (said({**USER, "id": 3}, ANSWER), "extra_message_key", said(USER, ANSWER)),
        (said({**USER, "refusal": "x", "weight": 1}, ANSWER), "misplaced_key", said({**USER, "weight": 1}, ANSWER)),
        (said({**USER, "weight": 1}, {**ANSWER, "weight": 1}), "misplaced_weight", said(USER, {**ANSWER, "weight": 1})),
        (
            said({**USER, "name": None}, {"role": "assistant", "content": None, "refusal": "No"}, tools=None),
            "null_field",
            said(USER, {"role": "assistant", "content": None, "refusal": "No"}),
        ),
        ({"prompt": "a", "completion": " b"}, "prompt_completion", chat("a", "b")),
        (said(USER, ANSWER, USER, USER), "last_not_assistant", said(USER, ANSWER)),
        (said(USER, ANSWER, {"role": "user", "content": ""}), "empty_content", said(USER, ANSWER)),
        (said({"role": "system", "content": None}, USER, ANSWER), "missing_content", said(USER, ANSWER)),
        (
            said({"role": "Human ", "content": "a"}, {"role": "gpt", "content": "b"}),
            "unknown_role",
            chat("a", "b"),
        ),
        (
            said({"role": "developer", "content": "x"}, ANSWER),
            "developer_role",
            said({"role": "system", "content": "x"}, ANSWER),
        ),
        (said(USER, {**ANSWER, "weight": True}), "bad_weight", said(USER, {**ANSWER, "weight": 1})),
        (
            said(USER, {**ANSWER, "weight": "0"}, ANSWER),
            "bad_weight",
            said(USER, {**ANSWER, "weight": 0}, ANSWER),
        ),
        (said({**USER, "name": " Ann B/C "}, ANSWER), "bad_name", said({**USER, "name": "Ann_B_C"}, ANSWER)),
        (asked(7), "content_type", asked("7")),
        (asked(["x", {"type": "text", "text": "y"}]), "unknown_part", asked(
            [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]
        )),
        (asked([{"type": "text", "text": "y", "id": 1}]), "extra_part_key", asked([{"type": "text", "text": "y"}])),
        (picture("https://a.test/b", detail="fine"), "image_detail", picture("https://a.test/b")),
        (said(USER, ANSWER, tools=[FUNCTION, tool()]), "bad_tool", said(
            USER, ANSWER, tools=[{"type": "function", "function": FUNCTION}, tool()]
        )),
        (said(USER, ANSWER, tools=[without(tool(), "type")]), "tool_without_type", said(USER, ANSWER, tools=[tool()])),
        (
            said(USER, ANSWER, tools=[tool()], parallel_tool_calls="False"),
            "parallel_not_boolean",
            said(USER, ANSWER, tools=[tool()], parallel_tool_calls=False),
        ),
        (said(USER, ANSWER, parallel_tool_calls=True), "parallel_without_tools", said(USER, ANSWER)),
        (called(without(call(), "type")), "call_without_type", called(call())),
        (called(call(call_id=None), call(call_id="call_0")), "call_without_id", called(
            call(call_id="call_1"), call(call_id="call_0")
        )),
        (called(call(arguments={"what": "ü"})), "arguments_not_text", called(call(arguments='{"what": "ü"}'))),
        (called(call(arguments="{'what': 'a',}")), "arguments_not_json", called(call(arguments='{"what": "a"}'))),
        (said(USER, {**ANSWER, "tool_calls": []}), "bad_tool_calls", said(USER, ANSWER)),
        (said(USER, RESULT, FUNCTION_RESULT, ANSWER), "answer_without_call", said(USER, ANSWER)),
        (said(USER, CALLING, USER, ANSWER), "unanswered_call", said(USER, USER, ANSWER)),
        (
            said(USER, {**CALLING, "content": "Wait."}, USER, CALLING),
            "unanswered_call",
            said(USER, {"role": "assistant", "content": "Wait."}, USER, CALLING),
        ),
        (
            said(USER, {"role": "assistant", "tool_calls": [call(), call(call_id="b")]}, RESULT, ANSWER),
            "unanswered_call",
            said(USER, CALLING, RESULT, ANSWER),
        ),
        (
            said(USER, FUNCTION_CALL, FUNCTION_RESULT, ANSWER, functions=[FUNCTION]),
            "legacy_functions",
            said(
                USER,
                {"role": "assistant", "content": None, "tool_calls": [call("look_up", "{}")]},
                RESULT,
                ANSWER,
                tools=[{"type": "function", "function": FUNCTION}],
            ),
        ),
        (chat("Mail ann@acme.io", "ok"), "email", chat("Mail [e-mail]", "ok")),
        (called(call(arguments='{"what": "ann@acme.io"}')), "email", called(call(arguments='{"what": "[e-mail]"}'))),
        (chat("a", "b <|endoftext|> <|im_end|> c"), "special_token", chat("a", "b <endoftext> <im_end> c")),
        (chat("schÃ¶n", "Ãœber â€œuns“"), "broken_encoding", chat("schön", "Über “uns“")),
        (chat("a\x00b", "one\x0ctwo\ufeff"), "control_characters", chat("ab", "one\ntwo")),
    ],
)  # fmt: skip
def test_a_repair_changes_what_is_wrong_and_nothing_else(data: Data, code: str, after: Data) -> None:
    assert repaired(data, found(data, code)) == after
    assert code not in {one.code for one in findings(after)}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"messages": []}, "no_messages"),
        (said(USER), "no_assistant_message"),
        (said(USER, {**ANSWER, "weight": 0}), "nothing_to_train_on"),
        (answered(""), "empty_content"),
        (answered([]), "no_parts"),
        (answered("…"), "says_nothing"),
    ],
)
def test_an_example_that_trains_nothing_is_taken_out(data: Data, code: str) -> None:
    assert repair(Example(data), found(data, code)) is None


def test_calls_are_left_when_nothing_else_would_train() -> None:
    assert found(said(USER, CALLING, USER), "unanswered_call").fix is None


def test_the_fields_of_a_grader_survive_the_repair_of_a_message() -> None:
    data = said({**USER, "id": 1}, answer=3, source="x")
    after = repaired(data, found(data, "extra_message_key", "reinforcement"))
    assert after == said(USER, answer=3, source="x")


def test_the_answers_of_a_pair_are_repaired_too() -> None:
    data = other_pair(preferred_output=[{**ANSWER, "score": 1, "content": "Mail ann@acme.io"}])
    after = repaired(data, found(data, "extra_message_key", "dpo"))
    assert after["preferred_output"] == [{"role": "assistant", "content": "Mail ann@acme.io"}]
    assert repaired(data, found(data, "email", "dpo"))["preferred_output"][0]["content"] == "Mail [e-mail]"
    assert after["non_preferred_output"] == pair()["non_preferred_output"]


def test_the_answers_of_a_pair_get_the_guides_names() -> None:
    data = pair()
    data["preferred_completion"] = data.pop("preferred_output")
    data["non_preferred_completion"] = data.pop("non_preferred_output")
    assert repaired(data, found(data, "other_name", "dpo")) == pair()


def test_a_system_message_of_a_grader_becomes_the_developers() -> None:
    data = said({"role": "system", "content": "x"}, USER, answer=1)
    after = repaired(data, found(data, "system_role", "reinforcement"))
    assert [message["role"] for message in after["messages"]] == ["developer", "user"]


def test_half_characters_become_the_replacement_character() -> None:
    after = repaired(chat("a\ud83d", "b"), ask("replace_half_characters"))
    assert after == chat("a\ufffd", "b")


@pytest.mark.parametrize(
    ("answer", "field", "old", "new", "after"),
    [
        ("Biling", "", "Biling", "Billing", "Billing"),
        (" Biling\n", "", "Biling", "Billing", " Billing\n"),
        ("Biling, I think", "", "Biling", "Billing", "Biling, I think"),
        ('{"team":  "Biling", "x": [1]}', "team", "Biling", "Billing", '{"team":  "Billing", "x": [1]}'),
        ('{"a": {"team": "b"}, "team": "b"}', "team", "b", "c", '{"a": {"team": "b"}, "team": "c"}'),
        ('{"x": "team", "team": "x"}', "team", "x", "y", '{"x": "team", "team": "y"}'),
        ('{"team": "B\\u00fcro", "n": 1.50}', "team", "Büro", "Büros", '{"team": "B\\u00fcros", "n": 1.50}'),
        ('{"t\\"e": "a,b: {c"}', 't"e', "a,b: {c", "d", '{"t\\"e": "d"}'),
        ('{"team": "other"}', "team", "Biling", "Billing", '{"team": "other"}'),
        ('{"team": "Biling', "team", "Biling", "Billing", '{"team": "Biling'),
    ],
)
def test_a_label_is_renamed_where_it_stands(answer: str, field: str, old: str, new: str, after: str) -> None:
    assert renamed(answer, field, old, new) == after


labels = st.text(max_size=8)


@given(st.dictionaries(labels, labels | st.integers() | st.lists(labels), min_size=1, max_size=4), labels, st.data())
@settings(max_examples=200, deadline=None)
def test_renaming_a_label_changes_one_value_and_nothing_else(held: Data, new: str, draw: st.DataObject) -> None:
    field = draw.draw(st.sampled_from(sorted(held)))
    if not field or not isinstance(held[field], str):
        return
    for written in (json.dumps(held), json.dumps(held, ensure_ascii=False, indent=2)):
        assert json.loads(renamed(written, field, held[field], new)) == {**held, field: new}


def test_the_label_of_the_last_answer_is_meant() -> None:
    data = said(USER, {"role": "assistant", "content": "a"}, USER, {"role": "assistant", "content": "a"})
    after = repaired(data, ask("rename_label", "", "a", "b"))
    assert [message["content"] for message in after["messages"]] == [USER["content"], "a", USER["content"], "b"]
    assert isinstance(repair(Example(said(USER, ANSWER, USER)), ask("rename_label", "", "a", "b")), Unrepairable)
    assert isinstance(repair(Example(data), ask("rename_label")), Unrepairable)


def test_the_common_system_prompt_takes_the_place_of_the_other() -> None:
    other = said({"role": "system", "content": "Be kind."}, USER, ANSWER)
    after = said({"role": "system", "content": "Be kind"}, USER, ANSWER)
    assert repaired(other, ask("use_system_prompt", "Be kind")) == after
    assert repaired(said(USER, ANSWER), ask("use_system_prompt", "Be kind")) == after
    assert isinstance(repair(Example(after), ask("use_system_prompt", "Be kind")), Unrepairable)
    graded = repaired(said(USER, answer=3), ask("use_system_prompt", "Add."))
    assert graded["messages"][0] == {"role": "developer", "content": "Add."}
    preferred = repaired(pair(), ask("use_system_prompt", "Add."))
    assert preferred["input"]["messages"][0] == {"role": "system", "content": "Add."}


@pytest.mark.parametrize("fix", [None, "nonsense"])
def test_what_cannot_be_repaired_says_so(fix: str | None) -> None:
    finding = Finding("error", "x", 1, None, "x", "y", fix)
    assert isinstance(repair(Example(chat()), finding), Unrepairable)


ODD: list[Data] = [
    {},
    {"messages": []},
    {"messages": None, "input": []},
    chat("q", "a"),
    pair(),
    {"messages": [1, None, {"role": 3}, {"role": ["x"], "content": [None, 3, {"type": ["y"]}], "tool_calls": [3]}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"id": [], "function": {"name": 3}}], "weight": []}]},
    {"messages": [{"role": "function", "name": [1]}, {"role": "tool", "tool_call_id": {}}], "tools": [3, {"name": 1}]},
    {"input": {"messages": [3], "tools": "x", "functions": [{}]}, "preferred_output": [3, {"content": {"a": 1}}]},
    {"messages": [{"role": "assistant", "function_call": {"name": []}, "content": 3}], "functions": [None, 3]},
]


@pytest.mark.parametrize("fix", sorted(FIXES.keys() | WITH_DETAIL.keys()))
@pytest.mark.parametrize("data", ODD)
def test_a_repair_of_an_example_that_changed_meanwhile_does_not_crash(fix: str, data: Data) -> None:
    assert isinstance(repair(Example(data), ask(fix, "", "a", "b")), (Example, Unrepairable))
    assert isinstance(repair(Example(data), ask(fix, "a")), (Example, Unrepairable))


def test_every_repair_that_a_rule_names_exists_and_has_a_label() -> None:
    sources = [*Path(__file__).parents[2].joinpath("lib", "dataset").rglob("*.py")]
    named = {name for path in sources for name in re.findall(r'fix="(\w+)"', path.read_text(encoding="utf-8"))}
    assert len(named) > 10
    assert named <= FIXES.keys() | WITH_DETAIL.keys() | {"remove_example"}
    assert FIX_LABELS.keys() == FIXES.keys() | WITH_DETAIL.keys() | {"remove_example", WRITE_ANEW}
