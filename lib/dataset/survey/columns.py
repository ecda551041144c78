"""What a survey keeps of every example: one row each in a few arrays of numbers, some forty bytes in all.

Knows how rows are added, replaced and stored; what the numbers mean stands in facts.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.survey.answers import answer_kind
from lib.dataset.survey.facts import Facts

TYPES: dict[str, Any] = {
    "tokens": np.int32,
    "trained": np.int32,
    "size": np.int32,
    "messages": np.uint16,
    "roles": np.uint8,
    "same": np.int64,
    "prompt": np.int64,
    "system": np.int64,
    "answer": np.uint8,
}
MOST_MESSAGES = 65_535


@dataclass(frozen=True, slots=True)
class Columns:
    """The facts of all examples, by position.

    `size` is the length of the line in bytes, `answer` what answers.py calls the last answer; the others see Facts.
    """

    tokens: npt.NDArray[np.int32]
    trained: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]
    messages: npt.NDArray[np.uint16]
    roles: npt.NDArray[np.uint8]
    same: npt.NDArray[np.int64]
    prompt: npt.NDArray[np.int64]
    system: npt.NDArray[np.int64]
    answer: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.same)

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[Any] | npt.NDArray[Any]]) -> Columns:
        """Columns with these values, each as the type it is kept in."""
        return cls(**{name: np.asarray(rows[name], dtype=kind) for name, kind in TYPES.items()})

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """The rows of all parts, one after the other."""
        if not parts:
            return cls.of(dict.fromkeys(TYPES, ()))
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in TYPES})

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The columns by their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def room_for(self, rows: int) -> Columns:
        """A copy that may be written to, with zeros below when there are fewer rows than wanted."""
        made = {}
        for name, held in self.arrays().items():
            made[name] = np.zeros(max(rows, len(held)), held.dtype)
            made[name][: len(held)] = held
        return Columns(**made)

    def put(self, position: int, facts: Facts, size: int) -> None:
        """Write the row at this position (of columns made by room_for)."""
        for name, value in row(facts, size).items():
            getattr(self, name)[position] = value


def row(facts: Facts, size: int) -> dict[str, int]:
    """One example's values, by the names of the columns."""
    return {
        "tokens": facts.tokens,
        "trained": facts.trained,
        "size": size,
        "messages": min(facts.messages, MOST_MESSAGES),
        "roles": facts.roles,
        "same": facts.same,
        "prompt": facts.prompt,
        "system": facts.system,
        "answer": answer_kind(facts.answer),
    }
