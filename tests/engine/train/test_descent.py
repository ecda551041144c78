"""Descent: bounded gradients, the schedule, going on from kept state, and bad gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lib.engine.train.descent import FINAL_SHARE, Descent, base_rate


def small() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(4, 3)


def weights(network: nn.Linear) -> dict[str, nn.Parameter]:
    return dict(network.named_parameters())


def learn(network: nn.Linear, descent: Descent, step: int) -> None:
    torch.manual_seed(100 + step)
    loss = network(torch.randn(8, 4)).square().mean()
    torch.autograd.backward(loss)
    descent.step(step)


def test_it_is_adamw_with_bounded_gradients() -> None:
    network, plain = small(), small()
    descent = Descent(weights(network), 0.01, 10)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=0.01, betas=(0.9, 0.99), weight_decay=0.01)
    for step in range(1, 11):
        learn(network, descent, step)
        torch.manual_seed(100 + step)
        loss = plain(torch.randn(8, 4)).square().mean()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 0.01 * descent.share(step)
        optimizer.step()
        optimizer.zero_grad()
    for weight, expected in zip(network.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(weight, expected, atol=1e-6)


def test_going_on_from_kept_state_is_the_same_bit_for_bit() -> None:
    whole, first, second = small(), small(), small()
    descent = Descent(weights(whole), 0.01, 6)
    for step in range(1, 7):
        learn(whole, descent, step)
    before = Descent(weights(first), 0.01, 6)
    for step in range(1, 4):
        learn(first, before, step)
    kept = {name: tensor.clone() for name, tensor in before.state().items()}
    after = Descent(weights(second), 0.01, 6)
    after.restore(kept)
    for step in range(4, 7):
        learn(second, after, step)
    assert torch.equal(whole.weight, second.weight)
    assert torch.equal(whole.bias, second.bias)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing(bad: float) -> None:
    network = small()
    before = network.weight.clone()
    descent = Descent(weights(network), 0.01, 5)
    torch.autograd.backward(network(torch.full((1, 4), bad)).sum())
    descent.step(1)
    assert torch.equal(network.weight, before)
    learn(network, descent, 2)
    assert not torch.equal(network.weight, before)
    assert bool(network.weight.isfinite().all())


def test_a_step_in_which_nothing_is_learned_changes_nothing() -> None:
    network = small()
    before = network.weight.clone()
    descent = Descent(weights(network), 0.01, 5)
    torch.autograd.backward(network(torch.randn(2, 4)).sum() * 0)
    descent.step(1)
    assert torch.equal(network.weight, before)


def test_a_weight_that_no_gradient_reaches_stays_and_the_others_learn() -> None:
    network = small()
    before, untouched = network.weight.clone(), torch.ones(2, requires_grad=True)
    descent = Descent({**weights(network), "untouched": nn.Parameter(untouched)}, 0.01, 5)
    learn(network, descent, 1)
    assert not torch.equal(network.weight, before)
    assert untouched.tolist() == [1.0, 1.0]


def test_the_rate_warms_up_and_decays() -> None:
    descent = Descent(weights(small()), 1.0, 100)
    shares = [descent.share(step) for step in range(1, 101)]
    assert shares[0] == pytest.approx(0.2)
    assert shares[4] == max(shares) == 1.0
    assert shares[4:] == sorted(shares[4:], reverse=True)
    assert shares[-1] == pytest.approx(FINAL_SHARE)


def test_a_single_step_has_the_whole_rate() -> None:
    assert Descent(weights(small()), 1.0, 1).share(1) == 1.0


def test_larger_batches_go_further() -> None:
    assert base_rate(16) == pytest.approx(4 * base_rate(1))
