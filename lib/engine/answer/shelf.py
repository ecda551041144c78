"""The models that are in memory: loaded when first asked for, the least used put away when there are too many.

It knows folders and networks, not what is done with them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import tiktoken

from lib.engine import weights
from lib.engine.network import Network
from lib.engine.template import Template
from lib.errors import EngineError

# 24 MB each: base, fine-tuned model and its checkpoints can be compared without loading anything twice.
MOST_MODELS = 8


@dataclass(frozen=True, slots=True)
class Model:
    """A network and how it is spoken to."""

    network: Network
    template: Template


class Shelf:
    """At most `most` models, all over the same encoding."""

    def __init__(self, encoding: tiktoken.Encoding, most: int = MOST_MODELS) -> None:
        self._encoding = encoding
        self._most = most
        self._models: OrderedDict[Path, Model] = OrderedDict()

    def model(self, folder: Path) -> Model:
        """The model in `folder`. Raises EngineError when the folder is not whole or not a model."""
        known = self._models.pop(folder, None)
        if known is None:
            network = weights.load(folder)
            if network.config.vocabulary < self._encoding.n_vocab:
                raise EngineError(f"The model {folder.name} does not know all tokens of {self._encoding.name}.")
            known = Model(network, Template(self._encoding, network.config.context))
        self._models[folder] = known
        while len(self._models) > self._most:
            self._models.popitem(last=False)
        return known
