"""Packs made conversations into rows of one length, so that pretraining computes (almost) no padding.

Block number n of a seed is always the same, which is all that resuming needs. Knows no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

import torch
from torch import Tensor

from lib.engine.base.corpus.mixture import conversations
from lib.engine.template import Template

# Enough conversations to fill rows well.
BLOCK = 2000
# A prompt's token counts so much in the loss against an answer's. After some blocks the wording of prompts is nearly
# known, and what cannot be known in them (names, numbers) only disturbs.
PROMPT_SHARE, LATER_PROMPT_SHARE = 0.25, 0.1
EARLY_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Packed rows: token ids, which conversation of its row a token is of (0 is padding), and its share in the loss.

    Each is (rows, length); a token's share says how much the prediction *of* that token counts.
    """

    tokens: Tensor
    owners: Tensor
    shares: Tensor

    def mask(self) -> Tensor:
        """(rows, 1, length, length): true where a token may look, its own conversation's past."""
        return (self.owners[:, :, None] == self.owners[:, None, :]).tril()[:, None]


def block(template: Template, seed: int, number: int, length: int) -> Rows:
    """The conversations of one block, packed and shuffled. What does not fit a row at all is left out."""
    rendered = [template.example(data) for _, data in islice(conversations(f"{seed}/{number}"), BLOCK)]
    prompt_share = PROMPT_SHARE if number < EARLY_BLOCKS else LATER_PROMPT_SHARE
    fitting = sorted((one for one in rendered if len(one.ids) <= length), key=lambda one: -len(one.ids))
    rows: list[list[int]] = []
    room: list[int] = []
    for index, one in enumerate(fitting):
        at = next((at for at, free in enumerate(room) if free >= len(one.ids)), len(rows))
        if at == len(rows):
            rows.append([])
            room.append(length)
        rows[at].append(index)
        room[at] -= len(one.ids)
    Random(f"{seed}/{number}/rows").shuffle(rows)
    tokens = torch.full((len(rows), length), template.pad)
    owners = torch.zeros(len(rows), length, dtype=torch.long)
    shares = torch.zeros(len(rows), length)
    for row, members in enumerate(rows):
        at = 0
        for owner, index in enumerate(members, start=1):
            one = fitting[index]
            end = at + len(one.ids)
            tokens[row, at:end] = torch.tensor(one.ids)
            owners[row, at:end] = owner
            shares[row, at + 1 : end] = torch.tensor([1.0 if said else prompt_share for said in one.trained[1:]])
            at = end
    return Rows(tokens, owners, shares)


def batches(rows: Rows, size: int) -> Iterator[Rows]:
    """`size` rows at a time; a rest that does not make a whole batch is left out."""
    for start in range(0, len(rows.tokens) - size + 1, size):
        part = slice(start, start + size)
        yield Rows(rows.tokens[part], rows.owners[part], rows.shares[part])
