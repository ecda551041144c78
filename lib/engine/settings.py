"""What an engine is started with: places, programs and bounds, all with their reasons.

Knows no route and no row.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

BASES = Path(__file__).parent / "base"
# The longest conversation that the built-in base reads, in tokens.
CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an engine is given. `trainer` and `downloader` get a folder as last argument; times are in seconds."""

    home: Path
    port: int = 0
    idle_exit: float | None = None
    bases: tuple[Path, ...] = (BASES,)
    trainer: tuple[str, ...] = (sys.executable, "-m", "lib.engine.train")
    answerer: tuple[str, ...] = (sys.executable, "-m", "lib.engine.answer")
    downloader: tuple[str, ...] = (sys.executable, "-m", "lib.engine.hub_download")
