"""The models that are in memory: loaded when first asked for, the least used put away when there are too many.

It knows folders and models, not what is done with them.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import tiktoken

from lib.engine import weights
from lib.engine.model import Model

# 24 MB each: base, fine-tuned model and its checkpoints can be compared without loading anything twice.
MOST_MODELS = 8


class Shelf:
    """At most `most` models; built-in ones are over `encoding`, if it is given."""

    def __init__(self, encoding: tiktoken.Encoding | None = None, most: int = MOST_MODELS) -> None:
        self._encoding = encoding
        self._most = most
        self._models: OrderedDict[Path, Model] = OrderedDict()

    def model(self, folder: Path) -> Model:
        """The model in `folder`. Raises EngineError when the folder is not whole or not a model."""
        known = self._models.pop(folder, None)
        if known is None:
            known = weights.load(folder, encoding=self._encoding)
        self._models[folder] = known
        while len(self._models) > self._most:
            self._models.popitem(last=False)
        return known
