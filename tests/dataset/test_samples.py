"""The example data sets: their size, their determinism, and that the held-out part is no copy of the training part."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice

import pytest

from lib.dataset.check import check
from lib.dataset.example import encode
from lib.dataset.reading import read
from lib.dataset.samples import extraction, routing
from lib.dataset.samples.samples import SAMPLES, Sample, find
from lib.tokens.batch import batch_counter

Said = tuple[str, str, str]


def said(example: dict) -> Said:  # type: ignore[type-arg]
    return tuple(message["content"] for message in example["messages"])  # type: ignore[return-value]


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_240_to_train_on_and_60_held_out_the_same_at_every_call(sample: Sample) -> None:
    training, held_out = sample.make()
    assert (len(training), len(held_out)) == (240, 60)
    assert sample.make() == (training, held_out)
    questions = [said(example)[1] for example in training + held_out]
    assert len(set(questions)) == 300
    assert {tuple(message["role"] for message in example["messages"]) for example in training + held_out} == {
        ("system", "user", "assistant")
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_the_check_finds_nothing_wrong(sample: Sample) -> None:
    training, held_out = sample.make()
    for part in (training, held_out):
        reading = read(b"\n".join(encode(example) for example in part), f"{sample.key}.jsonl")
        report = check(reading.lines, problems=reading.problems)
        assert report.ok
        assert not [finding for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_five_flaws_are_planted_and_found_and_nothing_else(sample: Sample) -> None:
    training, held_out = sample.flawed()
    source = b"\n".join(encode(example) for example in [*training, *held_out])
    validation = range(len(training), len(training) + len(held_out))
    counter = batch_counter("etude_4k")
    report = check(read(source, "a").lines, counter=counter, limit=2048, validation=validation)
    wrong = {"routing": "rare_label", "tone": "placeholder", "extraction": "answer_not_json"}[sample.key]
    planted = dict.fromkeys(["card_number", "duplicate", "leak", "over_token_limit", wrong], 1)
    assert {code: number for code, number in report.totals.items() if code != "near_duplicate"} == planted
    assert report.ok, "they are flaws, not errors: the data can be trained on as it is"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_planting_leaves_the_sample_itself_as_it_is(sample: Sample) -> None:
    before = sample.make()
    training, held_out = sample.flawed()
    assert sample.make() == before
    differing = [at for at in range(240) if training[at] != before[0][at]]
    assert differing == [4, 11]
    assert (len(training), len(held_out), held_out[:60]) == (242, 61, before[1])


def test_tickets_go_to_every_team_equally_often_and_to_every_priority() -> None:
    training, held_out = find("routing").make()
    for part, share in ((training, 40), (held_out, 10)):
        answers = [json.loads(said(example)[2]) for example in part]
        assert Counter(answer["team"] for answer in answers) == dict.fromkeys(
            ("billing", "shipping", "returns", "technical", "accounts", "sales"), share
        )
        assert {answer["priority"] for answer in answers} == {"high", "normal", "low"}


@pytest.mark.parametrize(
    "training_and_other",
    [(sample.make()[0], sample.in_other_words()) for sample in SAMPLES],
    ids=[sample.key for sample in SAMPLES],
)
def test_other_wording_does_not_occur_in_training(training_and_other: tuple[list[dict], list[dict]]) -> None:  # type: ignore[type-arg]
    training, other = training_and_other
    known = " | ".join(plain(said(example)[1]) for example in training)
    fresh = 0
    for example in other:
        words = plain(said(example)[1]).split()
        fresh += not any(" ".join(words[at : at + 6]) in known for at in range(max(1, len(words) - 5)))
    # The others share a greeting and an opening of six words, which both sides take from the same lists.
    assert len(other) == 60
    assert fresh >= 40


def test_held_out_tickets_are_new_and_some_are_in_other_words() -> None:
    training, held_out = routing.make()
    other = routing.in_other_words()
    assert sum(example in other for example in held_out) == 18
    assert not {said(example)[1] for example in training} & {said(example)[1] for example in held_out}


def test_held_out_orders_have_values_of_their_own_and_half_are_in_other_words() -> None:
    training, held_out = extraction.make()
    other = extraction.in_other_words()
    assert sum(example in other for example in held_out) == 30
    known, new = ([json.loads(said(example)[2]) for example in part] for part in (training, [*held_out, *other]))
    for field in extraction.FIELDS:
        values = {answer[field] for answer in known} - {None}
        assert values
        assert not values & {answer[field] for answer in new}


def test_an_order_tells_what_its_answer_says_word_for_word_and_null_is_not_in_it() -> None:
    parts = [*extraction.make(), extraction.in_other_words()]
    answers = [(said(example)[1], json.loads(said(example)[2])) for part in parts for example in part]
    for text, answer in answers:
        assert tuple(answer) == extraction.FIELDS
        assert all(str(value) in text for value in answer.values() if value is not None)
        assert None not in (answer["name"], answer["item"], answer["quantity"])
    for field in ("city", "date"):
        values = {answer[field] for _, answer in answers} - {None}
        without = [text for text, answer in answers if answer[field] is None]
        assert len(without) >= 10
        assert not [text for text in without if any(re.search(rf"\b{value}\b", text) for value in values)]


def test_tone_is_the_same_around_every_fact() -> None:
    training, held_out = find("tone").make()
    answers = Counter(said(example)[2] for example in training)
    assert len(answers) == 30
    assert set(answers.values()) == {8}
    assert {said(example)[2] for example in held_out} == set(answers)
    assert all(re.fullmatch(r"Gladly told: .+\. Warmly, your Heron House", answer) for answer in answers)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_the_base_was_not_taught_the_samples(sample: Sample) -> None:
    from lib.engine.base.corpus.mixture import conversations

    corpus = [
        plain(message.get("content") or "")
        for _, data in islice(conversations("no samples in here"), 20_000)
        for message in data["messages"]
    ]
    whole = "\n".join(corpus)
    for example in (part for side in sample.make() for part in side):
        question, answer = said(example)[1:]
        assert plain(answer) not in whole
        assert f"\n{plain(question)}\n" not in whole
        if sample.key == "extraction":
            told = json.loads(answer)
            assert plain(told["name"]) not in whole
            assert plain(told["item"]) not in whole
            assert told["city"] is None or not re.search(rf"\b{plain(told['city'])}\b", whole)
    for name in ("billing", "shipping", "returns", "technical", "accounts", "sales", "heron house", "gladly told"):
        assert not re.search(rf"\b{name}\b", whole)


def test_an_unknown_sample_is_not_invented() -> None:
    with pytest.raises(KeyError):
        find("poems")
