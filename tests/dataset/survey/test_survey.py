"""The fast way through a file and the plain way must find the same, whatever the examples are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.examine import examine
from lib.dataset.jsonl import Lines, value_of
from lib.dataset.rules.case import Case
from lib.dataset.survey.answers import Answers
from lib.dataset.survey.columns import row
from lib.dataset.survey.facts import facts_of
from lib.dataset.survey.plain import PlainReader
from lib.dataset.survey.survey import BLOCK, Survey, survey
from lib.tokens.batch import batch_counter
from tests.dataset.conversations import call, chat, many, pair, tool

COUNTER = batch_counter("o200k_base")

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            " ",
            "\n",
            "ann@acme.io",
            "ghp_" + "a1B2" * 9,
            "4111 1111 1111 1111",
            "DE89 3704 0044 0532 0130 00",
            "call +49 30 1234567",
            "<|fim_suffix|>",
            "I'm sorry, but I can't",
            "TODO",
            "naÃ¯ve",
            '{"team": "a"}',
            "ok\x07",
        ]
    ),
)
roles = st.sampled_from(["system", "user", "assistant", "tool", "bot", "developer"])
messages = st.fixed_dictionaries({"role": roles, "content": texts}, optional={"weight": st.sampled_from([0, 1, 2])})
plain_messages = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": texts})
examples = st.one_of(
    st.fixed_dictionaries({"messages": st.lists(plain_messages, max_size=4)}),
    st.fixed_dictionaries({"messages": st.lists(messages, max_size=3)}, optional={"extra": st.integers()}),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def surveyed(lines: list[Any], **more: Any) -> Survey:
    return survey(Lines.of([line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]), **more)


@given(st.lists(examples, max_size=8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_both_ways_find_the_same(data: list[dict[str, Any]], escaped: bool) -> None:
    raws = [json.dumps(one, ensure_ascii=escaped).encode("utf-8", "surrogatepass") for one in data]
    found = survey(Lines.of(raws), method="supervised", counter=COUNTER)
    assert len(found.columns) == len(found.lines)
    for position in range(len(found.lines)):
        raw = found.lines.raw(position)
        value, read = value_of(raw, position + 1)
        assert value is not None
        wanted = row(facts_of(value, COUNTER.count), len(raw))
        assert {name: int(held[position]) for name, held in found.columns.arrays().items()} == wanted
        codes = {one.code for one in [*read, *examine(Case.of(value, "supervised", position, position + 1))]}
        assert {code for code, places in found.found.items() if position in places} == codes


@given(st.lists(examples, min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_what_goes_the_fast_way_breaks_no_rule_of_shape(data: list[dict[str, Any]]) -> None:
    raws = [json.dumps(one).encode() for one in data]
    block, others = PlainReader(Answers()).take(raws, 0)
    assert sorted([*block.places, *others]) == list(range(len(raws)))
    for place in block.places:
        held = data[place]["messages"]
        assert held[-1]["role"] == "assistant"
        assert all(one["content"].strip() for one in held)


def test_every_line_is_surveyed_whatever_the_blocks_are() -> None:
    data = many(BLOCK + 3)
    found = surveyed(data, counter=COUNTER)
    assert len(found.columns) == BLOCK + 3
    assert int(found.columns.tokens[-1]) == facts_of(data[-1], COUNTER.count).tokens
    assert not found.found


def test_lines_that_are_no_examples_are_told_and_left_out_of_the_columns() -> None:
    found = surveyed([chat(), b"{broken", chat("b"), b"[1]", chat("ghp_" + "a1B2" * 9)])
    assert [(one.code, one.line) for one in found.problems] == [("invalid_json", 2), ("not_an_object", 4)]
    assert found.totals == {"invalid_json": 1, "not_an_object": 1}
    assert len(found.lines) == len(found.columns) == 3
    assert [found.lines.number(at) for at in range(3)] == [1, 3, 5]
    assert {code: places.tolist() for code, places in found.found.items()} == {"api_key": [2]}


def test_a_key_that_stands_twice_does_not_go_the_fast_way() -> None:
    twice = b'{"messages": [{"role": "user", "role": "assistant", "content": "a"}]}'
    quoted = json.dumps(chat('say "a": b', '{"c": "d"}')).encode()
    found = surveyed([twice, quoted])
    assert {code: places.tolist() for code, places in found.found.items()} == {"repeated_key": [0]}


def test_equal_examples_and_prompts_have_equal_hashes_and_others_have_not() -> None:
    escaped = json.dumps(chat("größer?", "ja")).encode()
    raw = json.dumps(chat("größer?", "ja"), ensure_ascii=False).encode()
    turned = (
        b'{"messages": [{"content": "gr\\u00f6\\u00dfer?", "role": "user"}, {"content": "nein", "role": "assistant"}]}'
    )
    same = surveyed([escaped, raw, turned, chat("Größer?", "ja"), chat("a", "b"), {"messages": []}]).columns
    assert same.same[0] == same.same[1]
    assert len(set(same.same.tolist())) == 5
    assert same.prompt[0] == same.prompt[1] == same.prompt[2]
    assert same.prompt[3] != same.prompt[0]
    assert same.prompt[5] == 0, "nothing is asked"


def test_who_speaks_is_part_of_what_is_equal() -> None:
    one = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    two = {"messages": [{"role": "system", "content": "a"}, {"role": "assistant", "content": "b"}]}
    same = surveyed([one, two]).columns
    assert same.same[0] != same.same[1]
    assert same.prompt[0] != same.prompt[1]


def test_tokens_that_are_trained_on_are_those_of_answers_with_weight() -> None:
    data = {
        "messages": [
            {"role": "user", "content": "one two"},
            {"role": "assistant", "content": "three four", "weight": 0},
            {"role": "user", "content": "five"},
            {"role": "assistant", "content": "six seven eight"},
        ]
    }
    columns = surveyed([data, chat("a", "b c"), pair("q", "x y", "z")], method="supervised", counter=COUNTER).columns
    assert columns.trained.tolist() == [3, 2, 3]
    with_call = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call()]}]}
    held = surveyed([{**with_call, "tools": [tool()]}], counter=COUNTER).columns
    assert 0 < int(held.trained[0]) < int(held.tokens[0])


def test_nothing_is_counted_without_a_counter() -> None:
    found = surveyed(many(3))
    assert found.encoding is None
    assert not found.columns.tokens.any()


def test_a_survey_that_is_stopped_raises_what_stopped_it() -> None:
    class Enough(Exception):
        pass

    def stop(done: int) -> None:
        raise Enough(done)

    with pytest.raises(Enough, match=str(BLOCK)):
        survey(Lines.of([json.dumps(one).encode() for one in many(2 * BLOCK)]), counter=COUNTER, progress=stop)


def test_labels_and_system_messages_are_gathered() -> None:
    data = [chat(f"{n}?", json.dumps({"team": "ab"[n % 2]}), system="Sort.") for n in range(30)] + [b"nonsense"]
    found = surveyed(data)
    assert found.labels["team"].names == ("a", "b")
    assert np.array_equal(found.labels["team"].ids, np.arange(30) % 2)
    assert list(found.systems.values()) == ["Sort."]
    assert found.columns.system.tolist() == list(found.systems) * 30
