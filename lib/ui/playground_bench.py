"""Measures models on held-out examples in a thread, one after the other, and keeps what came of it in the workspace.

Touches no screen. One measurement runs at a time; whoever looks, in whichever tab, sees how far it is and can stop it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import EtudeError
from lib.playground.held_out import Item, Measurement, Outcome, Share, measure
from lib.services.connection import Connection
from lib.workspace.database import Workspace

log = logging.getLogger(__name__)

MISTAKES = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to be measured; `key` tells it from the others that are kept for the same data."""

    key: str
    connection: Connection
    model: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """How far a measurement is: which model, and how many of its examples are answered."""

    model: str
    done: int
    of: int
    right: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one model reached. `mistakes` are a few wrong answers, `problem` why examples went unanswered."""

    exact: Share
    fields: Mapping[str, Share]
    asked: int
    stopped: bool
    problem: str | None
    mistakes: tuple[tuple[str, str], ...]
    measured_at: float

    @property
    def unanswered(self) -> int:
        """How many examples have no whole answer."""
        return self.asked - self.exact.of


class Bench:
    """The place where models of one workspace are measured."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._under_way: UnderWay | None = None

    @property
    def under_way(self) -> UnderWay | None:
        """How far the measurement is, None when none runs."""
        return self._under_way if self._thread is not None and self._thread.is_alive() else None

    def start(self, version_id: str, candidates: Sequence[Candidate], items: Sequence[Item], max_tokens: int) -> None:
        """Measure these models; nothing happens while another measurement runs."""
        if self.under_way is not None:
            return
        self._stop.clear()
        self._under_way = UnderWay(candidates[0].model, 0, len(items), 0)
        values = (version_id, tuple(candidates), tuple(items), max_tokens)
        self._thread = threading.Thread(target=self._measure, args=values, name="measurement", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the measurement; what was answered is kept."""
        self._stop.set()

    def results(self, version_id: str) -> dict[str, Result]:
        """What is kept for the held-out examples of a version, by the candidate's key."""
        kept: dict[str, Any] = self._ws.setting(_name(version_id), {})
        return {key: _read(row) for key, row in kept.items()}

    def _measure(
        self, version_id: str, candidates: Sequence[Candidate], items: Sequence[Item], max_tokens: int
    ) -> None:
        for candidate in candidates:
            if self._stop.is_set():
                return
            self._under_way = UnderWay(candidate.model, 0, len(items), 0)
            try:
                found = measure(
                    candidate.connection,
                    candidate.model,
                    items,
                    max_tokens=max_tokens,
                    progress=self._progress,
                    stop=self._stop,
                )
                self._keep(version_id, candidate.key, found)
            except EtudeError as error:
                log.info("Measuring %s: %s", candidate.model, error)
                return

    def _progress(self, done: int, of: int, outcome: Outcome) -> None:
        before = self._under_way
        if before is not None:
            self._under_way = UnderWay(before.model, done, of, before.right + outcome.right)

    def _keep(self, version_id: str, key: str, found: Measurement) -> None:
        wrong = [one for one in found.answered if not one.right]
        row = {
            "exact": _pair(found.exact),
            "fields": {name: _pair(share) for name, share in found.fields.items()},
            "asked": found.examples,
            "stopped": found.stopped,
            "problem": str(found.failed[0].problem) if found.failed else None,
            "mistakes": [[one.expected, one.text] for one in wrong[:MISTAKES]],
            "measured_at": self._ws.clock(),
        }
        if found.outcomes:
            kept = self._ws.setting(_name(version_id), {})
            self._ws.set_setting(_name(version_id), {**kept, key: row})


def _name(version_id: str) -> str:
    return f"measured {version_id}"


def _pair(share: Share) -> list[int]:
    return [share.right, share.of]


def _read(row: Mapping[str, Any]) -> Result:
    return Result(
        exact=Share(*row["exact"]),
        fields={name: Share(*pair) for name, pair in row["fields"].items()},
        asked=row["asked"],
        stopped=row["stopped"],
        problem=row["problem"],
        mistakes=tuple((expected, text) for expected, text in row["mistakes"]),
        measured_at=row["measured_at"],
    )
