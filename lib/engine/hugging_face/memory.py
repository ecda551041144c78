"""How much memory a model folder needs to be trained or asked, from config.json and the headers of its weights alone.

An upper bound for the longest sequence, from sizes that Transformers have in common; measured on Llama- and Qwen-style
models it is between once and twice what torch takes. It imports no torch, so a server can ask before it makes a job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.engine.hugging_face import safetensors_header
from lib.engine.hugging_face.folder import ModelFolder
from lib.errors import EngineError

Method = Literal["lora", "full", "answer"]

# The rank of the adapters: what one matrix of m by n learns with is rank * (m + n) numbers.
RANK = 16
# A weight that learns is a float32, its gradient another, and AdamW remembers two for it.
BYTES_PER_LEARNED = 16
# torch, the libraries and the examples themselves.
PROGRAM_BYTES = 600_000_000
# Sequences longer than this are cut, whatever the model could read: memory grows with them. A job may ask for less.
MOST_CONTEXT = 4096
# What goes through the model at once, in tokens, where no single example is longer (train/batches.py).
TOKENS_AT_ONCE = 2048

WIDTH_NAMES = ("hidden_size", "n_embd", "d_model")
DEPTH_NAMES = ("num_hidden_layers", "n_layer", "num_layers")
INNER_NAMES = ("intermediate_size", "n_inner", "ffn_dim", "d_ff")
HEADS_NAMES = ("num_attention_heads", "n_head")


@dataclass(frozen=True, slots=True)
class Needed:
    """Bytes of memory: the weights, what a training adds to them, and what is kept of the tokens on their way."""

    weights: int
    learning: int
    passing: int

    @property
    def total(self) -> int:
        """All of it, with the program itself."""
        return self.weights + self.learning + self.passing + PROGRAM_BYTES


def context_of(model: ModelFolder, asked: int | None = None) -> int:
    """The longest sequence in tokens: the model's own, at most MOST_CONTEXT, and what is asked for where it is less."""
    return min(model.context or MOST_CONTEXT, MOST_CONTEXT, asked or MOST_CONTEXT)


def needed(
    model: ModelFolder,
    method: Method,
    context: int,
    *,
    bytes_per_number: int = 4,
    sparing: bool = False,
    tokens_at_once: int = TOKENS_AT_ONCE,
) -> Needed:
    """What a model needs, in bytes, to learn or to answer with sequences of `context` tokens.

    `bytes_per_number` is 4 for float32 and 2 for bfloat16, in which weights that do not learn are held. `sparing` keeps
    only the beginning of each layer and computes the rest a second time (gradient checkpointing).
    """
    if method == "answer":
        return Needed(
            model.parameters * bytes_per_number, 0, context * remembered_per_token(model.config, bytes_per_number)
        )
    tokens = max(context, tokens_at_once)
    learned = model.parameters if method == "full" else _adapter_numbers(model)
    held = model.parameters * (bytes_per_number if method == "lora" else 0)
    layer = _layer_bytes(model.config, bytes_per_number, adapters=method == "lora")
    depth, width = _size(model.config, DEPTH_NAMES), _size(model.config, WIDTH_NAMES)
    kept = depth * width * bytes_per_number + layer if sparing else depth * layer
    # Scores of a token, their softmax and their gradient; at most all tokens are taught at once.
    scored = _size(model.config, ("vocab_size",)) * (bytes_per_number + 8)
    return Needed(held, learned * BYTES_PER_LEARNED, tokens * (kept + scored))


def remembered_per_token(config: Mapping[str, Any], bytes_per_number: int) -> int:
    """The bytes of the keys and values of one token in all layers."""
    width, heads = _size(config, WIDTH_NAMES), max(1, _size(config, HEADS_NAMES))
    text = _text(config)
    kept, size = text.get("num_key_value_heads"), text.get("head_dim")
    kept = kept if isinstance(kept, int) and 0 < kept <= heads else heads
    size = size if isinstance(size, int) and 0 < size <= width else width // heads
    return 2 * _size(config, DEPTH_NAMES) * kept * size * bytes_per_number


def refuse_what_does_not_fit(model: ModelFolder, method: Method, total: int, free: int, where: str) -> None:
    """Raise EngineError, with both figures, when a model needs more memory than is free."""
    if total <= free:
        return
    doing = {"lora": "Training an adapter of", "full": "Training all weights of", "answer": "Asking"}[method]
    todo = {
        "full": 'Train an adapter instead ("weights": "lora"), or choose a smaller model.',
        "lora": "Choose a smaller model, or close other programs.",
        "answer": "Close other programs, or choose a smaller model.",
    }[method]
    raise EngineError(
        f"{doing} {model.path.name} needs about {gigabytes(total)} GB of {where}, and {gigabytes(free)} GB are free.",
        todo,
    )


def bytes_per_number(parameters: int) -> int:
    """In what a processor computes with weights that do not learn: 2 for bfloat16, 4 for float32.

    Measured (one core with avx512_bf16 and without AMX, 7 to 136 M parameters): bfloat16 trains at 0.55 to 0.6 of the
    speed of float32. So it is taken where there is AMX, or where float32 would fill more than half of the machine. Both
    stay as they are for one machine and model, so that the same seed gives the same numbers.
    """
    try:
        has_tiles = "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        has_tiles = False
    all_of_it = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 2 if has_tiles or parameters * 4 > all_of_it // 2 else 4


def gigabytes(size: int) -> str:
    """A number of bytes in GB with one decimal."""
    return f"{size / 1e9:.1f}"


def free_bytes() -> int:
    """The main memory that programs can still have: what the system says, within a limit set on this container."""
    try:
        said = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        free = int(said["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    return max(0, min(free, limit - used))


def _adapter_numbers(model: ModelFolder) -> int:
    """The numbers of adapters beside every matrix but those of the vocabulary."""
    vocabulary = _size(model.config, ("vocab_size",))
    return sum(
        RANK * sum(tensor.shape)
        for tensor in _tensors(model.weights)
        if len(tensor.shape) == 2 and tensor.name.endswith("weight") and vocabulary not in tensor.shape
    )


def _tensors(paths: Iterable[Path]) -> Iterable[safetensors_header.Tensor]:
    return (tensor for path in paths for tensor in safetensors_header.tensors(path))


def _layer_bytes(config: Mapping[str, Any], size: int, *, adapters: bool) -> int:
    """What a layer keeps of a token until its gradient is taken.

    Twice the stream and its norm (in float32, as every norm computes), queries, keys, values, the mixed and the sum;
    four times the inner width. Beside bfloat16 an adapter keeps a float32 copy of what each matrix is given.
    """
    width = _size(config, WIDTH_NAMES)
    inner = _inner(config, width)
    kept = width * (8 * size + 4 * 4) + 4 * inner * size
    return kept + (4 * (4 * width + inner) if adapters and size < 4 else 0)


def _inner(config: Mapping[str, Any], width: int) -> int:
    held = _text(config)
    found = next((held[name] for name in INNER_NAMES if isinstance(held.get(name), int)), 4 * width)
    # Experts: those a token goes through, each of its own width.
    chosen, own = held.get("num_experts_per_tok"), held.get("moe_intermediate_size", found)
    return max(found, chosen * own) if isinstance(chosen, int) and isinstance(own, int) else int(found)


def _size(config: Mapping[str, Any], names: tuple[str, ...]) -> int:
    held = _text(config)
    found = next((held[name] for name in names if name in held), None)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= 1 << 24:
        raise EngineError(f"The model's config.json says {names[0]} = {found!r}, which cannot be used.")
    return found


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that is about text: models that also see pictures keep it apart."""
    text = config.get("text_config")
    return {**config, **text} if isinstance(text, dict) else config
