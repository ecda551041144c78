"""What training and answering ask of a model, whichever kind it is: the built-in network or a Hugging Face folder.

A model reads token ids, scores the vocabulary, speaks through its own template, and writes what a checkpoint holds. It
knows no job, no example and no request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from lib.engine.template import CallForm, Rendered, Reply

# Which weights a training changes: small matrices beside the model's own (low-rank adaptation), or all of them.
Learned = Literal["lora", "full"]


@dataclass(frozen=True, slots=True)
class Learning:
    """How a model is going to learn. `weights` None is what suits its kind; `seed` decides all that is random.

    `context` is the longest sequence in tokens, where the model's own is not shorter. `tokens_at_once` is what goes
    through the model together at most, padding included: memory is asked for that much before anything is loaded.
    """

    weights: Learned | None = None
    seed: int = 0
    context: int | None = None
    tokens_at_once: int = 2048


class Memory(Protocol):
    """What a model remembers of the tokens of one conversation, so that the next one costs one step."""

    @property
    def length(self) -> int:
        """Tokens read so far."""
        ...


class ChatTemplate(Protocol):
    """How conversations become ids, and ids an answer.

    `context` is the most ids a sequence may have, `pad` fills up rows, and any id in `ends` ends an answer. `barred`
    are ids that an answer must not contain; `barred_without_tools` those that only a conversation with tools may.
    """

    context: int
    pad: int
    ends: frozenset[int]
    barred: frozenset[int]
    barred_without_tools: frozenset[int]

    @property
    def call_form(self) -> CallForm | None:
        """How calls are spelled, None when the template knows none."""
        ...

    def example(self, data: Mapping[str, Any]) -> Rendered:
        """A training example, cut at the end to the context. Raises DataError for one that cannot be rendered."""
        ...

    def billed(self, data: Mapping[str, Any], rendered: Rendered) -> int:
        """The tokens that one epoch of an example is billed as; `rendered` is what `example` made of it."""
        ...

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None) -> list[int]:
        """The ids after which the assistant's next message begins; they may be more than the context."""
        ...

    def calling(self, ids: Sequence[int]) -> bool:
        """Whether the ids of an answer so far are at a tool call, or may be, so that they are not text to be shown."""
        ...

    def reply(self, ids: Sequence[int]) -> Reply:
        """The assistant message that the ids of a whole answer spell."""
        ...

    def bytes_of(self, token: int) -> bytes:
        """The bytes that an id adds to a text."""
        ...


class Model(Protocol):
    """A causal language model. `bytes_per_token` is what a Memory grows by; `rate` multiplies the learning rate.

    Rows are padded on the right and need no mask, since no token sees what follows it.
    """

    @property
    def template(self) -> ChatTemplate: ...
    @property
    def vocabulary(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def bytes_per_token(self) -> int: ...
    @property
    def rate(self) -> float: ...

    def read(self, tokens: Tensor, cache: Memory | None = None) -> Tensor:
        """Hidden states (rows, length, width) of ids (rows, length), which follow what `cache` remembers."""
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary (…, vocabulary) for hidden states (…, width): pass only those you need."""
        ...

    def weights(self) -> dict[str, nn.Parameter]:
        """The weights that a training changes, by name."""
        ...

    def save(self, folder: Path) -> None:
        """Write what a checkpoint holds into `folder`: all weights, or an adapter that names its base model."""
        ...

    def cache(self) -> Memory:
        """An empty memory for one conversation."""
        ...
