"""Adapters: small matrices beside those of a base model, which learn in its place (LoRA, arXiv 2106.09685), by peft.

A folder with an adapter is in peft's own form, beside a file that names its base model and by what it is known again.
It knows folders and peft, no conversations and no training.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.engine import sealed
from lib.engine.hugging_face import safetensors_header
from lib.engine.hugging_face.folder import CONFIG_FILE, ModelFolder
from lib.engine.hugging_face.memory import RANK
from lib.errors import EngineError

CONFIG, WEIGHTS, BASE = "adapter_config.json", "adapter_model.safetensors", "base.json"

# Twice the rank is what most published adapters use: the rate that suits one rank then suits others.
ALPHA = 32
# All matrices but the output's: with fewer the same rate learns less (arXiv 2305.14314, section 4). No dropout, so that
# an interrupted training goes on with the same numbers; a few epochs on a small file do not need it.
TARGETS, DROPOUT = "all-linear", 0.0

MOST_RANK = 512
MOST_BYTES = 1_000_000
SAMPLES, SAMPLE_BYTES = 16, 65_536


@dataclass(frozen=True, slots=True)
class Kept:
    """An adapter on disk: where it lies, its base model's folder, and the mark by which that is known again."""

    folder: Path
    base: Path
    mark: str
    config: LoraConfig


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter rather than a whole model."""
    return (folder / CONFIG).is_file() and not (folder / CONFIG_FILE).exists()


def find(folder: Path) -> Kept:
    """The adapter in a folder, without its weights. Raises EngineError when it is not one that Etude made."""
    sealed.check(folder)
    config, base = _object(folder / CONFIG), _object(folder / BASE)
    rank, targets = config.get("r"), config.get("target_modules")
    if (
        config.get("peft_type") != "LORA"
        or not isinstance(rank, int)
        or not 1 <= rank <= MOST_RANK
        or not isinstance(config.get("lora_alpha"), int | float)
        or not isinstance(targets, list)
        or not all(isinstance(target, str) for target in targets)
        or not isinstance(base.get("folder"), str)
        or not isinstance(base.get("mark"), str)
    ):
        raise EngineError(f"The adapter in {folder.name} is none that Etude made.", "Use another checkpoint.")
    return Kept(folder, Path(base["folder"]), base["mark"], _config(targets, rank, config["lora_alpha"]))


def begin(network: Any, seed: int) -> PeftModel:
    """A network with a fresh adapter that learns, its matrices drawn with the seed; it answers as it did before."""
    torch.manual_seed(seed)
    with _quiet():
        return get_peft_model(network, _config(TARGETS, RANK, ALPHA))


def attach(network: Any, kept: Kept, name: str = "default", *, learns: bool = False) -> PeftModel:
    """A network with a kept adapter as well, under a name. Raises EngineError when it does not fit."""
    for tensor in safetensors_header.tensors(kept.folder / WEIGHTS):
        if len(tensor.shape) != 2 or kept.config.r not in tensor.shape:
            raise EngineError(f"The adapter in {kept.folder.name} is damaged.", "Use another checkpoint.")
    try:
        weights = load_file(kept.folder / WEIGHTS)
        with _quiet():
            if isinstance(network, PeftModel):
                network.add_adapter(name, kept.config)
                made = network
            else:
                made = get_peft_model(network, kept.config, adapter_name=name)
            fitted: Any = set_peft_model_state_dict(made, weights, adapter_name=name)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise EngineError(
            f"The adapter in {kept.folder.name} does not fit the model {kept.base.name}.",
            "Use the model that it was trained on.",
            raw=str(error)[:2000],
        ) from error
    expected = set(get_peft_model_state_dict(made, adapter_name=name, save_embedding_layers=False))
    if fitted.unexpected_keys or expected != set(weights):
        raise EngineError(
            f"The adapter in {kept.folder.name} does not fit the model {kept.base.name}.",
            "Use the model that it was trained on.",
        )
    made.set_adapter(name, inference_mode=not learns)
    return made


def save(network: PeftModel, base: ModelFolder, mark: str, folder: Path) -> None:
    """Write the adapter that learns into a folder: in peft's form, and what names the base model."""
    weights: dict[str, Tensor] = get_peft_model_state_dict(network, save_embedding_layers=False)
    save_file({name: held.detach().cpu().contiguous() for name, held in weights.items()}, folder / WEIGHTS)
    config = network.peft_config["default"].to_dict()
    config |= {"inference_mode": True, "base_model_name_or_path": str(base.path)}
    config["target_modules"] = sorted(config["target_modules"])
    _write(folder / CONFIG, {name: list(held) if isinstance(held, set) else held for name, held in config.items()})
    _write(folder / BASE, {"folder": str(base.path), "mark": mark})


def mark_of(base: ModelFolder) -> str:
    """By what a base model is known again: its config, and of each file of weights the size, header and some samples.

    To read all of a large model would take minutes each time it is loaded.
    """
    mark = hashlib.sha256((base.path / CONFIG_FILE).read_bytes())
    for path in base.weights:
        size = path.stat().st_size
        mark.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            header = int.from_bytes(file.read(safetensors_header.LENGTH_BYTES), "little")
            mark.update(file.read(header))
            for number in range(SAMPLES):
                file.seek(header + (size - header) * number // SAMPLES)
                mark.update(file.read(SAMPLE_BYTES))
    return mark.hexdigest()


def check_base(kept: Kept, base: ModelFolder) -> str:
    """The mark of the base model. Raises EngineError when it is not the one that the adapter was trained on."""
    mark = mark_of(base)
    if mark != kept.mark:
        raise EngineError(
            f"The model {base.path.name} is not what it was when {kept.folder.name} was trained on it.",
            "Put the earlier files back, or train again.",
        )
    return mark


def _quiet() -> warnings.catch_warnings[None]:
    """What peft and transformers think of each other's names is of no use to a person."""
    return warnings.catch_warnings(action="ignore")


def _config(targets: str | list[str], rank: int, alpha: Any) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=alpha,
        target_modules=targets,
        lora_dropout=DROPOUT,
        bias="none",
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path.name} is larger than {MOST_BYTES:,} bytes")
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(
            f"The file {path.name} of an adapter cannot be read.", "Use another checkpoint.", raw=str(error)
        ) from error
    if not isinstance(held, dict):
        raise EngineError(f"The file {path.name} of an adapter is not a JSON object.", "Use another checkpoint.")
    return held


def _write(path: Path, held: dict[str, Any]) -> None:
    path.write_text(json.dumps(held, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
