"""Hugging Face models that answer: each base once in memory, with the adapters of those fine-tunes that were asked.

A fine-tune is its base with its adapter at work, so that many of them cost little more than one. It knows folders, not
what is done with the models.
"""

from __future__ import annotations

import gc
import itertools
import weakref
from collections import OrderedDict
from pathlib import Path

from lib.engine.hugging_face import loading

# isort: split
from lib.engine.hugging_face import adapter
from lib.engine.hugging_face.language_model import LanguageModel, Shared

# Adapters that stay when nothing is asked of them: base, fine-tune and its checkpoints can be compared without loading
# anything twice.
MOST_ADAPTERS = 16


class Answering:
    """Models by their folders. What an answer still uses stays in memory until it is done."""

    def __init__(self, most_adapters: int = MOST_ADAPTERS) -> None:
        self._most = most_adapters
        self._bases: OrderedDict[Path, Shared] = OrderedDict()
        self._tuned: OrderedDict[Path, LanguageModel] = OrderedDict()
        self._numbers = itertools.count(1)

    def model(self, folder: Path) -> LanguageModel:
        """The model in `folder`, a base, a whole fine-tune or an adapter. Raises EngineError when it cannot be used."""
        if not adapter.is_adapter(folder):
            return LanguageModel(self._base(folder))
        known = self._tuned.pop(folder, None)
        if known is None:
            kept = adapter.find(folder)
            shared = self._base(kept.base)
            adapter.check_base(kept, shared.base.found)
            name = f"kept-{next(self._numbers)}"
            shared.add(kept, name)
            known = LanguageModel(shared, name)
            weakref.finalize(known, shared.forget, name)
        else:
            self._bases.move_to_end(known.shared.base.found.path)
        self._tuned[folder] = known
        while len(self._tuned) > self._most:
            self._tuned.popitem(last=False)
        return known

    def _base(self, folder: Path) -> Shared:
        path = folder.resolve()
        known = self._bases.pop(path, None)
        if known is None:
            while self._bases and not loading.fits(path):
                self._put_away()
            known = loading.share(path)
        self._bases[path] = known
        return known

    def _put_away(self) -> None:
        """Let go of the base that was asked least lately, with its adapters."""
        path, _ = self._bases.popitem(last=False)
        for folder in [folder for folder, model in self._tuned.items() if model.shared.base.found.path == path]:
            del self._tuned[folder]
        gc.collect()
