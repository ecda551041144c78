"""Chooses the next token from a network's scores. It knows numbers, no text."""

from __future__ import annotations

import torch
from torch import Tensor

# Below this a temperature divides by nearly nothing; taking the likeliest token is what it means.
LEAST_TEMPERATURE = 1e-3


def choose(scores: Tensor, temperature: float, top_p: float, random: torch.Generator) -> int:
    """One token id from scores (vocabulary,): the likeliest at temperature 0, otherwise drawn.

    Drawn from the fewest tokens that have `top_p` of the probability together, at least one.
    """
    if temperature < LEAST_TEMPERATURE or top_p == 0:
        return int(scores.argmax())
    shares, ids = torch.softmax(scores / temperature, dim=-1).sort(descending=True, stable=True)
    before = shares.cumsum(-1) - shares
    drawn = torch.multinomial(shares.masked_fill(before >= top_p, 0.0), 1, generator=random)
    return int(ids[drawn])


def likeliest(scores: Tensor, chosen: int, count: int) -> list[tuple[int, float]]:
    """Ids and natural log-probabilities: of the chosen token first, then of the `count` likeliest ones."""
    logs = torch.log_softmax(scores, dim=-1)
    values, ids = logs.topk(count)
    return [(chosen, float(logs[chosen])), *zip(ids.tolist(), values.tolist(), strict=True)]
