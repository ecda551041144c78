"""What an example of a version is together with its saved edits: for a screen, and for whoever follows what is saved.

Knows no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib.dataset.example import Example

State = Literal["edited", "removed", "original", "absent"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One example with its edits. `example` is None when it is removed, `original` None when it was added.

    `revision` is what an edit of it must name.
    """

    position: int
    revision: int
    example: Example | None
    original: Example | None

    @property
    def edited(self) -> bool:
        """Whether it differs from the version."""
        # An edit that would leave the line as it is in the version is not kept; so there is no other one to compare.
        return self.example is not self.original


@dataclass(frozen=True, slots=True)
class Saved:
    """How one example stands: `line` is it as one line of JSON, None where there is none.

    `state` is "edited" (or added), "removed", "original" (as in the version), or "absent": it was added, and the adding
    was undone, discarded or saved, so that there is no such position now. `revision` is 0 for an example that was never
    edited; an edit may name it.
    """

    position: int
    revision: int
    state: State
    line: bytes | None


@dataclass(frozen=True, slots=True)
class Changes:
    """How many examples saving would add, remove and change."""

    added: int
    removed: int
    changed: int
