"""A Hugging Face model as training and answering ask for it: a base, whole or with one of its adapters at work.

It knows a base, adapters and a chat template, no job and no request.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from lib.engine.hugging_face import adapter
from lib.engine.hugging_face.base import Base, trainable
from lib.engine.hugging_face.chat import Chat
from lib.engine.hugging_face.memory import remembered_per_token
from lib.engine.model import Memory

# The learning rates for one example a step, as shares of the built-in network's: 1e-4 for adapters, 1e-5 for all
# weights. Adapters want about ten times the rate of all weights; both are what published recipes for batches of 4 to 16
# come to, since the rate grows with the root of the batch size (train/descent.py).
ADAPTER_RATE, WHOLE_RATE = 0.1, 0.01

PROBED_TOKENS = 4


class Remembered:
    """A memory of one conversation, as transformers keeps it."""

    def __init__(self, config: Any) -> None:
        self.held = DynamicCache(config=config)

    @property
    def length(self) -> int:
        """Tokens read so far."""
        return int(self.held.get_seq_length())


class Shared:
    """A base in memory, which answers as itself or with any of its adapters: one is at work at a time."""

    def __init__(self, base: Base, chat: Chat, mark: str) -> None:
        self.base = base
        self.chat = chat
        self.mark = mark
        self.peft: Any = None
        self.decoder: Any = base.network.get_decoder()
        self.head: Any = base.network.get_output_embeddings()
        self._at_work: str | None = None
        self.reads_whole = not self._gives_hidden_states()

    def use(self, name: str | None) -> None:
        """Put the adapter of this name to work, or none."""
        if name == self._at_work or self.peft is None:
            return
        if name is None:
            self.peft.base_model.disable_adapter_layers()
        else:
            if self._at_work is None:
                self.peft.base_model.enable_adapter_layers()
            self.peft.set_adapter(name, inference_mode=True)
        self._at_work = name

    @torch.inference_mode(False)
    def add(self, kept: adapter.Kept, name: str) -> None:
        """Load an adapter beside those that are there. Raises EngineError when it does not fit."""
        self.peft = adapter.attach(self.peft or self.base.network, kept, name)
        # A new adapter leaves others as they were, at work or not; from here on it is known that none is.
        self.peft.base_model.disable_adapter_layers()
        self._at_work = None

    def forget(self, name: str) -> None:
        """Let go of an adapter."""
        if self.peft is None or name not in self.peft.peft_config:
            return
        other = next((held for held in self.peft.peft_config if held != name), None)
        # peft must not go on to think that an adapter is at work which is gone.
        self.use(other)
        if other is None:
            self.peft.base_model.unload()
            self.peft = None
        else:
            self.peft.delete_adapter(name)

    @torch.no_grad()
    def _gives_hidden_states(self) -> bool:
        """Whether the decoder's output through the head alone is what the whole model says; tried on a few tokens.

        Some architectures scale or bend their scores after the head; then the whole model is asked each time.
        """
        tokens = torch.arange(PROBED_TOKENS, device=self.base.device.device)[None]
        if self.head is None or self.decoder is self.base.network:
            return False
        ask: Any = self.base.network
        told = ask(input_ids=tokens, use_cache=False).logits
        made = self.head(self.decoder(input_ids=tokens, use_cache=False).last_hidden_state)
        return made.shape == told.shape and torch.allclose(made.float(), told.float(), rtol=1e-3, atol=1e-3)


class LanguageModel:
    """A shared base with the adapter `name` at work, or as it is. `learns` says which of its weights are trained."""

    def __init__(self, shared: Shared, name: str | None = None, learns: str | None = None) -> None:
        self.template = shared.chat
        self.rate = WHOLE_RATE if learns == "full" else ADAPTER_RATE
        self.shared = shared
        self.name = name
        self._learns = learns
        base = shared.base
        # Where weights that learn are float32, products are still taken in the device's own numbers.
        self._mixes = bool(learns) and base.device.numbers != torch.float32

    @property
    def vocabulary(self) -> int:
        """The number of ids that are scored."""
        return self.template.vocabulary

    @property
    def context(self) -> int:
        """The longest sequence in tokens."""
        return self.template.context

    @property
    def device(self) -> torch.device:
        """Where tokens are read."""
        return self.shared.base.device.device

    @property
    def bytes_per_token(self) -> int:
        """What a memory of a conversation grows by with each token."""
        base = self.shared.base
        return remembered_per_token(base.found.config, base.device.bytes_per_number)

    def read(self, tokens: Tensor, cache: Memory | None = None) -> Tensor:
        """Hidden states (rows, length, width), or scores where the architecture gives them only all at once."""
        assert cache is None or isinstance(cache, Remembered)
        if not self._learns:
            self.shared.use(self.name)
        held = cache.held if cache else None
        with self._numbers():
            tokens = tokens.to(self.device)
            if self.shared.reads_whole:
                scores: Tensor = self.shared.base.network(
                    input_ids=tokens, cache=held, use_cache=cache is not None
                ).logits
                return scores
            hidden: Tensor = self.shared.decoder(
                input_ids=tokens, cache=held, use_cache=cache is not None
            ).last_hidden_state
            return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary (…, vocabulary) in float32, for what `read` gave."""
        if self.shared.reads_whole:
            return hidden.float()
        with self._numbers():
            scores: Tensor = self.shared.head(hidden)
        return scores.float()

    def weights(self) -> dict[str, nn.Parameter]:
        """The weights that a training changes: those of the adapter, or all."""
        return trainable(self.shared.base.network)

    def save(self, folder: Path) -> None:
        """Write the adapter with the name of its base, or the whole model."""
        if self.shared.peft is not None:
            adapter.save(self.shared.peft, self.shared.base.found, self.shared.mark, folder)
        else:
            self.shared.base.save(folder)

    def cache(self) -> Remembered:
        """An empty memory for one conversation."""
        return Remembered(self.shared.base.network.config)

    def _numbers(self) -> contextlib.AbstractContextManager[Any]:
        if not self._mixes:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.shared.base.device.numbers)
