"""Which model folders may be loaded, and which kind of model each holds: by what its files say.

A folder that a training sealed must be whole; a base model of the repository needs no manifest, since git keeps it
whole, and a base that a person added is examined instead. It knows folders, not who asks for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lib.engine import built_in, sealed
from lib.engine.model import Learning, Model
from lib.engine.settings import BASES

if TYPE_CHECKING:
    import tiktoken

CONFIG_FILE, ADAPTER_FILE = "config.json", "adapter_config.json"
MOST_BYTES = 64_000_000


def load(folder: Path, learning: Learning | None = None, encoding: tiktoken.Encoding | None = None) -> Model:
    """The model in `folder`: to answer, or to learn as `learning` says. `encoding` is for built-in networks alone.

    Raises EngineError when it is not whole, damaged, no model, cannot learn in this way, or needs more memory than is
    free.
    """
    if not is_hugging_face(folder):
        if folder.resolve().parent != BASES:
            sealed.check(folder)
        return built_in.load(folder, learning, encoding=encoding)
    # Imported here, because it takes seconds and the built-in network does without.
    from lib.engine.hugging_face import answering, loading

    return loading.learner(folder, learning) if learning else answering.Answering().model(folder)


def is_hugging_face(folder: Path) -> bool:
    """Whether a folder holds a model in Hugging Face's form: a whole one, or an adapter."""
    config = folder / CONFIG_FILE
    if not config.exists():
        return (folder / ADAPTER_FILE).is_file()
    try:
        said = json.loads(config.read_bytes()) if config.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and "architecture" not in said
