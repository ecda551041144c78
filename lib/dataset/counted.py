"""The tokens of a version's examples as far as they were counted before: from the survey that is kept beside its file.

Opening a version on Data counts it; `count` does so without. Knows no price and no edits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lib.dataset.shelf import Version, open_lines
from lib.dataset.survey import kept
from lib.dataset.survey.second_reader import second_reader
from lib.dataset.survey.survey import survey
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace

Counts = npt.NDArray[np.int32]


def counted(ws: Workspace, version: Version, encoding: str) -> Counts | None:
    """The tokens of each example, uncut, by position; None when this version was not counted in this encoding."""
    # Asked before the file is opened, which takes a while where it is long.
    if not any((ws.home / kept.FOLDER).glob(f"{version.sha256}-*")):
        return None
    surveyed = kept.load(ws, version.sha256, encoding, version.method, open_lines(ws, version))
    return None if surveyed is None else surveyed.columns.tokens


def count(
    ws: Workspace, version: Version, counter: BatchCounter, progress: Callable[[int], None] | None = None
) -> Counts:
    """Count the tokens of each example, and keep the survey. `progress` hears how many are done; it may raise."""
    lines = open_lines(ws, version)
    with second_reader(lines.size, counter.name) as second:
        surveyed = survey(lines, method=version.method, counter=counter, progress=progress, second=second)
    kept.save(ws, version.sha256, surveyed)
    return surveyed.columns.tokens


def epoch(version: Version, tokens: Counts, limit: int | None = None) -> int:
    """What one epoch of a version bills: its training examples, each cut at `limit`."""
    cut = tokens if limit is None else np.minimum(tokens, limit)
    return int(cut.sum(where=~version.validation.mask(len(tokens)), dtype=np.int64))
