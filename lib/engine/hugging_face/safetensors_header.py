"""The header of a safetensors file: which tensors it holds, checked against the file's size before anything is read.

Eight bytes with the header's length, the header as JSON, then the tensors without a gap. Source of the format:
https://github.com/huggingface/safetensors#format. Knows no model and allocates nothing of a tensor's size.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from lib.errors import EngineError

LENGTH_BYTES = 8
# A header of this size names some hundred thousand tensors; safetensors itself takes up to 100 MB.
MOST_HEADER_BYTES = 32_000_000
MOST_DIMENSIONS = 8
MOST_ELEMENTS = 1 << 48
WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
# What holds a parameter of a model; whole numbers and truth values are buffers.
FLOATS = frozenset({"F64", "F32", "F16", "BF16"})


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's name, its type as safetensors calls it, and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def tensors(path: Path) -> tuple[Tensor, ...]:
    """The tensors of a file, in the order of their places. Raises EngineError, with the file's name, for a damaged one.

    Whatever the file says, at most MOST_HEADER_BYTES are read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            if size < LENGTH_BYTES or not 2 <= length <= min(size - LENGTH_BYTES, MOST_HEADER_BYTES):
                raise _damaged(path, f"its header would have {length:,} bytes, and the file has {size:,}")
            raw = file.read(length)
    except OSError as error:
        raise EngineError(f"The file {path.name} cannot be read: {error.strerror or error}.", raw=str(error)) from error
    try:
        header = json.loads(raw, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not an object")
    return _checked(path, header, size - LENGTH_BYTES - length)


def _checked(path: Path, header: Mapping[str, Any], room: int) -> tuple[Tensor, ...]:
    """The tensors, which must fill `room` bytes one after the other."""
    placed: list[tuple[int, int, Tensor]] = []
    for name, said in header.items():
        if name == "__metadata__":
            continue
        tensor = _tensor(path, name, said)
        offsets = said.get("data_offsets")
        if not isinstance(offsets, list) or len(offsets) != 2 or not all(_whole(offset) for offset in offsets):
            raise _damaged(path, f"the place of the tensor {name[:80]!r} is not two numbers")
        placed.append((offsets[0], offsets[1], tensor))
    placed.sort(key=lambda one: one[:2])
    end = 0
    for begin, until, tensor in placed:
        if begin != end or until - begin != tensor.elements * WIDTHS[tensor.dtype]:
            raise _damaged(path, f"the tensor {tensor.name[:80]!r} does not fill its place")
        end = until
    if end != room:
        raise _damaged(path, f"its tensors have {end:,} bytes, and the file has room for {room:,}")
    return tuple(tensor for _, _, tensor in placed)


def _tensor(path: Path, name: str, said: Any) -> Tensor:
    if not isinstance(said, dict):
        raise _damaged(path, f"the tensor {name[:80]!r} is not described by an object")
    dtype, shape = said.get("dtype"), said.get("shape")
    if not isinstance(dtype, str) or dtype not in WIDTHS:
        raise EngineError(
            f"The tensor {name[:80]!r} in {path.name} has the type {str(dtype)[:20]!r}, which cannot be trained.",
            "Use a copy of the model whose weights are float32, float16 or bfloat16.",
        )
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS or not all(_whole(side) for side in shape):
        raise _damaged(path, f"the shape of the tensor {name[:80]!r} is not a short list of numbers")
    tensor = Tensor(name, dtype, tuple(shape))
    if tensor.elements > MOST_ELEMENTS:
        raise _damaged(path, f"the tensor {name[:80]!r} would have {tensor.elements:,} numbers")
    return tensor


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ELEMENTS


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _damaged(path: Path, why: str) -> EngineError:
    return EngineError(f"The file {path.name} is damaged: {why}.", "Copy or download the model again.")
