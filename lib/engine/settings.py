"""What an engine is started with: places, programs and bounds, all with their reasons.

Knows no route and no row.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASES = Path(__file__).parent / "base"

# What a child process needs to run at all. Everything else stays behind: keys of services, tokens, proxies.
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "ETUDE_TRAIN_THREADS",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an engine is given. `trainer` gets the job's folder as its last argument; times are in seconds."""

    home: Path
    port: int = 0
    idle_exit: float | None = None
    bases: tuple[Path, ...] = (BASES,)
    trainer: tuple[str, ...] = (sys.executable, "-m", "lib.engine.train")
    answerer: tuple[str, ...] = (sys.executable, "-m", "lib.engine.answer")


def child_environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of trainer and answering process: the few names of INHERITED, and where `lib` is."""
    kept = {name: given[name] for name in INHERITED if name in given}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
