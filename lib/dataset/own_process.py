"""What a process of Etude's own gets from this one: enough to run at all, and neither keys nor tokens nor proxies.

Knows no module that it runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command(module: str, *words: str) -> list[str]:
    """The command that runs a module of Etude, from ROOT."""
    return [sys.executable, "-m", module, *words]


def environment() -> dict[str, str]:
    """The environment of such a process, which computes in one thread."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | ONE_THREAD
