"""Which process of a training this one is, where several share it: as `torchrun` says in the environment.

It knows the environment only, so that nothing need be loaded to ask.
"""

from __future__ import annotations

import os

RANK_SETTING = "RANK"
SIZE_SETTING = "WORLD_SIZE"
LOCAL_RANK_SETTING = "LOCAL_RANK"
LOCAL_SIZE_SETTING = "LOCAL_WORLD_SIZE"


def rank() -> int:
    """The number of this process, from 0; 0 for one that is alone. The first one writes everything that is written."""
    return _number(RANK_SETTING, 0)


def size() -> int:
    """How many processes share the training."""
    return max(1, _number(SIZE_SETTING, 1))


def local_rank() -> int:
    """The number of this process among those on this machine: which of its GPUs is for it."""
    return _number(LOCAL_RANK_SETTING, rank())


def local_size() -> int:
    """How many of the processes share this machine, and with it its cores."""
    return max(1, _number(LOCAL_SIZE_SETTING, size()))


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else default
