"""Looking for text and replacing it: what is found, what stays, and expressions that would never come to an end."""

from __future__ import annotations

import copy
import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset import drafts, shelf
from lib.dataset.drafts import Saved
from lib.dataset.editing import pattern as patterns
from lib.dataset.editing.pattern import compiled
from lib.dataset.editing.replacing import Preview, Replacing, matches, replace_text, replacements
from lib.dataset.example import encode
from lib.errors import DataError
from lib.workspace.database import Workspace
from tests.dataset.conversations import call, chat, lines_of, pair

# Two letters that say the same many times over: without a limit this takes longer than anybody lives.
FOREVER, FED = "(a|aa)+$", "a" * 64 + "b"


def plain(text: str, *, case: bool = True) -> patterns.Pattern:
    return compiled(text, False, case)


def expression(text: str, *, case: bool = True) -> patterns.Pattern:
    return compiled(text, True, case)


def saved(examples: list[Any]) -> list[Saved]:
    return [Saved(at, 0, "original", encode(data)) for at, data in enumerate(examples)]


def last(previews: Any) -> Preview:
    return list(previews)[-1]


def test_a_text_is_replaced_in_every_message_and_nothing_else_changes() -> None:
    data = {**chat("Red, red?", "red.", system="red"), "color": "red"}
    before = copy.deepcopy(data)
    made, number = replace_text(data, plain("red"), "blue")
    assert (made, number) == ({**chat("Red, blue?", "blue.", system="blue"), "color": "red"}, 3)
    assert replace_text(data, plain("red", case=False), "blue")[0]["messages"][1]["content"] == "blue, blue?"
    assert data == before


def test_only_the_roles_that_are_meant_are_changed() -> None:
    made, number = replace_text(chat("red", "red", system="red"), plain("red"), "blue", {"assistant"})
    assert (made, number) == (chat("red", "blue", system="red"), 1)
    assert replace_text(chat("red", "red"), plain("red"), "blue", ()) == (chat("red", "red"), 0)


def test_both_answers_of_a_pair_are_looked_at() -> None:
    assert replace_text(pair("a", "a", "a"), plain("a"), "b") == (pair("b", "b", "b"), 3)


def test_parts_of_a_content_are_changed_and_addresses_of_images_are_not() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,red"}}
    content = [{"type": "text", "text": "red"}, image, "red", {"type": "refusal", "refusal": "red"}, 7]
    made, number = replace_text({"messages": [{"role": "user", "content": content}, "red"]}, plain("red"), "blue")
    blue = [{"type": "text", "text": "blue"}, image, "blue", {"type": "refusal", "refusal": "blue"}, 7]
    assert (made, number) == ({"messages": [{"role": "user", "content": blue}, "red"]}, 3)


def test_arguments_stay_json_whatever_is_put_into_them() -> None:
    arguments = '{"a": ["say red", 1, null], "red": {"b": "red"}}'
    data = {"messages": [{"role": "assistant", "content": None, "tool_calls": [call("red", arguments)]}]}
    assert replace_text(data, plain("red"), 'a "b"') == (data, 0), "only when it is asked for"
    made, number = replace_text(data, plain("red"), 'a "b"', arguments=True)
    held = made["messages"][0]["tool_calls"][0]["function"]
    assert (held["name"], number) == ("red", 2)
    assert json.loads(held["arguments"]) == {"a": ['say a "b"', 1, None], "red": {"b": 'a "b"'}}


@pytest.mark.parametrize("arguments", ["{red", None, 5, '"\ud800 red"', '{"a":' * 900 + '"red"' + "}" * 900])
def test_arguments_that_are_no_json_are_left_alone(arguments: Any) -> None:
    data = {"messages": [{"role": "assistant", "tool_calls": [call("a", arguments), "red", {"function": "red"}]}]}
    assert replace_text(data, plain("red"), "blue", arguments=True) == (data, 0)


def test_groups_of_an_expression_come_back_in_the_replacement() -> None:
    made, number = replace_text(chat("2026-11-24", "x"), expression(r"(\d+)-(?P<month>\d+)-(\d+)"), r"\3.\g<month>.\1")
    assert (made, number) == (chat("24.11.2026", "x"), 1)


def test_a_plain_text_is_no_expression_and_neither_is_its_replacement() -> None:
    assert replace_text(chat("a.c abc", "x"), plain("a.c"), r"\1") == (chat(r"\1 abc", "x"), 1)


def test_an_expression_may_find_nothing_at_all_between_letters() -> None:
    assert replace_text(chat("ab", ""), expression("x*"), "-")[0]["messages"][0]["content"] == "-a-b-"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to look for"),
        ("a" * 10_001, "longer than 10,000"),
        ("(ab", "missing ) at character 4, which is its end"),
        ("ab[c", "unterminated character set at character 5"),
        ("ab*+*cd", "multiple repeat at character"),
        ("a{100000000}", "100,000,001 times"),
        ("((a{1000}){1000}){1000}", "times, counted out"),
        ("(" * 3000 + ")" * 3000, "nested too deeply"),
        ("a{99999999999999999999}", "times, counted out"),
    ],
)
def test_a_bad_expression_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(DataError) as told:
        expression(text)
    assert said in told.value.what


@pytest.mark.parametrize("text", [r"\d{4} \d{4} \d{4} \d{4} \d{4}", "[(]{3}", r"\({9}", "(?:a{20}b){20}", "{", "a{,5}"])
def test_counts_as_people_write_them_are_no_bombs(text: str) -> None:
    expression(text)


@pytest.mark.parametrize("replacement", [r"\2", r"\g<name>", "\\", r"\q", "x" * 10_001])
def test_a_bad_replacement_is_told_before_anything_is_looked_at(replacement: str) -> None:
    with pytest.raises(DataError, match="replacement"):
        replace_text(chat("nothing", "here"), expression("(zzz) # not there"), replacement)
    with pytest.raises(DataError, match="replacement"):
        next(replacements(saved([]), Replacing(expression("(zzz)"), replacement)))


def test_an_expression_without_end_is_stopped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    wanted = Replacing(expression(FOREVER), "")
    with pytest.raises(DataError, match=r"Example 2: The expression .* takes longer"):
        last(matches(saved([chat(), chat(FED, "b")]), wanted))
    with pytest.raises(DataError, match="takes longer"):
        replace_text(chat(FED, "b"), expression(FOREVER), "")


def test_a_result_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LONGEST_RESULT", 1000)
    with pytest.raises(DataError, match="longer than 1,000"):
        replace_text(chat("a" * 200, "b"), plain("a"), "123456")
    with pytest.raises(DataError, match="repeats a long text"):
        replace_text(chat("a" * 200, "b"), expression("(a+)"), r"\1\1\1\1\1\1")
    assert replace_text(chat("a" * 200, "b"), plain("a"), "1234")[1] == 200


def test_a_preview_counts_everything_and_shows_the_first() -> None:
    examples = [chat(f"{n} red", "red" if n % 2 else "x") for n in range(30)]
    seen = last(matches(saved(examples), Replacing(plain("red"), "blue"), first=3))
    assert (seen.looked_at, seen.examples, seen.occurrences) == (30, 30, 45)
    assert [(one.position, one.before, one.after) for one in seen.first] == [
        (n, examples[n], chat(f"{n} blue", "blue" if n % 2 else "x")) for n in range(3)
    ]


def test_a_preview_tells_how_far_it_is_and_is_stopped_by_reading_no_further() -> None:
    read: list[int] = []

    def reading() -> Any:
        for one in saved([chat("red", "x")] * 3000):
            read.append(one.position)
            yield one

    begun = list(islice(matches(reading(), Replacing(plain("red"), "blue")), 2))
    assert [one.looked_at for one in begun] == [500, 1000]
    assert len(read) == 1000


def test_what_was_shown_is_what_is_saved(ws: Workspace) -> None:
    held = shelf.bring_in(ws, lines_of([chat(f"red {n}", "x") for n in range(5)]), "a.jsonl")
    drafts.change(ws, held.id, 1, chat("green", "x"), 0)
    drafts.remove(ws, held.id, 2, 0)
    drafts.add(ws, held.id, chat("new red", "x"))
    drafts.change(ws, held.id, 3, chat("once", "x"), 0)
    drafts.undo(ws, held.id, drafts.history(ws, held.id).undo.id)  # type: ignore[union-attr]
    wanted = Replacing(plain("red"), "blue")
    seen = last(matches(drafts.walk(ws, held.id), wanted))
    assert drafts.change_all(ws, held.id, replacements(drafts.walk(ws, held.id), wanted)) == seen.examples == 4
    texts = [one.example and one.example.messages[0].text for one in drafts.current(ws, held.id, 0, 6)]
    assert texts == ["blue 0", "green", None, "blue 3", "blue 4", "new blue"]


ascii_texts = st.text(st.sampled_from('ab\\"/ é'), max_size=6)


@given(st.lists(ascii_texts, min_size=1, max_size=5), ascii_texts.filter(bool), st.booleans())
def test_no_occurrence_is_passed_over_to_save_time(texts: list[str], wanted: str, escaped: bool) -> None:
    lines = [json.dumps(chat(text, "-"), ensure_ascii=escaped) for text in texts]
    # Legal, and never written by anybody but a test: letters that need no escape, escaped.
    written = json.dumps(texts[0]).replace("a", r"\u0061").replace("b", r"\u0062") if "\\" not in texts[0] else '""'
    lines.append('{"messages": [{"role": "user", "content": ' + written + "}]}")
    examples = [Saved(at, 0, "original", line.encode()) for at, line in enumerate(lines)]
    seen = last(matches(examples, Replacing(plain(wanted), "x")))
    contents = [message["content"] for line in lines for message in json.loads(line)["messages"]]
    assert seen.occurrences == sum(text.count(wanted) for text in contents)
