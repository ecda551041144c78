"""Which model folders may be loaded, and which kind of model each holds.

A folder that a training sealed must be whole; a base model of the repository needs no manifest, since git keeps it
whole. It knows folders, not who asks for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib.engine import built_in, sealed
from lib.engine.model import Learning, Model
from lib.engine.settings import BASES

if TYPE_CHECKING:
    import tiktoken


def load(folder: Path, learning: Learning | None = None, encoding: tiktoken.Encoding | None = None) -> Model:
    """The model in `folder`: to answer, or to learn as `learning` says. `encoding` is for built-in networks alone.

    Raises EngineError when it is not whole, damaged, no model, or cannot learn in this way.
    """
    if folder.resolve().parent != BASES:
        sealed.check(folder)
    return built_in.load(folder, learning, encoding=encoding)
