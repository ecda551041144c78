"""The models that are in memory: loaded when first asked for, the least used put away when there are too many.

It knows folders and models, not what is done with them.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from lib.engine import weights
from lib.engine.model import Model

if TYPE_CHECKING:
    import tiktoken

    from lib.engine.hugging_face.answering import Answering

# 24 MB each: base, fine-tuned model and its checkpoints can be compared without loading anything twice.
MOST_MODELS = 8


class Shelf:
    """At most `most` built-in models, over `encoding` if it is given, and the Hugging Face models that fit."""

    def __init__(self, encoding: tiktoken.Encoding | None = None, most: int = MOST_MODELS) -> None:
        self._encoding = encoding
        self._most = most
        self._models: OrderedDict[Path, Model] = OrderedDict()
        self._hugging_face: Answering | None = None

    def model(self, folder: Path) -> Model:
        """The model in `folder`. Raises EngineError when the folder is not whole or not a model."""
        known = self._models.pop(folder, None)
        if known is None and weights.is_hugging_face(folder):
            return self._others().model(folder)
        known = known or weights.load(folder, encoding=self._encoding)
        self._models[folder] = known
        while len(self._models) > self._most:
            self._models.popitem(last=False)
        return known

    def _others(self) -> Answering:
        if self._hugging_face is None:
            # Imported here, because it takes seconds and the built-in network does without.
            from lib.engine.hugging_face.answering import Answering

            self._hugging_face = Answering()
        return self._hugging_face
