"""Scoring: sums over trained positions alone, however rows are grouped; and means of them."""

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
from lib.engine.train.scoring import Score, said


@pytest.fixture
def model(template: Template) -> BuiltIn:
    torch.manual_seed(5)
    network = Network(Config(vocabulary=263, width=16, layers=1, heads=2, hidden=16, context=64, taps=2))
    return BuiltIn(network, template)


def examples(count: int) -> list[Rendered]:
    random = np.random.default_rng(2)
    return [
        Rendered(random.integers(0, 30, length).tolist(), (random.random(length) < 0.4).tolist())
        for length in random.integers(5, 60, count)
    ]


def test_loss_and_gradient_are_those_of_each_row_alone(model: BuiltIn) -> None:
    rendered = examples(6)
    read = said(model, pack(rendered), np.arange(6))
    torch.autograd.backward(read.losses.sum())
    network = model.network
    gradient = network.embedding.weight.grad
    assert gradient is not None
    together = gradient.clone()
    network.zero_grad()
    for row, example in enumerate(rendered):
        ids = torch.tensor(example.ids)
        trained = torch.tensor(example.trained)[1:]
        logits = network.logits(network(ids[None, :-1]))[0][trained]
        expected = functional.cross_entropy(logits, ids[1:][trained], reduction="sum")
        assert float(read.losses[row].detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
        assert int(read.right[row]) == int((logits.argmax(dim=-1) == ids[1:][trained]).sum())
        torch.autograd.backward(expected)
    assert network.embedding.weight.grad is not None
    assert torch.allclose(together, network.embedding.weight.grad, atol=1e-4)


def test_a_row_without_trained_ids_has_no_loss_and_no_gradient(model: BuiltIn) -> None:
    corpus = pack([Rendered([1, 2], [False, False]), Rendered([1, 2], [False, True])])
    alone = said(model, corpus, np.array([0]))
    torch.autograd.backward(alone.losses.sum())
    assert float(alone.losses.detach()) == 0.0
    assert all(weight.grad is None or not weight.grad.any() for weight in model.weights().values())
    both = said(model, corpus, np.array([0, 1])).losses.detach()
    assert float(both[0]) == 0.0
    assert float(both[1]) > 0.0


def test_means_have_their_prefix_and_scores_add_up() -> None:
    total = Score({"loss": (3.0, 2), "accuracy": (1, 2)}) + Score({"loss": (1.0, 2), "accuracy": (1, 8)})
    assert total.metrics("full_valid") == {"full_valid_loss": 1.0, "full_valid_accuracy": 0.2}


def test_a_mean_of_nothing_is_no_number() -> None:
    assert all(math.isnan(value) for value in Score({"loss": (0.0, 0)}).metrics("train").values())


def test_a_score_travels_as_numbers() -> None:
    score = Score({"loss": (3.0, 2), "accuracy": (1, 2)})
    doubled = Score({"loss": (0.0, 0), "accuracy": (0.0, 0)}).with_numbers(2 * score.numbers())
    assert doubled == score + score
