"""Whether a folder holds a causal language model that can be used here, judged without torch and transformers.

Hostile until shown otherwise: every file is looked at with bounds, nothing leads out of the folder, weights are
safetensors alone, and code that comes with a model is never run. Knows no engine and no network.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.engine.hugging_face import architectures, safetensors_header
from lib.errors import EngineError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
MOST_JSON_BYTES = 64_000_000
MOST_ENTRIES = 10_000
MOST_WEIGHT_FILES = 1_000
CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")
TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json")
OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that was found good. `parameters` counts numbers in its weights, `weight_bytes` their size on disk.

    `context` is the longest conversation in tokens that config.json speaks of, None where it names none.
    """

    path: Path
    model_type: str
    architecture: str
    parameters: int
    weight_bytes: int
    context: int | None
    config: Mapping[str, Any]
    weights: tuple[Path, ...]


def examine(folder: Path) -> ModelFolder:
    """Look at a folder. Raises EngineError with what is wrong and what to do. Reads headers, no weights."""
    try:
        root = folder.resolve(strict=True)
        entries = _entries(root)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise EngineError(
            f"The folder {folder} cannot be read: {why}.", "Name a folder that is there and that you may read."
        ) from error
    for entry in entries:
        _check_place(root, entry)
    names = {entry.name for entry in entries}
    if CONFIG_FILE not in names:
        raise EngineError(
            f"The folder {folder} has no {CONFIG_FILE}: it is not a model in Hugging Face's form.",
            "Name the folder that holds config.json, the weights and the tokenizer.",
        )
    config = _object(root / CONFIG_FILE)
    model_type, architecture = judge(config)
    _check_tokenizer(folder, names)
    weights = _weights(root, names)
    counted = [tensor for path in weights for tensor in safetensors_header.tensors(path)]
    parameters = sum(tensor.elements for tensor in counted if tensor.dtype in safetensors_header.FLOATS)
    if not parameters:
        raise EngineError(f"The weights in {folder} hold no numbers that could be trained.", "Use another copy of it.")
    return ModelFolder(
        path=root,
        model_type=model_type,
        architecture=architecture,
        parameters=parameters,
        weight_bytes=sum(path.stat().st_size for path in weights),
        context=_context(config),
        config=config,
        weights=weights,
    )


def has_chat_template(folder: Path) -> bool:
    """Whether a model brings a chat template of its own; one that does not is spoken to in ChatML (see `chat`)."""
    if any((folder / name).is_file() for name in TEMPLATE_FILES):
        return True
    settings = folder / "tokenizer_config.json"
    try:
        return settings.is_file() and bool(_object(settings).get("chat_template"))
    except EngineError:
        return False


def judge(config: Mapping[str, Any]) -> tuple[str, str]:
    """The model type and the architecture that a config.json names. Raises EngineError for what is not used here."""
    model_type, named = config.get("model_type"), config.get("architectures")
    if not isinstance(model_type, str) or not isinstance(named, list) or not named or not isinstance(named[0], str):
        raise EngineError(
            f"{CONFIG_FILE} names no model_type and architectures.", "Name the folder of a whole model, not of a part."
        )
    known, architecture = architectures.known(), named[0]
    if model_type not in known:
        if "auto_map" in config:
            raise EngineError(
                f"The model type {model_type[:60]!r} needs code that comes with the model (auto_map in {CONFIG_FILE}), "
                "and such code is never run here.",
                "Choose a model that transformers knows by itself.",
            )
        raise EngineError(
            f"The model type {model_type[:60]!r} is none that the installed transformers can train to write text.",
            "Choose a causal language model, or update Etude.",
        )
    if architecture not in known.values():
        raise EngineError(
            f"The architecture {architecture[:60]!r} is not a causal language model.",
            f"For {model_type[:60]} that would be {known[model_type]}.",
        )
    if config.get("quantization_config"):
        raise EngineError(
            "The weights are quantized, and quantized weights cannot be trained here.",
            "Use a copy of the model whose weights are float32, float16 or bfloat16.",
        )
    return model_type, architecture


def chosen_weights(names: set[str]) -> str:
    """Of a folder's names, the one by which its weights are found. Raises EngineError without safetensors."""
    for name in (WEIGHTS_FILE, INDEX_FILE):
        if name in names:
            return name
    other = sorted(name for name in names if name.endswith(OTHER_WEIGHTS))
    if other:
        raise EngineError(
            f"The weights are kept as {other[0][:80]}, and only safetensors are read: other forms can hold code.",
            "Use a copy of the model with model.safetensors.",
        )
    raise EngineError(f"There are no weights ({WEIGHTS_FILE}).", "Copy or download the model again.")


def check_tokenizer_names(names: set[str]) -> None:
    """Raise EngineError unless a tokenizer that needs no further package is among the names of a folder's files."""
    if "tokenizer.json" not in names and not {"vocab.json", "merges.txt"} <= names:
        raise EngineError(
            "There is no tokenizer (tokenizer.json).", "Add the tokenizer's files, or use another copy of the model."
        )


def shards(index: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that an index of weights names. Raises EngineError for names that are not plain."""
    named = index.get("weight_map")
    if not isinstance(named, dict) or not named or not all(isinstance(name, str) for name in named.values()):
        raise EngineError(f"{INDEX_FILE} names no files of weights.", "Copy or download the model again.")
    found = tuple(sorted(set(named.values())))
    if len(found) > MOST_WEIGHT_FILES:
        raise EngineError(f"{INDEX_FILE} names {len(found):,} files; at most {MOST_WEIGHT_FILES:,} are read.")
    for name in found:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise EngineError(
                f"{INDEX_FILE} names {name[:80]!r}, which is not a safetensors file of this folder.",
                "Use another copy of the model.",
            )
    return found


def _entries(root: Path) -> list[Path]:
    found = []
    for entry in root.iterdir():
        found.append(entry)
        if len(found) > MOST_ENTRIES:
            raise EngineError(
                f"The folder {root} holds more than {MOST_ENTRIES:,} files.", "Name a model's own folder."
            )
    return sorted(found)


def _check_place(root: Path, entry: Path) -> None:
    """Nothing may lead out of the folder, except into the files that a hub's cache keeps for the same model."""
    try:
        real = entry.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as error:
        raise EngineError(
            f"{entry.name[:80]} in the folder leads nowhere.", "Copy or download the model again.", raw=str(error)
        ) from error
    in_cache = root.parent.name == "snapshots" and real.is_relative_to(root.parent.parent / "blobs")
    if not real.is_relative_to(root) and not in_cache:
        raise EngineError(
            f"{entry.name[:80]} in the folder is a link that leads out of it.",
            "Copy the file itself into the folder.",
        )
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise EngineError(f"{entry.name[:80]} in the folder is not a file.", "Take it out of the folder.")


def _weights(root: Path, names: set[str]) -> tuple[Path, ...]:
    name = chosen_weights(names)
    found = (name,) if name == WEIGHTS_FILE else shards(_object(root / name))
    missing = [name for name in found if name not in names]
    if missing:
        raise EngineError(
            f"{len(missing)} of {len(found)} files of weights are missing, such as {missing[0][:80]}.",
            "Copy or download the model again.",
        )
    return tuple(root / name for name in found)


def _check_tokenizer(folder: Path, names: set[str]) -> None:
    try:
        check_tokenizer_names(names)
    except EngineError as error:
        raise EngineError(f"The folder {folder} has no tokenizer (tokenizer.json).", error.todo) from error


def _object(path: Path) -> Mapping[str, Any]:
    """A file that holds one JSON object."""
    try:
        size = path.stat().st_size
        if size > MOST_JSON_BYTES:
            raise EngineError(f"{path.name} has {size:,} bytes; at most {MOST_JSON_BYTES:,} are read.")
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(
            f"{path.name} cannot be read as JSON.", "Copy or download the model again.", raw=str(error)[:500]
        ) from error
    if not isinstance(held, dict):
        raise EngineError(f"{path.name} is not a JSON object.", "Copy or download the model again.")
    return held


def _context(config: Mapping[str, Any]) -> int | None:
    text = config.get("text_config")
    for held in (config, text if isinstance(text, dict) else {}):
        for name in CONTEXT_NAMES:
            value = held.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None
