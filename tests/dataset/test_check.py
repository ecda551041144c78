from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.check import Report, check
from lib.dataset.example import encode
from lib.dataset.reading import read
from lib.tokens.batch import batch_counter
from tests.dataset.conversations import call, chat, lines_of, many, pair, tool
from tests.dataset.counting import letters, words
from tests.dataset.shared import shared_file

Data = dict[str, Any]


def checked(*examples: Any, **options: Any) -> Report:
    """The report on these examples, filled up with enough good ones of the same kind."""
    filling = [pair(f"Q{n}") for n in range(10)] if options.get("method") == "dpo" else many(10)
    reading = read(lines_of([*examples, *filling]), "a.jsonl")
    return check(reading.lines, problems=reading.problems, totals=reading.totals, **options)


def said(*messages: Data, **more: Any) -> Data:
    return {"messages": list(messages), **more}


USER = {"role": "user", "content": "What is it?"}
ANSWER = {"role": "assistant", "content": "It is a bird."}
CALLING = {"role": "assistant", "tool_calls": [call()]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}


@pytest.mark.parametrize(
    "good",
    [
        said(USER, ANSWER),
        said({"role": "system", "content": "Be kind"}, ANSWER),
        said(USER, ANSWER, USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
        said(USER, CALLING, tools=[tool()], parallel_tool_calls=False),
        said(USER, CALLING, RESULT, ANSWER, tools=[tool()]),
        said(USER, {**CALLING, "content": None}, RESULT, ANSWER, tools=[tool()]),
        said(USER, {**CALLING, "content": ""}, tools=[tool()]),
        said({"role": "user", "content": [{"type": "text", "text": "See"}]}, ANSWER),
        said(
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}]}, ANSWER
        ),
        said(USER, {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}),
        said(USER, {**ANSWER, "refusal": None, "name": "helper"}),
        said({**USER, "name": "ann_1"}, ANSWER),
    ],
)
def test_what_services_accept_has_no_finding(good: Data) -> None:
    report = checked(good, method="supervised")
    assert report.findings == ()
    assert report.ok


@pytest.mark.parametrize(
    ("bad", "severity", "code", "message"),
    [
        ({}, "error", "missing_messages", None),
        ({"messages": "x"}, "error", "messages_not_a_list", None),
        ({"messages": []}, "error", "no_messages", None),
        ({"prompt": "a", "completion": "b"}, "error", "prompt_completion", None),
        ({"conversations": []}, "error", "foreign_format", None),
        ({"instruction": "a", "output": "b"}, "error", "foreign_format", None),
        (said(USER, ANSWER, weight=1), "error", "extra_key", None),
        (said(USER, ANSWER, response_format={}), "error", "extra_key", None),
        (said(USER), "error", "no_assistant_message", None),
        (said(USER, ANSWER, USER), "warning", "last_not_assistant", 2),
        (said(USER, {**ANSWER, "weight": 0}), "error", "nothing_to_train_on", None),
        (said(USER, "hello", ANSWER), "error", "message_not_an_object", 1),
        (said({"content": "x"}, ANSWER), "error", "missing_role", 0),
        (said({"role": "human", "content": "x"}, ANSWER), "error", "unknown_role", 0),
        (said({"role": ["user"], "content": "x"}, ANSWER), "error", "unknown_role", 0),
        (said({"role": "developer", "content": "x"}, ANSWER), "warning", "developer_role", 0),
        (said({**USER, "id": 3}, ANSWER), "error", "extra_message_key", 0),
        (said({**USER, "weight": 1}, ANSWER), "warning", "misplaced_key", 0),
        (said({"role": "user"}, ANSWER), "error", "missing_content", 0),
        (said(USER, {"role": "assistant", "content": None}), "error", "missing_content", 1),
        (said(USER, {"role": "assistant", "content": " \n"}), "warning", "empty_content", 1),
        (said({"role": "user", "content": 7}, ANSWER), "error", "content_type", 0),
        (said({"role": "user", "content": []}, ANSWER), "error", "no_parts", 0),
        (said({"role": "user", "content": ["x"]}, ANSWER), "error", "unknown_part", 0),
        (said({"role": "user", "content": [{"type": "text"}]}, ANSWER), "error", "broken_part", 0),
        (
            said({"role": "user", "content": [{"type": "refusal", "refusal": "x"}]}, ANSWER),
            "error",
            "misplaced_part",
            0,
        ),
        (said(USER, {**ANSWER, "weight": 0.5}), "error", "bad_weight", 1),
        (said(USER, {**ANSWER, "weight": True}), "error", "bad_weight", 1),
        (said({**USER, "name": "a b"}, ANSWER), "warning", "bad_name", 0),
        (said(USER, CALLING, tools=[tool("other")]), "warning", "undeclared_tool", 1),
        (said(USER, CALLING, tools="x"), "error", "tools_not_a_list", None),
        (said(USER, CALLING, tools=[tool(), 3]), "error", "bad_tool", None),
        (said(USER, CALLING, tools=[tool(), tool("a b")]), "error", "bad_tool_name", None),
        (said(USER, CALLING, tools=[tool(), tool()]), "warning", "repeated_tool", None),
        (said(USER, CALLING, tools=[tool(f"t{n}") for n in range(129)] + [tool()]), "error", "many_tools", None),
        (said(USER, {"role": "assistant", "tool_calls": {}}), "error", "bad_tool_calls", 1),
        (said(USER, {"role": "assistant", "tool_calls": [1]}), "error", "bad_tool_call", 1),
        (said(USER, {"role": "assistant", "tool_calls": [call(call_id=None)]}), "error", "call_without_id", 1),
        (said(USER, {"role": "assistant", "tool_calls": [call("a b")]}), "error", "bad_tool_name", 1),
        (said(USER, {"role": "assistant", "tool_calls": [call(arguments={})]}), "error", "arguments_not_text", 1),
        (said(USER, {"role": "assistant", "tool_calls": [call(arguments="{a}")]}), "error", "arguments_not_json", 1),
        (said(USER, {"role": "assistant", "tool_calls": [call(arguments="3")]}), "warning", "arguments_no_object", 1),
        (said(USER, RESULT, ANSWER), "warning", "answer_without_call", 1),
        (said(USER, {"role": "tool", "content": "x"}, ANSWER), "error", "answer_without_call_id", 1),
        (said(USER, CALLING, USER, ANSWER), "warning", "unanswered_call", 1),
        (said(USER, {**ANSWER, "content": "a <|fim_suffix|> b"}), "error", "special_token", 1),
        (said(USER, {**ANSWER, "content": "<|im_start|>"}), "warning", "like_special_token", 1),
        (said(USER, {**ANSWER, "content": "I'm sorry, but I can't help."}), "info", "refusal", 1),
        (said(USER, {**ANSWER, "content": "schÃ¶n"}), "warning", "broken_encoding", 1),
        (said({**USER, "content": "Mail ann@acme.io"}, ANSWER), "warning", "email", 0),
        (pair(), "error", "wrong_method", None),
    ],
)
def test_what_is_wrong_is_found_where_it_is(bad: Data, severity: str, code: str, message: int | None) -> None:
    report = checked(bad, method="supervised")
    found = [finding for finding in report.findings if finding.code == code]
    assert [(finding.severity, finding.line, finding.message_index) for finding in found] == [(severity, 1, message)]
    assert found[0].text.startswith("Example 1, message" if message is not None else "Example 1 ")
    assert found[0].why
    assert report.ok == all(finding.severity != "error" for finding in report.findings)


@pytest.mark.parametrize(
    ("bad", "severity", "code"),
    [
        ({"input": {}, **{k: v for k, v in pair().items() if k != "input"}}, "error", "bad_input"),
        ({k: v for k, v in pair().items() if k != "input"}, "error", "missing_input"),
        ({k: v for k, v in pair().items() if k != "preferred_output"}, "error", "missing_answer"),
        ({**pair(), "score": 1}, "error", "extra_key"),
        ({**pair(), "preferred_output": "This."}, "error", "bad_answer"),
        ({**pair(), "preferred_output": [ANSWER, ANSWER]}, "error", "bad_answer"),
        ({**pair(), "preferred_output": [USER]}, "error", "bad_answer"),
        (pair("Q", "same", "same"), "warning", "equal_answers"),
        ({**pair(), "input": {"messages": [USER, ANSWER]}}, "warning", "input_ends_with_assistant"),
        (chat(), "error", "wrong_method"),
    ],
)
def test_what_is_wrong_with_a_pair(bad: Data, severity: str, code: str) -> None:
    report = checked(bad, method="dpo")
    assert [(finding.severity, finding.line) for finding in report.findings if finding.code == code] == [(severity, 1)]


def test_the_specifications_names_of_answers_are_a_warning_with_a_repair() -> None:
    data = pair()
    data["preferred_completion"] = data.pop("preferred_output")
    report = checked(data, method="dpo")
    assert [(finding.code, finding.fix) for finding in report.findings] == [("other_name", "rename_answers")]
    assert report.ok


def test_good_pairs_have_no_finding() -> None:
    assert checked(pair("Which bird?"), method="dpo").findings == ()


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
    reading = read(lines_of(many(10)) + b"{broken\n" * 300, "a.jsonl")
    report = check(reading.lines, problems=reading.problems, totals=reading.totals)
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
def test_a_foreign_format_is_refused_on_everyencode(name: str) -> None:
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
