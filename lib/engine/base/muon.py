"""The optimizer of pretraining: Muon for the matrices of the layers, AdamW for everything else.

Muon (Keller Jordan, 2024) makes each matrix's momentum orthogonal before it is applied. It learned faster here than
AdamW alone. Knows no data and no schedule: the caller passes the factor on the learning rates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MATRIX_RATE, OTHER_RATE = 0.02, 0.003
MOMENTUM, BETAS = 0.95, (0.9, 0.95)
DECAY = 0.01
# Matrices that are several side by side are made orthogonal one by one.
PARTS = {"query_key_value": 3, "gate_up": 2}


class MuonAdam:
    """Keeps the moments of every parameter of a network and takes steps."""

    def __init__(self, network: nn.Module) -> None:
        self._weights = dict(network.named_parameters())
        self._state: dict[str, Tensor] = {}
        self._steps = 0
        for name, weight in self._weights.items():
            self._state[f"{name}.first"] = torch.zeros_like(weight)
            if not _is_matrix(name):
                self._state[f"{name}.second"] = torch.zeros_like(weight)

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """One step along the gradients, with learning rates multiplied by `factor`; clears the gradients."""
        self._steps += 1
        for name, weight in self._weights.items():
            if weight.grad is None:
                continue
            first = self._state[f"{name}.first"]
            if _is_matrix(name):
                first.lerp_(weight.grad, 1 - MOMENTUM)
                update = _orthogonal(weight.grad.lerp(first, MOMENTUM), name)
                weight.mul_(1 - factor * MATRIX_RATE * DECAY).add_(update, alpha=-factor * MATRIX_RATE)
            else:
                second = self._state[f"{name}.second"]
                first.lerp_(weight.grad, 1 - BETAS[0])
                second.lerp_(weight.grad.square(), 1 - BETAS[1])
                size = second.div(1 - BETAS[1] ** self._steps).sqrt_().add_(1e-10)
                weight.addcdiv_(first, size, value=-factor * OTHER_RATE / (1 - BETAS[0] ** self._steps))
            weight.grad = None

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on."""
        return {**self._state, "steps": torch.tensor(self._steps)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self._steps = int(state["steps"])
        for name, kept in self._state.items():
            kept.copy_(state[name])


def _is_matrix(name: str) -> bool:
    return name.endswith("weight") and not name.startswith("embedding")


def _orthogonal(update: Tensor, name: str) -> Tensor:
    """The update with its singular values brought to about 1 (Newton–Schulz), scaled by the matrix's shape."""
    parts = next((count for key, count in PARTS.items() if key in name), 1)
    x = update.reshape(parts, -1, update.shape[1])
    is_tall = x.shape[1] > x.shape[2]
    x = (x.mT if is_tall else x).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    x = x.mT if is_tall else x
    scale = max(1.0, x.shape[1] / x.shape[2]) ** 0.5
    whole: Tensor = x.reshape(update.shape).float() * scale
    return whole
