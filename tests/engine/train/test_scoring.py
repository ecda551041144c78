"""Scoring: the mean over trained positions alone, however examples are grouped."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from lib.engine.built_in import BuiltIn
from lib.engine.network import Config, Network
from lib.engine.template import Rendered, Template
from lib.engine.train.corpus import pack
from lib.engine.train.scoring import Score, score, validate

PAD = 31


@pytest.fixture
def model(template: Template) -> BuiltIn:
    torch.manual_seed(5)
    network = Network(Config(vocabulary=32, width=16, layers=1, heads=2, hidden=16, context=64, taps=2))
    return BuiltIn(network, template)


def examples(count: int) -> list[Rendered]:
    random = np.random.default_rng(2)
    return [
        Rendered(random.integers(0, 30, length).tolist(), (random.random(length) < 0.4).tolist())
        for length in random.integers(5, 60, count)
    ]


def test_loss_and_gradient_are_those_of_each_example_alone(model: BuiltIn) -> None:
    rendered = examples(6)
    loss, scored = score(model, pack(rendered), np.arange(6), PAD)
    torch.autograd.backward(loss)
    network = model.network
    gradient = network.embedding.weight.grad
    assert gradient is not None
    together = gradient.clone()
    network.zero_grad()
    expected, tokens = torch.zeros(()), 0
    for example in rendered:
        ids = torch.tensor(example.ids)
        trained = torch.tensor(example.trained)[1:]
        logits = network.logits(network(ids[None, :-1]))[0]
        expected = expected + functional.cross_entropy(logits[trained], ids[1:][trained], reduction="sum")
        tokens += int(trained.sum())
    torch.autograd.backward(expected)
    assert scored.tokens == tokens
    assert scored.loss == pytest.approx(float(expected.detach()), rel=1e-5)
    assert network.embedding.weight.grad is not None
    assert torch.allclose(together, network.embedding.weight.grad, atol=1e-4)


def test_validation_of_many_is_the_sum_of_each_and_learns_nothing(model: BuiltIn) -> None:
    corpus = pack(examples(20))
    looks: list[None] = []
    whole = validate(model, corpus, np.arange(20), PAD, lambda: looks.append(None))
    single = Score()
    for one in range(20):
        single += validate(model, corpus, np.array([one]), PAD, lambda: None)
    assert (whole.right, whole.tokens) == (single.right, single.tokens)
    assert whole.loss == pytest.approx(single.loss, rel=1e-5)
    assert all(weight.grad is None for weight in model.weights().values())
    assert looks


def test_metrics_have_the_protocols_names() -> None:
    assert Score(3.0, 1, 2).metrics("full_valid") == {"full_valid_loss": 1.5, "full_valid_mean_token_accuracy": 0.5}


def test_without_trained_tokens_there_is_no_number() -> None:
    assert all(math.isnan(value) for value in Score().metrics("train").values())
