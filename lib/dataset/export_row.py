"""One example on its way out: where it stands, its bytes, its side."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Row(NamedTuple):
    """`line` counts from 1 over all examples, `raw` are the exact bytes, `held_out` says whether it is validation."""

    line: int
    raw: bytes
    held_out: bool

    @property
    def split(self) -> Literal["training", "validation"]:
        """The name of its side."""
        return "validation" if self.held_out else "training"
