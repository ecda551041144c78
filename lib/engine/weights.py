"""Which model folders may be loaded: those that a training sealed, and the base models that come with Etude.

A base model of the repository needs no manifest, since git keeps it whole. It knows folders, not who asks for them.
"""

from __future__ import annotations

from pathlib import Path

from lib.engine import network, sealed
from lib.engine.settings import BASES


def load(folder: Path) -> network.Network:
    """The network in `folder`, in float32. Raises EngineError when it is not whole, damaged, or no such folder."""
    if folder.resolve().parent != BASES:
        sealed.check(folder)
    return network.load(folder)
