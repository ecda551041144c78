from __future__ import annotations

import json

from lib.dataset.check import Report, check
from lib.dataset.jsonl import read
from tests.dataset.conversations import chat, many


def report(content: str, *validation: int) -> Report:
    return check(read(content.encode(), "a.json").lines, validation=validation)


def test_repeats_are_seen_where_all_examples_stand_on_one_line() -> None:
    examples = [*many(10), chat("Twice?", "Yes."), chat("Twice?", "Yes."), chat("Twice?", "No.")]
    found = report(json.dumps(examples))
    assert found.totals == {"duplicate": 1, "same_prompt": 1}
    assert [one.text for one in found.findings] == [
        "Example 12 is the same as example 11 on the same line.",
        "Example 13 asks the same as example 11 on the same line and answers differently.",
    ]
    leak = report(json.dumps(examples), 12)
    assert leak.totals["leak"] == 1


def test_an_earlier_example_is_named_by_its_line() -> None:
    examples = [*many(10), chat("Twice?", "Yes."), chat("Twice?", "Yes.")]
    found = report("\n".join(json.dumps(one) for one in examples))
    assert [one.text for one in found.findings] == ["Example 12 is the same as the one on line 11."]
