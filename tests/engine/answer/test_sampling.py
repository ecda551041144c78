"""Choosing a token: the likeliest, or drawn from as few as asked; and what a request wants more or less of."""

from __future__ import annotations

import math

import pytest
import torch

from lib.engine.answer.sampling import LEAST_LOGPROB, Leaning, choose, likeliest

SCORES = torch.log(torch.tensor([0.1, 0.5, 0.25, 0.15]))


def draws(temperature: float, top_p: float, count: int = 2000) -> list[int]:
    random = torch.Generator().manual_seed(1)
    return [choose(SCORES, temperature, top_p, random) for _ in range(count)]


def test_at_temperature_zero_it_is_the_likeliest() -> None:
    assert set(draws(0.0, 1.0, 20)) == {1}


def test_it_draws_with_the_probabilities() -> None:
    drawn = draws(1.0, 1.0)
    for token, share in enumerate((0.1, 0.5, 0.25, 0.15)):
        assert drawn.count(token) / len(drawn) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize(("top_p", "tokens"), [(0.0, {1}), (0.4, {1}), (0.6, {1, 2}), (0.8, {1, 2, 3})])
def test_top_p_keeps_the_fewest_that_reach_it(top_p: float, tokens: set[int]) -> None:
    assert set(draws(1.0, top_p)) == tokens


def test_the_seed_decides() -> None:
    assert draws(1.5, 1.0, 50) == draws(1.5, 1.0, 50)


def test_barred_tokens_are_never_drawn() -> None:
    random = torch.Generator().manual_seed(1)
    scores = SCORES.index_fill(0, torch.tensor([1, 2]), -torch.inf)
    assert {choose(scores, 2.0, 1.0, random) for _ in range(200)} == {0, 3}


def test_the_chosen_comes_before_the_likeliest() -> None:
    (chosen, *top) = likeliest(SCORES, 3, 2)
    assert chosen == (3, pytest.approx(math.log(0.15)))
    assert [token for token, _ in top] == [1, 2]


def test_what_cannot_be_said_has_a_number_that_json_knows() -> None:
    scores = SCORES.index_fill(0, torch.tensor([0, 2, 3]), -torch.inf)
    assert [value for _, value in likeliest(scores, 1, 20)] == [0.0, 0.0, *[LEAST_LOGPROB] * 3]


def test_a_token_loses_for_having_been_said_and_more_each_time_for_frequency() -> None:
    leaning = Leaning([], frequency=0.5, presence=1.0)
    assert leaning.lean(SCORES) is SCORES
    for token in (2, 2, 0):
        leaning.hear(token)
    assert (SCORES - leaning.lean(SCORES)).tolist() == pytest.approx([1.5, 0.0, 2.0, 0.0])


def test_a_bias_raises_one_token_and_passes_over_what_the_model_does_not_have() -> None:
    leaning = Leaning([(3, 2.0), (3, 1.0), (9, 100.0), (-1, 100.0)], frequency=0.0, presence=0.0)
    leaning.hear(3)
    assert (leaning.lean(SCORES) - SCORES).tolist() == pytest.approx([0.0, 0.0, 0.0, 3.0])


def test_a_barred_token_stays_barred_whatever_its_bias() -> None:
    scores = SCORES.index_fill(0, torch.tensor([1]), -torch.inf)
    assert torch.isinf(Leaning([(1, 100.0)], 0.0, 0.0).lean(scores)[1])
