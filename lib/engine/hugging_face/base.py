"""A folder's model in memory, loaded by transformers: from safetensors alone, without a network and without its code.

What the config promises is compared with what the weights hold before anything of that size is made. It knows folders,
no adapters and no conversations.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from lib.engine.hugging_face import safetensors_header
from lib.engine.hugging_face.device import Device
from lib.engine.hugging_face.folder import CONFIG_FILE, ModelFolder
from lib.engine.hugging_face.memory import DEPTH_NAMES
from lib.errors import EngineError

# Numbers in a config that decide how many parts are made, and the most that any model has. A part costs time even where
# its weights are not there.
MOST = {"layer": 2_000, "expert": 4_096, "head": 4_096, "position": 20_000_000}
# Learned positions and masks of this length are made whole by older architectures: the square of it in bytes.
MOST_SQUARED = 32_768
SQUARED_TYPES = frozenset({"gpt_neo", "codegen", "gptj", "xglm", "ctrl", "openai-gpt"})

# What goes along with fine-tuned weights, so that their folder is a model by itself.
COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
)
STORED = {"F64": torch.float32, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Base:
    """A model and its tokenizer in memory, on a device, with the folder they came from."""

    found: ModelFolder
    network: Any
    tokenizer: PreTrainedTokenizerBase
    device: Device

    def save(self, folder: Path) -> None:
        """Write all weights, in the numbers that they were stored in, with everything else that makes it a model."""
        stored = _stored(self.found)
        weights = {name: held.detach().to("cpu", stored) for name, held in self.network.state_dict().items()}
        self.network.save_pretrained(folder, state_dict=weights)
        for name in COMPANIONS:
            if (self.found.path / name).is_file():
                shutil.copyfile(self.found.path / name, folder / name)


def load(found: ModelFolder, device: Device, *, numbers: torch.dtype | None = None) -> Base:
    """The model of an examined folder, without dropout, in `numbers` or those of the device.

    Without dropout a step depends on its examples alone, so that a training can go on after any interruption. Raises
    EngineError when the folder does not hold what its config promises.
    """
    quietly: Any = logging.disable_progress_bar
    quietly()
    _check_bounds(found)
    make: Any = AutoModelForCausalLM
    given = {"local_files_only": True, "trust_remote_code": False}
    try:
        # What transformers thinks of a folder's settings is of no use to a person.
        with warnings.catch_warnings(action="ignore"):
            config = AutoConfig.from_pretrained(found.path, **given)
            _without_dropout(config)
            _check_size(found, config)
            network, told = make.from_pretrained(
                found.path,
                config=config,
                dtype=numbers or device.numbers,
                # Said here, because a config may name one that is downloaded as code.
                attn_implementation="eager" if _softcaps(found.config) else "sdpa",
                use_safetensors=True,
                output_loading_info=True,
                **given,
            )
            tokenizer = AutoTokenizer.from_pretrained(found.path, **given)
    except EngineError:
        raise
    except BaseException as error:
        # A folder can make transformers raise anything at all, and the tokenizers' Rust a panic that is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise EngineError(
            f"The model {found.path.name} cannot be loaded ({type(error).__name__}).",
            "Copy or download it again, or choose another.",
            raw=str(error)[:2000],
        ) from error
    missing = sorted(told["missing_keys"]) + sorted(str(one) for one in told["mismatched_keys"])
    if missing:
        raise EngineError(
            f"The weights of {found.path.name} lack {len(missing)} parts of what its {CONFIG_FILE} promises, such as "
            f"{missing[0][:80]}.",
            "Copy or download it again.",
        )
    if not tokenizer.is_fast or len(tokenizer) > network.get_input_embeddings().weight.shape[0]:
        raise EngineError(
            f"The tokenizer of {found.path.name} does not fit its weights.", "Copy or download the model again."
        )
    return Base(found, network.to(device.device).eval(), tokenizer, device)


def _check_bounds(found: ModelFolder) -> None:
    """Raise EngineError for a config that would have an endless number of parts made."""
    if (found.path / "adapter_config.json").exists():
        raise EngineError(
            f"The folder {found.path.name} holds an adapter beside a whole model.", "Take one of the two out of it."
        )
    layers = sum(len(safetensors_header.tensors(path)) for path in found.weights)
    for name, value in _numbers(found.config):
        most = next((most for word, most in MOST.items() if word in name), None)
        if name in DEPTH_NAMES:
            most = min(most or layers, max(layers, 1))
        if found.model_type in SQUARED_TYPES and "position" in name:
            most = MOST_SQUARED
        if most is not None and value > most:
            raise EngineError(
                f"The model's {CONFIG_FILE} says {name} = {value:,}; with these weights it can be {most:,} at most.",
                "Use another copy of the model.",
            )


def _numbers(config: Mapping[str, Any]) -> list[tuple[str, int]]:
    found = []
    for name, value in config.items():
        if isinstance(value, dict):
            found += _numbers(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            found.append((str(name), value))
    return found


def _check_size(found: ModelFolder, config: Any) -> None:
    """Raise EngineError when the config promises more numbers than the weights hold. Nothing is made for them."""
    make: Any = AutoModelForCausalLM
    with torch.device("meta"):
        promised = make.from_config(config, trust_remote_code=False, attn_implementation="eager")
    numbers = sum(weight.numel() for weight in promised.parameters())
    if numbers > found.parameters:
        raise EngineError(
            f"The model's {CONFIG_FILE} promises {numbers:,} numbers, and its weights hold {found.parameters:,}.",
            "Copy or download the model again.",
        )


def _without_dropout(config: Any) -> None:
    for part in (config, *(value for value in vars(config).values() if hasattr(value, "to_dict"))):
        for name, value in vars(part).items():
            if ("dropout" in name or "pdrop" in name) and isinstance(value, float):
                setattr(part, name, 0.0)


def _softcaps(config: Mapping[str, Any]) -> bool:
    """Whether attention scores are bent before their softmax, which the fast attention cannot do."""
    return any("attn_logit_softcapping" in held and held["attn_logit_softcapping"] for held in _parts(config))


def _parts(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [config, *(value for value in config.values() if isinstance(value, dict))]


def _stored(found: ModelFolder) -> torch.dtype:
    """The numbers that most of the weights are stored in."""
    sizes: dict[str, int] = {}
    for path in found.weights:
        for tensor in safetensors_header.tensors(path):
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.elements
    return STORED[max((one for one in sizes if one in STORED), key=sizes.__getitem__)]


def trainable(network: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that learn, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
