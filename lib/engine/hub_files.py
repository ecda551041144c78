"""Which files of a model on a hub are fetched: weights as safetensors, and the small files that say how to read them.

Code and pickles are never among them. Knows names and sizes, and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lib.engine.hugging_face.folder import (
    CONFIG_FILE,
    MOST_JSON_BYTES,
    MOST_WEIGHT_FILES,
    check_tokenizer_names,
    chosen_weights,
)
from lib.errors import EngineError

HUB_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
# In the model's own folder, not in one below it, where other forms of the same model are kept.
PLAIN = re.compile(r"[\w.-]{1,128}", re.ASCII)
READABLE = (".json", ".jinja")
TEXTS = frozenset({"merges.txt", "vocab.txt", "tokenizer.model"})


def is_hub_id(text: str) -> bool:
    """Whether a text is written like the id of a model on a hub."""
    return bool(HUB_ID.fullmatch(text)) and ".." not in text and "--" not in text


def small_files(sizes: Mapping[str, int]) -> list[str]:
    """What is fetched first: config, tokenizer, template, index. `sizes` has every file of the model, in bytes.

    Raises EngineError for a model that has no weights or tokenizer that could be used here.
    """
    names = {name for name in sizes if PLAIN.fullmatch(name)}
    if CONFIG_FILE not in names:
        raise EngineError(f"The model has no {CONFIG_FILE} at the hub.", "Choose a model in Hugging Face's form.")
    chosen_weights(names)
    check_tokenizer_names(names)
    found = sorted(name for name in names if name.endswith(READABLE) or name in TEXTS)
    if len(found) > MOST_WEIGHT_FILES:
        raise EngineError(f"The model has {len(found):,} small files; at most {MOST_WEIGHT_FILES:,} are fetched.")
    for name in found:
        if sizes[name] > MOST_JSON_BYTES:
            raise EngineError(f"{name} has {sizes[name]:,} bytes; at most {MOST_JSON_BYTES:,} are read.")
    return found


def checked_weights(names: tuple[str, ...], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The files of weights, all of which the model must have. Raises EngineError."""
    missing = [name for name in names if name not in sizes or not PLAIN.fullmatch(name)]
    if missing:
        raise EngineError(
            f"{len(missing)} of {len(names)} files of weights are missing at the hub, such as {missing[0][:80]}.",
            "Choose another model.",
        )
    return names
