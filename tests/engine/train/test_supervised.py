"""Supervised training: every trained token counts alike, however messages are weighted, cut, or grouped into runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from lib.engine.built_in import BuiltIn
from lib.engine.network import load
from lib.engine.template import Template
from lib.engine.train.corpus import Corpus, pack
from lib.engine.train.measuring import Measuring
from lib.engine.train.stop import Stop, Stopped
from lib.engine.train.supervised import Supervised
from lib.engine.train.together import Together


@pytest.fixture
def model(template: Template, model_folder: Path) -> BuiltIn:
    return BuiltIn(load(model_folder), template)


@pytest.fixture
def measuring(model: BuiltIn, tmp_path: Path) -> Measuring:
    return Measuring(model, Together(model.device), Stop(tmp_path))


def turns(*said: tuple[str, Any]) -> dict[str, Any]:
    """A conversation of several turns: what the assistant said, and with which weight."""
    messages: list[dict[str, Any]] = []
    for text, weight in said:
        answer = {"role": "assistant", "content": text} | ({} if weight is None else {"weight": weight})
        messages += [{"role": "user", "content": "Hm?"}, answer]
    return {"messages": messages}


def of_lengths(template: Template, count: int) -> Corpus:
    random = np.random.default_rng(8)
    said = ("".join(chr(97 + int(one)) for one in random.integers(0, 26, length)) for length in range(1, count + 1))
    return pack(template.example(turns((text, None))) for text in said)


def test_only_messages_of_weight_one_are_learned_in_every_turn(
    model: BuiltIn, template: Template, measuring: Measuring
) -> None:
    example = template.example(turns(("first", 1), ("second", 0), ("third", None)))
    objective = Supervised(model, pack([example]))
    assert objective.counts.tolist() == [len("first") + 1 + len("third") + 1]
    ids = torch.tensor(example.ids)
    scores = model.logits(model.read(ids[None, :-1]))[0].detach()
    learned = torch.tensor(example.trained)[1:]
    assert template.encoding.decode(ids[1:][learned].tolist()) == "first<|end|>third<|end|>"
    expected = float(functional.cross_entropy(scores[learned], ids[1:][learned]))
    assert measuring.each(objective, np.array([0])).tolist() == pytest.approx([expected], rel=1e-5)
    assert measuring.score(objective, np.array([0])).metrics("valid")["valid_loss"] == pytest.approx(expected, rel=1e-5)


def test_what_is_cut_off_at_the_end_is_not_learned(model: BuiltIn, template: Template) -> None:
    corpus = pack([template.example(turns(("early", 1), ("x" * 300, 1)))])
    assert int(corpus.lengths[0]) == template.context - 1
    assert Supervised(model, corpus).counts[0] < 300


def test_a_long_example_weighs_more_than_a_short_one(model: BuiltIn, template: Template, measuring: Measuring) -> None:
    corpus = pack([template.example(turns(("no", 1))), template.example(turns(("yes, in many more words", 1)))])
    objective = Supervised(model, corpus)
    alone = measuring.each(objective, np.arange(2))
    together = measuring.score(objective, np.arange(2)).metrics("valid")["valid_loss"]
    assert together == pytest.approx(float((alone * objective.counts).sum() / objective.counts.sum()), rel=1e-6)


def test_the_gradient_of_many_runs_is_that_of_one(model: BuiltIn, template: Template) -> None:
    gradients = []
    for tokens_at_once, runs in ((4096, 1), (1, 6)):
        objective = Supervised(model, of_lengths(template, 6), tokens_at_once)
        groups = list(objective.runs(np.arange(6)))
        assert len(groups) == runs
        for group in groups:
            torch.autograd.backward(objective.score(group)[0].sum() / int(objective.counts.sum()))
        gradient = model.network.embedding.weight.grad
        assert gradient is not None
        gradients.append(gradient.clone())
        model.network.zero_grad()
    assert torch.allclose(*gradients, atol=1e-6)


def test_measuring_learns_nothing_and_stops_between_runs(
    model: BuiltIn, template: Template, measuring: Measuring, tmp_path: Path
) -> None:
    objective = Supervised(model, of_lengths(template, 8))
    measuring.score(objective, np.arange(8))
    assert all(weight.grad is None for weight in model.weights().values())
    (tmp_path / "cancel").touch()
    for look in (measuring.score, measuring.each, measuring.rows):
        with pytest.raises(Stopped):
            look(objective, np.arange(8))


def test_the_loss_before_is_of_the_rows_that_were_looked_at(
    model: BuiltIn, template: Template, measuring: Measuring
) -> None:
    corpus = pack(template.example(turns(("words", weight))) for weight in (1, 0, 1))
    objective = Supervised(model, corpus)
    examples = np.array([1, 2])
    objective.know(measuring.rows(objective, objective.first_rows(examples)))
    nothing, known = objective.before(examples)
    assert math.isnan(nothing)
    assert known == pytest.approx(measuring.each(objective, examples)[1])
