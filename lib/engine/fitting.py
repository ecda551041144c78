"""Whether an added base model fits into the memory of this machine, asked before a job is made of it.

Main memory alone: what a graphics processor has free only torch can say, and the trainer asks it before it loads
anything. Imports no torch. Knows no route and no row.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lib.engine.bases import Base
from lib.engine.hugging_face import memory
from lib.engine.hugging_face.folder import CONFIG_FILE, examine
from lib.engine.protocol import invalid
from lib.errors import EngineError

Weights = Literal["lora", "full"]

GRAPHICS = (Path("/dev/nvidia0"), Path("/dev/kfd"))
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Memory:
    """The least bytes of memory with which an adapter, or all weights, can be trained, and what is free now.

    `free` is None where a graphics processor trains.
    """

    lora: int
    full: int
    free: int | None


def of(base: Base) -> Memory | None:
    """What a base model needs; None when its folder cannot tell."""
    try:
        at = (base.folder / CONFIG_FILE).stat().st_mtime_ns
        lora, full = _needed(base.folder, at)
    except (OSError, EngineError):
        return None
    return Memory(lora, full, None if _has_graphics() else memory.free_bytes())


def refuse_too_large(base: Base, weights: Weights, *, alone: bool) -> None:
    """Raise Rejected (400), with both figures, when a training cannot fit.

    `alone`: no other job has to end first, so that what is free now is what it would have; otherwise it is held against
    the whole machine.
    """
    found = of(base)
    if found is None or found.free is None:
        return
    room = found.free if alone else all_bytes()
    needed = found.lora if weights == "lora" else found.full
    if needed <= room:
        return
    what = "An adapter for" if weights == "lora" else "All weights of"
    there = f"{memory.gigabytes(room)} GB are free" if alone else f"it has {memory.gigabytes(room)} GB"
    less = ', or train an adapter instead ("weights": "lora")' if weights == "full" and found.lora <= room else ""
    raise invalid(
        "model",
        f"{what} the base model '{base.name}' cannot be trained on this machine: that needs about "
        f"{memory.gigabytes(needed)} GB of memory, and {there}. Choose a smaller model{less}.",
        code="model_too_large",
    )


def all_bytes() -> int:
    """The main memory of this machine, within a limit set on this container."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(MEMORY_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return whole


def _has_graphics() -> bool:
    return any(path.exists() for path in GRAPHICS)


@lru_cache(maxsize=64)
def _needed(folder: Path, changed_at: int) -> tuple[int, int]:
    """What an adapter and all weights need, in bytes. Headers of weights are read once while the folder is as it is."""
    found = examine(folder)
    size = memory.bytes_per_number(found.parameters)
    context = memory.context_of(found)
    lora, full = (
        memory.needed(found, method, context, bytes_per_number=size, sparing=True).total for method in ("lora", "full")
    )
    return lora, full
