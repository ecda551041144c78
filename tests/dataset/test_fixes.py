from __future__ import annotations

import copy
from typing import Any

import pytest

from lib.dataset.check import check
from lib.dataset.example import Example
from lib.dataset.finding import Finding
from lib.dataset.fixes import FIXES, Unrepairable, repair
from lib.dataset.jsonl import read
from tests.dataset.conversations import call, chat, lines_of, many, pair, tool

Data = dict[str, Any]
USER = {"role": "user", "content": "What is it?"}
ANSWER = {"role": "assistant", "content": "A bird."}


def found(data: Data, code: str, method: Any = "supervised") -> Finding:
    filling = [pair(f"Q{n}") for n in range(10)] if method == "dpo" else many(10)
    report = check(read(lines_of([data, *filling]), "a").lines, method=method)
    return next(finding for finding in report.findings if finding.code == code and finding.line == 1)


@pytest.mark.parametrize(
    ("data", "code", "after"),
    [
        ({**chat("a", "b"), "id": 1, "weight": 1}, "extra_key", chat("a", "b")),
        ({"messages": [{**USER, "id": 3}, ANSWER]}, "extra_message_key", {"messages": [USER, ANSWER]}),
        ({"messages": [{**USER, "weight": 1}, ANSWER]}, "misplaced_key", {"messages": [USER, ANSWER]}),
        ({"prompt": "a", "completion": " b"}, "prompt_completion", chat("a", "b")),
        ({"messages": [USER, ANSWER, USER, USER]}, "last_not_assistant", {"messages": [USER, ANSWER]}),
        ({"messages": [USER, ANSWER, {"role": "user", "content": ""}]}, "empty_content", {"messages": [USER, ANSWER]}),
        (
            {"messages": [{"role": "Human ", "content": "a"}, {"role": "gpt", "content": "b"}]},
            "unknown_role",
            chat("a", "b"),
        ),
        (
            {"messages": [{"role": "developer", "content": "x"}, ANSWER]},
            "developer_role",
            {"messages": [{"role": "system", "content": "x"}, ANSWER]},
        ),
        ({"messages": [USER, {**ANSWER, "weight": True}]}, "bad_weight", {"messages": [USER, {**ANSWER, "weight": 1}]}),
        (
            {"messages": [USER, {**ANSWER, "weight": "0"}, ANSWER]},
            "bad_weight",
            {"messages": [USER, {**ANSWER, "weight": 0}, ANSWER]},
        ),
        (
            {"messages": [{"role": "user", "content": 7}, ANSWER]},
            "content_type",
            {"messages": [{"role": "user", "content": "7"}, ANSWER]},
        ),
        (
            {"messages": [USER, {"role": "assistant", "tool_calls": [call(arguments={"a": "ü"})]}], "tools": [tool()]},
            "arguments_not_text",
            {
                "messages": [USER, {"role": "assistant", "tool_calls": [call(arguments='{"a": "ü"}')]}],
                "tools": [tool()],
            },
        ),
        (chat("Mail ann@acme.io", "ok"), "email", chat("Mail [e-mail]", "ok")),
        (chat("a", "b <|endoftext|> c"), "special_token", chat("a", "b <endoftext> c")),
    ],
)
def test_a_repair_removes_its_finding_and_brings_no_error(data: Data, code: str, after: Data) -> None:
    before = copy.deepcopy(data)
    finding = found(data, code)
    repaired = repair(Example(data), finding)
    assert isinstance(repaired, Example)
    assert repaired.data == after
    assert data == before, "the example itself is not touched"
    report = check(read(lines_of([after, *many(10)]), "a").lines, method="supervised")
    assert code not in report.totals
    assert report.ok


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"messages": []}, "no_messages"),
        ({"messages": [USER]}, "no_assistant_message"),
        ({"messages": [USER, {**ANSWER, "weight": 0}]}, "nothing_to_train_on"),
    ],
)
def test_an_example_that_trains_nothing_is_taken_out(data: Data, code: str) -> None:
    assert repair(Example(data), found(data, code)) is None


def test_the_second_of_two_equal_examples_is_taken_out() -> None:
    report = check(read(lines_of([chat(), chat(), *many(10)]), "a").lines)
    (finding,) = report.findings
    assert finding.line == 2
    assert repair(Example(chat()), finding) is None


def test_the_answers_of_a_pair_get_the_guides_names() -> None:
    data = pair()
    data["preferred_completion"] = data.pop("preferred_output")
    data["non_preferred_completion"] = data.pop("non_preferred_output")
    repaired = repair(Example(data), found(data, "other_name", "dpo"))
    assert isinstance(repaired, Example)
    assert repaired.data == pair()


def test_a_system_message_of_a_grader_becomes_the_developers() -> None:
    data = {"messages": [{"role": "system", "content": "x"}, USER], "answer": 1}
    repaired = repair(Example(data), found(data, "system_role", "reinforcement"))
    assert isinstance(repaired, Example)
    assert [message.role for message in repaired.messages] == ["developer", "user"]


def test_half_characters_become_the_replacement_character() -> None:
    (finding,) = read(b'{"messages": [{"role": "user", "content": "a\\ud83d"}]}', "a").problems
    repaired = repair(Example({"messages": [{"role": "user", "content": "a\ud83d"}]}), finding)
    assert isinstance(repaired, Example)
    assert repaired.messages[0].text == "a\ufffd"


def test_a_repair_gives_another_example_and_leaves_the_first_as_it_is() -> None:
    data = {**chat(), "id": 1}
    assert repair(Example(data), found(data, "extra_key")) == Example(chat())
    assert data == {**chat(), "id": 1}


@pytest.mark.parametrize("fix", [None, "nonsense"])
def test_what_cannot_be_repaired_says_so(fix: str | None) -> None:
    finding = Finding("error", "x", 1, None, "x", "y", fix)
    assert isinstance(repair(Example(chat()), finding), Unrepairable)


@pytest.mark.parametrize("fix", sorted(FIXES))
@pytest.mark.parametrize("data", [{}, {"messages": []}, chat("q", "a"), pair(), {"messages": [1, None, {"role": 3}]}])
def test_a_repair_of_an_example_that_changed_meanwhile_does_not_crash(fix: str, data: Data) -> None:
    finding = Finding("error", "x", 1, 7, "x", "y", fix)
    assert isinstance(repair(Example(data), finding), (Example, Unrepairable))


def test_every_repair_that_a_rule_names_exists() -> None:
    import re
    from pathlib import Path

    sources = Path(__file__).parents[2].joinpath("lib", "dataset").rglob("*.py")
    named = {name for path in sources for name in re.findall(r'fix="(\w+)"', path.read_text(encoding="utf-8"))}
    assert named - {"remove_example"} <= FIXES.keys()
