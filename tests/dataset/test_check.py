from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.check import Report, check
from lib.dataset.examine import examine
from lib.dataset.example import Method, encode
from lib.dataset.jsonl import Lines
from lib.dataset.reading import read
from lib.dataset.rules.case import Case
from lib.tokens.batch import batch_counter
from tests.dataset.conversations import chat, lines_of, many, pair
from tests.dataset.counting import letters, words
from tests.dataset.rules.corpus import ANSWER, BAD, GOOD, USER, Bad, said
from tests.dataset.shared import shared_file

Data = dict[str, Any]


def checked(*examples: Any, **options: Any) -> Report:
    """The report on these examples, filled up with enough good ones of the same kind."""
    filling = [pair(f"Q{n}") for n in range(10)] if options.get("method") == "dpo" else many(10)
    return check(Lines.of([encode(data) for data in [*examples, *filling]]), **options)


def codes(data: Data, method: Method) -> set[str]:
    """What a check of a file of that method has to say about this example by itself, on the first line."""
    kept = check(Lines.of([encode(data)]), method=method, near=False).findings
    return {finding.code for finding in kept if finding.line == 1}


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_the_check_says_of_an_example_what_the_rules_say(bad: Bad) -> None:
    assert codes(bad.data, bad.method) == {finding.code for finding in examine(Case.of(bad.data, bad.method, 0, 1))}


@pytest.mark.parametrize(("data", "method"), GOOD)
def test_what_services_accept_has_no_finding(data: Data, method: Method) -> None:
    assert codes(data, method) == set()


def test_a_report_is_ok_without_errors_and_only_then() -> None:
    warned = checked(said(USER, {**ANSWER, "content": "schÃ¶n"}), method="supervised")
    assert (warned.ok, warned.totals) == (True, {"broken_encoding": 1})
    refused = checked(said({**USER, "id": 1}, ANSWER), method="supervised")
    assert (refused.ok, refused.totals) == (False, {"extra_message_key": 1})


def test_a_question_for_a_grader_needs_no_answer_and_may_have_fields() -> None:
    questions = [said({"role": "user", "content": f"{n} + 1?"}, answer=n + 1) for n in range(10)]
    assert check(read(lines_of(questions), "a").lines).findings == ()
    assert check(read(lines_of(questions), "a").lines).method == "reinforcement"
    questions[3]["messages"].insert(0, {"role": "system", "content": "Add."})
    report = check(read(lines_of(questions), "a").lines)
    assert [(finding.code, finding.line, finding.message_index) for finding in report.findings] == [
        ("system_role", 4, 0)
    ]


def test_the_method_is_that_of_most_examples() -> None:
    report = check(read(lines_of([*(pair(f"Q{n}") for n in range(10)), chat()]), "a").lines)
    assert (report.method, report.totals) == ("dpo", {"wrong_method": 1})


def test_fewer_than_ten_examples_are_refused_in_the_servers_words() -> None:
    report = check(read(lines_of(many(9)), "a").lines)
    assert [finding.text for finding in report.findings] == [
        "Training file has 9 example(s), but must have at least 10 examples."
    ]
    assert check(read(lines_of(many(10)), "a").lines).ok


def test_examples_held_out_do_not_count_as_training_examples() -> None:
    report = check(read(lines_of(many(12)), "a").lines, validation={0, 1, 2}, counter=letters())
    whole = check(read(lines_of(many(12)), "a").lines, counter=letters())
    assert report.totals == {"invalid_n_examples": 1}
    assert report.tokens_per_epoch < whole.tokens_per_epoch


def test_an_example_over_the_limit_says_what_is_lost() -> None:
    long = said(USER, {**ANSWER, "content": "word " * 200}, USER, ANSWER)
    report = checked(long, method="supervised", counter=words(), limit=100)
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.message_index) == ("over_token_limit", "warning", 1)
    assert "the model reads 100" in finding.text
    assert "the whole last message is lost" in finding.text
    short = checked(method="supervised", counter=words(), limit=100)
    assert report.tokens_per_epoch == short.tokens_per_epoch + 100


def test_repeats_are_told_from_different_answers() -> None:
    report = checked(chat("A?", "one"), chat("A?", "one"), chat("A?", "two"), chat("A?", "three"))
    assert [(finding.code, finding.line) for finding in report.findings] == [("duplicate", 2), ("same_prompt", 3)]


def test_equal_examples_are_found_however_they_are_written() -> None:
    lines = b'{"messages": [{"role":"user","content":"\\u00fc"},{"role":"assistant","content":"1"}]}\n'
    lines += '{"messages":[{"content":"ü", "role":"user"},{"content":"1","role":"assistant"}]}\n'.encode()
    report = check(read(lines + lines_of(many(10)), "a").lines)
    assert report.totals == {"duplicate": 1}


@pytest.mark.parametrize("held_out", [{0}, {1}])
def test_a_prompt_on_both_sides_of_the_split_is_a_leak(held_out: set[int]) -> None:
    report = checked(chat("A?", "one"), chat("A?", "two"), validation=held_out)
    assert report.totals == {"leak": 1}
    assert checked(chat("A?", "one"), chat("B?", "two"), validation=held_out).totals == {}


def test_what_reading_found_is_part_of_the_report() -> None:
    report = check(read(lines_of(many(10)) + b"{broken\n" * 300, "a.jsonl").lines)
    assert not report.ok
    assert report.examples == 10
    assert report.totals == {"invalid_json": 300}
    assert len(report.findings) == 200


def test_findings_of_a_kind_are_bounded_and_all_counted() -> None:
    report = check(read(lines_of([{**data, "id": 1} for data in many(1000)]), "a").lines)
    assert report.totals == {"extra_key": 1000}
    assert len(report.findings) == 200


def test_progress_is_told_now_and_then() -> None:
    told: list[int] = []
    check(read(lines_of(many(2500)), "a").lines, near=False, progress=told.append)
    assert told == [2000, 2500]


def test_a_file_longer_than_the_service_takes_is_an_error_and_one_that_fits_is_not() -> None:
    size = sum(len(line) for line in lines_of(many(10)).split())
    lines = read(lines_of(many(10)), "a").lines
    assert check(lines, file_bytes=10).totals == {"file_too_large": 1}
    assert check(lines, file_bytes=2 * size).ok


def test_near_duplicates_are_looked_for_in_short_files_and_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{n}" for n in range(60))
    lines = read(lines_of([*many(10), chat(text, "yes"), chat(text.replace("word30", "other"), "yes")]), "a").lines
    assert check(lines).totals == {"near_duplicate": 1}
    assert check(lines, validation=[11]).totals == {"near_leak": 1}
    assert check(lines, near=False).totals == {}
    monkeypatch.setattr("lib.dataset.check.LOOKED_THROUGH", 5)
    monkeypatch.setattr("lib.dataset.assessment.LOOKED_THROUGH", 5)
    assert check(lines).totals == {"near_not_looked_for": 1}
    assert check(lines, near=True).totals == {"near_duplicate": 1}


def test_a_report_becomes_json() -> None:
    told = checked(said(USER)).as_json()
    assert list(told) == ["ok", "method", "examples", "tokens_per_epoch", "findings", "totals"]
    assert list(told["findings"][0]) == ["severity", "code", "line", "message_index", "text", "fix"]


@pytest.mark.parametrize(
    ("name", "method", "codes"),
    [
        ("toy_chat", "supervised", {"invalid_n_examples"}),
        ("birds208", "supervised", set()),
        ("nebius800", "supervised", set()),
        ("pirate10", "supervised", set()),
        ("drone_tools", "supervised", set()),
        ("dpo12", "dpo", set()),
    ],
)
def test_no_error_on_files_that_services_accepted(name: str, method: str, codes: set[str]) -> None:
    path = shared_file(f"{name}.jsonl")
    report = check(read(path, path.name).lines, counter=batch_counter("o200k_base"), limit=65_536)
    assert {finding.code for finding in report.findings if finding.severity == "error"} == codes
    assert report.method == method


@pytest.mark.parametrize("name", ["foreign_dpo10", "foreign_sharegpt_tools72"])
def test_a_foreign_format_is_refused_on_every_line(name: str) -> None:
    path = shared_file(f"{name}.jsonl")
    report = check(read(path, path.name).lines)
    assert report.totals["foreign_format"] == report.examples


texts = st.sampled_from(["", "a", "<|endoftext|>", "ann@acme.io", "\u00c3\u00b6", "{", "\ud83d"]) | st.text(max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
roles = st.sampled_from(["system", "user", "assistant", "tool", "developer"])
keys = ["role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "id"]
message = st.dictionaries(st.sampled_from(keys), values, max_size=5) | st.fixed_dictionaries(
    {"role": roles, "content": texts}
)
call_like = st.fixed_dictionaries(
    {"id": values, "function": st.fixed_dictionaries({"name": texts, "arguments": values})}
)
calling = st.fixed_dictionaries({"role": st.just("assistant"), "tool_calls": st.lists(call_like, max_size=2)})
example = st.dictionaries(
    st.sampled_from(["messages", "tools", "input", "preferred_output", "non_preferred_output", "prompt", "x"]),
    st.lists(message | calling | values, max_size=4) | values | st.fixed_dictionaries({"messages": st.lists(message)}),
    max_size=4,
)


@given(st.lists(example, min_size=1, max_size=4), st.sampled_from([None, "supervised", "dpo", "reinforcement"]))
@settings(max_examples=400, deadline=None)
def test_no_example_makes_the_check_fail(data: list[Data], method: Any) -> None:
    lines = b"".join(encode(entry) + b"\n" for entry in data)
    report = check(read(lines, "a").lines, method=method, counter=letters(), limit=20)
    assert report.examples == len(data)
