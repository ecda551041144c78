"""Answers held to a schema or to calls: whatever the weights, an answer that ends by itself is what was asked for."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tiktoken
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.engine import built_in
from lib.engine.answer import constraint
from lib.engine.answer.answer import Answer
from lib.engine.answer.asking import Ask, CallRules, JsonFormat
from lib.engine.answer.constraint import Constraints
from lib.engine.answer.shelf import Shelf
from lib.engine.answer.turns import Turns
from lib.engine.built_in import BuiltIn
from lib.engine.network import Config, Network
from lib.engine.template import CallForm, Template
from lib.errors import Rejected

ROOT = Path(__file__).parents[3]
TEAM: Mapping[str, Any] = {
    "type": "object",
    "properties": {"team": {"enum": ["billing", "tech"]}, "urgent": {"type": "boolean"}},
    "required": ["team", "urgent"],
    "additionalProperties": False,
}
FIND = {"type": "function", "function": {"name": "find", "parameters": TEAM, "strict": True}}
STOP = {"type": "function", "function": {"name": "stop-it"}}
MARKED = CallForm(("<tool_call>", '\n{"name": "'), ('", "arguments": ',), ("}\n</tool_call>",), ("\n",))
BARE = CallForm(('{"name": "',), ('", "parameters": ',), ("}",), ("; ",), alone=True)
CALL = '{"name": "find", "%s": {"team": "tech", "urgent": false}}'


class Voice:
    """A random model of bytes, its constraints, and answers of it; with a `form` it spells calls in that one."""

    def __init__(self, encoding: tiktoken.Encoding, *form: CallForm | None) -> None:
        torch.manual_seed(11)
        network = Network(Config(vocabulary=270, width=32, layers=2, heads=2, hidden=48, context=1024, taps=3)).eval()
        self.model = BuiltIn(network, Template(encoding, 1024, vocabulary=270))
        template: Any = self.model.template
        template.call_form = form[0] if form else template.call_form
        self.constraints = Constraints()
        # What closes a value is raised, or random weights write strings for ever.
        self.closing = [(byte, 4.0) for byte in b'"}]'] + [(self.model.template.end, 6.0)]

    def ask(self, **more: Any) -> Ask:
        given = {"id": "1", "model": "m", "messages": [{"role": "user", "content": "Hm?"}], "max_tokens": 200}
        return Ask(**{"logit_bias": self.closing, "seed": 1} | given | more)

    def says(self, **more: Any) -> tuple[str, dict[str, Any]]:
        """The text and the last line of an answer."""
        ask = self.ask(**more)
        answer = Answer(ask, self.model, self.constraints.of(ask, self.model))
        text, last = "", {}
        while not answer.finished:
            last = answer.advance() or {}
            text += str(last.get("text", ""))
        return text, last

    def allows(self, text: str, **more: Any) -> bool:
        """Whether an answer may be this text, marks included, and end there."""
        ask = self.ask(**more)
        held = self.constraints.of(ask, self.model)
        assert held is not None
        scores = torch.zeros(self.model.vocabulary)
        ids = self.model.template.encoding.encode(text, allowed_special="all")
        for token in [*ids, self.model.template.end]:
            if not torch.isfinite(held.bar(scores)[token]):
                return False
            held.hear(token)
        return True


@pytest.fixture(scope="module")
def voice(tiny_encoding: tiktoken.Encoding) -> Voice:
    return Voice(tiny_encoding)


plain = st.one_of(
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, *[st.integers(0, 99)] * 2),
    st.builds(lambda size: {"type": "string", "maxLength": size}, st.integers(0, 9)),
    st.just({"type": "string", "pattern": "^[a-c]{1,4}$"}),
    st.builds(
        lambda values: {"enum": values},
        st.lists(st.one_of(st.text(max_size=5), st.integers(-9, 9), st.none()), min_size=1, max_size=4, unique=True),
    ),
)


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


nested = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds(lambda items, most: {"type": "array", "items": items, "maxItems": most}, inner, st.integers(0, 3)),
        st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner),
        st.builds(strict_object, st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)),
    ),
    max_leaves=4,
)
schemas = st.builds(strict_object, st.dictionaries(st.text(min_size=1, max_size=5), nested, max_size=3))


def test_whatever_the_weights_an_answer_that_ends_is_json_of_the_schema(voice: Voice) -> None:
    ended = 0

    @given(schema=schemas, seed=st.integers(0, 2**32))
    @settings(max_examples=40, deadline=None, derandomize=True)
    def hold(schema: dict[str, Any], seed: int) -> None:
        nonlocal ended
        text, last = voice.says(format=JsonFormat("x", schema), seed=seed)
        if last["finish_reason"] == "stop":
            ended += 1
            jsonschema.validate(json.loads(text), schema)

    hold()
    assert ended > 20


def test_without_the_constraint_the_same_weights_say_something_else(voice: Voice) -> None:
    text, _ = voice.says()
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(text)


def test_the_seed_decides_under_a_constraint_too(voice: Voice) -> None:
    texts = [voice.says(format=JsonFormat("x", dict(TEAM)), seed=seed)[0] for seed in (1, 1, 2, 3, 4)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


def test_several_answers_share_what_was_prepared_and_nothing_else(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []
    original = constraint._grammar
    monkeypatch.setattr(constraint, "_grammar", lambda *asked: prepared.append("") or original(*asked))
    constraints = Constraints()
    shapes = [JsonFormat("x", {"type": "object", "properties": {f"p{n}": {}}}) for n in range(20)]
    first, second = (constraints.of(voice.ask(format=shapes[0]), voice.model) for _ in range(2))
    assert len(prepared) == 1
    assert first is not None
    assert second is not None
    scores = torch.zeros(voice.model.vocabulary)
    first.bar(scores)
    first.hear(ord("{"))
    assert torch.isfinite(first.bar(scores)[ord("}")])
    assert not torch.isfinite(second.bar(scores)[ord("}")])
    for shape in [*shapes, shapes[0]]:
        constraints.of(voice.ask(format=shape), voice.model)
    # The first is prepared again: so many others were asked for since.
    assert len(prepared) == 21


def test_any_object_and_nothing_but_an_object(voice: Voice) -> None:
    anything = JsonFormat("json_object", {"type": "object"})
    assert voice.allows('{"a": [1, {"b": null}]}', format=anything)
    assert voice.allows("{}", format=anything)
    for other in ("[]", "1", "", '{"a"}', '{"a": 1} and more', 'Here: {"a": 1}'):
        assert not voice.allows(other, format=anything)


def test_json_may_stand_on_lines_but_not_dissolve_in_blanks(voice: Voice) -> None:
    asked = JsonFormat("x", dict(TEAM))
    assert voice.allows('{\n    "team": "tech",\n    "urgent": true\n}', format=asked)
    assert voice.allows('{"team":"tech","urgent":true}', format=asked)
    assert not voice.allows('{"team":' + " " * 100 + '"tech","urgent":true}', format=asked)


def test_log_probabilities_are_the_models_own_and_finite(voice: Voice) -> None:
    ask = voice.ask(format=JsonFormat("x", dict(TEAM)), logprobs=True, top_logprobs=20)
    answer = Answer(ask, voice.model, voice.constraints.of(ask, voice.model))
    entries: list[Any] = []
    while not answer.finished:
        entries += (answer.advance() or {}).get("logprobs", [])
    assert entries[0]["token"] == "{"
    assert entries[0]["logprob"] < -1
    assert "Infinity" not in json.dumps(entries)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"type": "object", "not": {"type": "object"}},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"type": "string", "pattern": "(unclosed"},
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"type": "string", "format": "no-such-format"},
    ],
    ids=lambda schema: json.dumps(schema)[:40],
)
def test_a_schema_that_cannot_be_kept_to_is_refused_by_its_name(voice: Voice, schema: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="Invalid schema for response_format 'weather'") as refused:
        voice.says(format=JsonFormat("weather", schema))
    assert (refused.value.status, refused.value.param) == (400, "response_format")
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}]
    with pytest.raises(Rejected, match="Invalid schema for function 'f'") as refused:
        voice.says(tools=tools, calls=CallRules(["f"]))
    assert (refused.value.param, refused.value.code) == ("tools[0].function.parameters", "invalid_function_parameters")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(a+)+b(.*a.{50}){20}$"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 10**6},
        {"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}},
        {"type": "object", "properties": {f"p{place}": {"type": "string"} for place in range(1500)}},
    ],
    ids=["pattern", "long", "endless", "wide"],
)
def test_a_schema_that_is_a_bomb_ends_in_an_answer_or_a_refusal(voice: Voice, schema: dict[str, Any]) -> None:
    outcome: set[str | None] = set()
    try:
        outcome.add(voice.says(format=JsonFormat("x", schema), max_tokens=30)[1]["finish_reason"])
    except Rejected as refused:
        outcome.add(refused.param)
    assert outcome <= {"length", "stop", "response_format"}


def test_a_required_call_is_one_of_the_functions_with_its_arguments(voice: Voice) -> None:
    names = set()
    for seed in range(24):
        rules = CallRules(["find", "stop-it"], required=True, parallel=False)
        text, last = voice.says(tools=[FIND, STOP], calls=rules, seed=seed)
        if last["finish_reason"] == "tool_calls":
            (call,) = last["tool_calls"]
            names.add(call["function"]["name"])
            schema = TEAM if call["function"]["name"] == "find" else {"type": "object"}
            jsonschema.validate(json.loads(call["function"]["arguments"]), schema)
        assert text == ""
    assert names == {"find", "stop-it"}


def test_a_named_function_is_the_only_one_called(voice: Voice) -> None:
    for seed in range(4):
        _, last = voice.says(tools=[STOP, FIND], calls=CallRules(["find"], required=True), seed=seed)
        assert {call["function"]["name"] for call in last.get("tool_calls", [])} <= {"find"}


CALLED = '<|call|>find<|args|>{"team": "tech", "urgent": false}'


@pytest.mark.parametrize(
    ("text", "rules", "allowed"),
    [
        ("Words.", CallRules(["find"]), True),
        ("", CallRules(["find"]), True),
        (CALLED, CallRules(["find"]), True),
        (f"Words. {CALLED}", CallRules(["find"]), True),
        (CALLED * 2, CallRules(["find"]), True),
        (CALLED * 2, CallRules(["find"], parallel=False), False),
        ("Words.", CallRules(["find"], required=True), False),
        (f"Words. {CALLED}", CallRules(["find"], required=True), False),
        ("<|call|>stop-it<|args|>{}", CallRules(["find"]), False),
        ("<|call|>find<|args|>{}", CallRules(["find"]), False),
        ("<|call|>find", CallRules(["find"]), False),
    ],
)
def test_calls_of_the_built_in_form(voice: Voice, text: str, rules: CallRules, allowed: bool) -> None:
    assert voice.allows(text, tools=[FIND, STOP], calls=rules) is allowed


def test_a_call_has_the_arguments_that_its_schema_names_and_no_others(voice: Voice) -> None:
    parameters = {name: value for name, value in TEAM.items() if name != "additionalProperties"}
    loose = {"type": "function", "function": {"name": "find", "parameters": parameters}}
    forced = CallRules(["find"], required=True)
    assert voice.allows(CALLED, tools=[loose], calls=forced)
    more = CALLED.replace("}", ', "town": "Rome"}')
    assert not voice.allows(more, tools=[loose], calls=forced)
    open_one = {
        "type": "function",
        "function": {"name": "find", "parameters": parameters | {"additionalProperties": True}},
    }
    assert voice.allows(more, tools=[open_one], calls=forced)


@pytest.mark.parametrize(("form", "arguments"), [(MARKED, "arguments"), (BARE, "parameters")])
def test_calls_that_are_spelled_as_text(tiny_encoding: tiktoken.Encoding, form: CallForm, arguments: str) -> None:
    voice = Voice(tiny_encoding, form)
    opening, closing = ("<tool_call>\n", "\n</tool_call>") if form is MARKED else ("", "")
    call = f"{opening}{CALL % arguments}{closing}"
    again = f"{call}{form.separator[0]}{call}"
    free, forced, single = CallRules(["find"]), CallRules(["find"], required=True), CallRules(["find"], parallel=False)
    for rules, allowed in ((free, True), (forced, True), (single, True)):
        assert voice.allows(call, tools=[FIND], calls=rules) is allowed
    assert voice.allows(again, tools=[FIND], calls=free)
    assert not voice.allows(again, tools=[FIND], calls=single)
    for words in ("Words.", "1 < 2 and <tool", ""):
        assert voice.allows(words, tools=[FIND], calls=free)
        assert not voice.allows(words, tools=[FIND], calls=forced)
    for wrong in (call.replace("find", "fund"), call.replace("tech", "text"), f"{opening}{{}}{closing}"):
        assert not voice.allows(wrong, tools=[FIND], calls=free)
    # Where a call stands alone, words before it make words of all of it.
    assert voice.allows(f"I look. {call}", tools=[FIND], calls=free)
    assert voice.allows(f"I look. {call.replace('find', 'fund')}", tools=[FIND], calls=free) is (form is BARE)


def test_a_mark_that_is_one_token_can_spell_a_call_as_text(tiny_encoding: tiktoken.Encoding) -> None:
    voice = Voice(tiny_encoding, CallForm(("<|call|>", "("), (", ",), (")",)))
    call = '(find, {"team": "tech", "urgent": false})'
    rules = CallRules(["find"], required=True)
    one_token = voice.model.template.encoding.encode("<|call|>", allowed_special="all")
    assert len(one_token) == 1
    assert voice.allows("<|call|>" + call, tools=[FIND], calls=rules)
    assert not voice.allows("<|args|>" + call, tools=[FIND], calls=rules)


def test_a_template_without_calls_cannot_be_made_to_call(tiny_encoding: tiktoken.Encoding) -> None:
    voice = Voice(tiny_encoding, None)
    with pytest.raises(Rejected) as refused:
        voice.says(tools=[FIND], calls=CallRules(["find"], required=True))
    assert refused.value.param == "tool_choice"
    assert voice.allows("Words.", tools=[FIND], calls=CallRules(["find"]))


def test_json_or_a_call_when_both_are_asked_for(voice: Voice) -> None:
    both = {"tools": [FIND], "format": JsonFormat("x", {"type": "object"})}
    assert voice.allows('{"a": 1}', **both)
    assert voice.allows(CALLED, **both)
    assert not voice.allows("Words.", **both)


def test_a_model_without_the_tokens_says_so(voice: Voice) -> None:
    ask = voice.ask(format=JsonFormat("x", {"type": "object"}))
    held = voice.constraints.of(ask, voice.model)
    assert held is not None
    mute = torch.full((voice.model.vocabulary,), -torch.inf)
    with pytest.raises(Rejected, match="no token for what must come next"):
        held.bar(mute)


def test_a_refusal_is_told_with_the_parameter_and_disturbs_nobody(
    model_folder: Path, tiny_encoding: tiktoken.Encoding
) -> None:
    said: list[dict[str, Any]] = []
    turns = Turns(Shelf(tiny_encoding), lambda line: said.append(dict(line)), io.StringIO())
    asked = {"model": str(model_folder), "messages": [{"role": "user", "content": "Hm?"}], "max_tokens": 3}
    wrong = {"name": "x", "schema": {"type": "nonsense"}}
    for name, more in (("good", {}), ("wrong", {"format": wrong}), ("none", {"calls": {"names": []}})):
        turns.take(json.dumps(asked | {"id": name} | more).encode())
    while not turns.idle:
        turns.turn()
    refused = {line["id"]: line for line in said if "error" in line}
    assert set(refused) == {"wrong", "none"}
    assert refused["wrong"]["param"] == "response_format"
    assert [line.get("finish_reason") for line in said if line["id"] == "good"][-1] in ("length", "stop")


def test_grammars_are_imported_only_when_asked_for() -> None:
    code = "import sys, lib.engine.answer.turns; sys.exit('llguidance' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert built_in.BuiltIn.__doc__
