"""Gradient descent on all weights of a network at once: AdamW over one flat tensor, with warm-up and decay.

The base rate is the learning rate at `learning_rate_multiplier` 1. It knows no data and no files; what must be kept to
go on later, it gives as named tensors.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# Measured on the example data sets, for a batch of one; it grows with the root of the batch size.
BASE_RATE = 3e-4
WARM_UP_SHARE = 0.05
FINAL_SHARE = 0.05
BETAS = (0.9, 0.99)
WEIGHT_DECAY = 0.01
MOST_NORM = 1.0


class Descent:
    """The optimizer of one training. The network's weights and gradients become views into two flat tensors."""

    def __init__(self, network: nn.Module, rate: float, total_steps: int) -> None:
        self.rate = rate
        self.total_steps = total_steps
        weights = list(network.parameters())
        self._weights = nn.Parameter(torch.cat([weight.detach().reshape(-1) for weight in weights]))
        self._weights.grad = self._gradient = torch.zeros_like(self._weights)
        at = 0
        for weight in weights:
            end = at + weight.numel()
            weight.data = self._weights.data[at:end].view_as(weight)
            weight.grad = self._gradient[at:end].view_as(weight)
            at = end
        self._optimizer = torch.optim.AdamW(
            [self._weights], lr=rate, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )

    def step(self, step: int, tokens: int) -> None:
        """One step with the gradients summed since the last one, over `tokens` positions; `step` counts from 1.

        A gradient that is not finite is thrown away: it would spoil every weight for ever.
        """
        norm = float(self._gradient.norm()) / max(1, tokens)
        if tokens and math.isfinite(norm):
            self._gradient.mul_(1 / tokens * min(1.0, MOST_NORM / (norm + 1e-6)))
            self._optimizer.param_groups[0]["lr"] = self.rate * self.share(step)
            self._optimizer.step()
        self._gradient.zero_()

    def share(self, step: int) -> float:
        """The share of the rate that applies at a step: a linear warm-up, then half a cosine down."""
        warm_up = max(1, round(WARM_UP_SHARE * self.total_steps))
        if step <= warm_up:
            return step / warm_up
        done = (step - warm_up) / max(1, self.total_steps - warm_up)
        return FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * done))

    def state(self) -> dict[str, Tensor]:
        """All that later steps depend on."""
        moments = self._optimizer.state[self._weights]
        return {"weights": self._weights.data, **moments}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave, in this or another process."""
        self._weights.data.copy_(state["weights"])
        self._optimizer.state[self._weights] = {
            name: tensor.clone() for name, tensor in state.items() if name != "weights"
        }


def base_rate(batch_size: int) -> float:
    """The learning rate at multiplier 1 for a batch size: a mean over more examples is surer, so it may go further."""
    return BASE_RATE * math.sqrt(batch_size)
