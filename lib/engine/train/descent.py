"""Gradient descent on all weights of a network: AdamW with a warm-up and a decay of its rate.

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

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Descent:
    """The optimizer of one training, with the highest learning `rate` it reaches."""

    def __init__(self, network: nn.Module, rate: float, total_steps: int) -> None:
        self.rate = rate
        self.total_steps = total_steps
        self._weights = dict(network.named_parameters())
        self._optimizer = torch.optim.AdamW(
            self._weights.values(), lr=rate, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )

    def step(self, step: int) -> None:
        """One step along the gradients that the weights hold, which are then forgotten; `step` counts from 1.

        Gradients that are not finite are thrown away: they would spoil every weight for ever.
        """
        norm = torch.nn.utils.clip_grad_norm_(self._weights.values(), MOST_NORM)
        if math.isfinite(norm) and norm > 0:
            self._optimizer.param_groups[0]["lr"] = self.rate * self.share(step)
            self._optimizer.step()
        self._optimizer.zero_grad()

    def share(self, step: int) -> float:
        """The share of the rate that applies at a step: a linear warm-up, then half a cosine down."""
        warm_up = max(1, round(WARM_UP_SHARE * self.total_steps))
        if step <= warm_up:
            return step / warm_up
        done = (step - warm_up) / max(1, self.total_steps - warm_up)
        return FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * done))

    def state(self) -> dict[str, Tensor]:
        """All that later steps depend on."""
        state = {f"weight {name}": weight.detach() for name, weight in self._weights.items()}
        for name, weight in self._weights.items():
            moments = self._optimizer.state[weight]
            state |= {f"{moment} {name}": moments[moment] for moment in MOMENTS if moment in moments}
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave, in this or another process."""
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(state[f"weight {name}"])
                moments = {moment: state[f"{moment} {name}"] for moment in MOMENTS if f"{moment} {name}" in state}
                self._optimizer.state[weight] = {moment: tensor.clone() for moment, tensor in moments.items()}


def base_rate(batch_size: int) -> float:
    """The learning rate at multiplier 1 for a batch size: a mean over more examples is surer, so it may go further."""
    return BASE_RATE * math.sqrt(batch_size)
