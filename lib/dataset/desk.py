"""The desk: a version with its saved edits as they are now, everything known about it, ready to be looked at.

Follows what is saved, by whichever window or process, and looks again only at what was touched. What it knows can
always be worked out anew from the workspace, so nothing is lost with it. Knows no screen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lib.dataset import drafts
from lib.dataset.assessment import LOOKED_THROUGH, Assessment
from lib.dataset.drafts import Changes, Entry
from lib.dataset.finding import Finding
from lib.dataset.shelf import Version, open_lines
from lib.dataset.survey import kept
from lib.dataset.survey.second_reader import second_reader
from lib.dataset.survey.survey import survey
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace

# Edits that are looked at together. Each batch costs a look at all hashes; each line in it is in memory.
BATCH = 20_000

Progress = Callable[[int], None]


class Desk:
    """The working state of one version. Positions count from 0 and never change: a removed example keeps its own."""

    def __init__(
        self, ws: Workspace, version: Version, *, counter: BatchCounter | None = None, progress: Progress | None = None
    ) -> None:
        """`progress` is called with the number of examples surveyed; what it raises ends the opening."""
        self.version = version
        self._ws = ws
        self._lines = open_lines(ws, version)
        self._lock = threading.RLock()
        encoding = counter.name if counter else None
        surveyed = kept.load(ws, version.sha256, encoding, version.method, self._lines)
        if surveyed is None:
            with second_reader(self._lines.size, encoding) as second:
                surveyed = survey(self._lines, method=version.method, counter=counter, progress=progress, second=second)
            kept.save(ws, version.sha256, surveyed)
        self.encoding = encoding
        self.revision = 0
        self.edited: npt.NDArray[np.bool_] = np.zeros(version.examples, np.bool_)
        held_out = version.validation.mask(version.examples)
        self.assessed = Assessment(surveyed, self.read, counter=counter, held_out=held_out)
        if len(surveyed.columns) <= LOOKED_THROUGH:
            self.look_for_near()
        self.follow()

    def __len__(self) -> int:
        """The number of positions, those of removed examples included."""
        return len(self.assessed)

    def follow(self) -> bool:
        """Take in what was saved since; whether there was anything."""
        with self._lock:
            if drafts.last_revision(self._ws, self.version.id) <= self.revision:
                return False
            batch: dict[int, drafts.Saved] = {}
            for saved in drafts.since(self._ws, self.version.id, self.revision):
                batch[saved.position] = saved
                if len(batch) == BATCH:
                    self._take(batch)
            self._take(batch)
            return True

    def look_for_near(self, progress: Progress | None = None) -> None:
        """Look for near duplicates, and keep that up with every edit from now on."""
        with self._lock:
            self.assessed.look_for_near(self._lines, progress)

    def entries(self, positions: Sequence[int]) -> list[Entry]:
        """These examples as they are saved now, removed ones included, with the revisions that an edit must name."""
        return drafts.entries(self._ws, self.version, positions)

    def read(self, positions: Sequence[int]) -> list[bytes | None]:
        """The lines of these examples as they are saved now; None where one is removed."""
        edited = [int(at) for at in positions if at >= len(self.edited) or self.edited[at]]
        changed = {saved.position: saved.line for saved in drafts.stands(self._ws, self.version, edited)}
        lines = self._lines
        return [
            changed.get(int(at)) if int(at) in changed or at >= len(lines) else lines.raw(int(at)) for at in positions
        ]

    def findings(self, positions: Sequence[int], limit: int | None = None) -> list[list[Finding]]:
        """All findings about each of these examples."""
        with self._lock:
            return self.assessed.findings(positions, limit)

    @property
    def changed(self) -> int:
        """How many examples differ from the version."""
        return int(self.edited.sum())

    @property
    def changes(self) -> Changes:
        """How many examples saving would add, remove and change."""
        end, present = self.version.examples, self.assessed.present
        edited = self.edited[:end]
        removed = int((edited & ~present[:end]).sum())
        return Changes(added=int(present[end:].sum()), removed=removed, changed=int(edited.sum()) - removed)

    def _take(self, batch: dict[int, drafts.Saved]) -> None:
        if not batch:
            return
        places = sorted(batch)
        more = places[-1] + 1 - len(self.edited)
        if more > 0:
            self.edited = np.concatenate([self.edited, np.zeros(more, np.bool_)])
        self.edited[places] = [batch[at].state in ("edited", "removed") for at in places]
        self.assessed.replace(places, [batch[at].line for at in places])
        self.revision = max(self.revision, *(saved.revision for saved in batch.values()))
        batch.clear()
