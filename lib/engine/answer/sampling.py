"""Chooses the next token from a network's scores. It knows numbers, no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

# Below this a temperature divides by nearly nothing; taking the likeliest token is what it means.
LEAST_TEMPERATURE = 1e-3
LEAST_LOGPROB = -9999.0


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


class Leaning:
    """What a request wants said more or less: fixed biases of ids, and penalties for what has been said already.

    A token said c times loses `frequency` × c + `presence` × (c > 0), as OpenAI documents it.
    """

    def __init__(self, bias: Sequence[tuple[int, float]], frequency: float, presence: float) -> None:
        self._bias = tuple(bias)
        self._frequency = frequency
        self._presence = presence
        self._said: Counter[int] = Counter()

    def hear(self, token: int) -> None:
        """Take a token that was said."""
        self._said[token] += 1

    def lean(self, scores: Tensor) -> Tensor:
        """Scores (vocabulary,) with biases added and penalties taken off."""
        shifts = [(token, by) for token, by in self._bias if 0 <= token < len(scores)]
        if self._frequency or self._presence:
            shifts += [(token, -self._frequency * count - self._presence) for token, count in self._said.items()]
        if not shifts:
            return scores
        ids, by = zip(*shifts, strict=True)
        return scores.index_add(0, torch.tensor(ids), torch.tensor(by, dtype=scores.dtype))


def likeliest(scores: Tensor, chosen: int, count: int) -> list[tuple[int, float]]:
    """Ids and natural log-probabilities: of the chosen token first, then of the `count` likeliest ones.

    What cannot be said has LEAST_LOGPROB, since JSON knows no infinity.
    """
    logs = torch.log_softmax(scores, dim=-1).clamp(min=LEAST_LOGPROB)
    values, ids = logs.topk(min(count, len(logs)))
    return [(chosen, float(logs[chosen])), *zip(ids.tolist(), values.tolist(), strict=True)]
