"""Small model folders made without torch: a config, a tokenizer's file and weights of nothing but zeros."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG: Mapping[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "max_position_embeddings": 256,
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 32,
}
TENSORS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "model.embed_tokens.weight": ("BF16", (32, 8)),
    "model.norm.weight": ("F32", (8,)),
}
WIDTHS = {"BF16": 2, "F16": 2, "F32": 4, "I64": 8}


def safetensors(tensors: Mapping[str, tuple[str, tuple[int, ...]]] = TENSORS) -> bytes:
    """A file that holds these tensors, by type and shape."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, (dtype, shape) in tensors.items():
        size = WIDTHS[dtype]
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, place + size]}
        place += size
    return with_header(json.dumps(header).encode(), place)


def with_header(header: bytes, room: int) -> bytes:
    """A file with this header and so many zeros behind it."""
    return struct.pack("<Q", len(header)) + header + bytes(room)


def make(folder: Path, *, config: Any = None, weights: bytes | None = None) -> Path:
    """A folder that is found good, with another config or other weights where given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG if config is None else config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(safetensors() if weights is None else weights)
    return folder
