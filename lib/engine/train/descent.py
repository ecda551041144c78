"""Gradient descent on the weights of a model: AdamW with a warm-up and a decay of its rate.

The base rate is the learning rate at `learning_rate_multiplier` 1. It knows no data and no files; what must be kept to
go on later, it gives as named tensors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

# Measured on the example data sets, for a batch of one; it grows with the root of the batch size.
BASE_RATE = 1e-3
WARM_UP_SHARE = 0.05
FINAL_SHARE = 0.05
BETAS = (0.9, 0.99)
WEIGHT_DECAY = 0.01
MOST_NORM = 1.0

EPSILON = 1e-8


class Descent:
    """The optimizer of one training, with the highest learning `rate` it reaches.

    torch.optim's class would do the same, but it imports torch's compiler, which takes as long as the rest of torch.
    """

    def __init__(self, weights: Mapping[str, nn.Parameter], rate: float, total_steps: int) -> None:
        self.rate = rate
        self.total_steps = total_steps
        self._weights = dict(weights)
        self._means = {name: torch.zeros_like(weight) for name, weight in self._weights.items()}
        self._squares = {name: torch.zeros_like(weight) for name, weight in self._weights.items()}
        self._steps = {name: torch.zeros((), device=weight.device) for name, weight in self._weights.items()}

    @torch.no_grad()
    def step(self, step: int) -> None:
        """One step along the gradients that the weights hold, which are then forgotten; `step` counts from 1.

        A weight that has none stays as it is: some architectures have parts that a text does not reach. Gradients that
        are not finite are thrown away: they would spoil every weight for ever.
        """
        gradients = {name: weight.grad for name, weight in self._weights.items() if weight.grad is not None}
        norm = torch.nn.utils.get_total_norm(gradients.values())
        if gradients and norm.isfinite() and norm > 0:
            adamw(
                [self._weights[name] for name in gradients],
                list(gradients.values()),
                [self._means[name] for name in gradients],
                [self._squares[name] for name in gradients],
                [],
                [self._steps[name] for name in gradients],
                fused=True,
                grad_scale=torch.clamp(norm / MOST_NORM, min=1.0),
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=self.rate * self.share(step),
                weight_decay=WEIGHT_DECAY,
                eps=EPSILON,
                maximize=False,
            )
        for weight in self._weights.values():
            weight.grad = None

    def share(self, step: int) -> float:
        """The share of the rate that applies at a step: a linear warm-up, then half a cosine down."""
        warm_up = max(1, round(WARM_UP_SHARE * self.total_steps))
        if step <= warm_up:
            return step / warm_up
        done = (step - warm_up) / max(1, self.total_steps - warm_up)
        return FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * done))

    def state(self) -> dict[str, Tensor]:
        """All that later steps depend on, by name."""
        parts: dict[str, Mapping[str, Tensor]] = {
            "weight": self._weights,
            "mean": self._means,
            "square": self._squares,
            "steps": self._steps,
        }
        return {f"{part} {name}": held[name].detach() for part, held in parts.items() for name in self._weights}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, in this or another process."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


def base_rate(batch_size: int) -> float:
    """The learning rate at multiplier 1 for a batch size: a mean over more examples is surer, so it may go further."""
    return BASE_RATE * math.sqrt(batch_size)
