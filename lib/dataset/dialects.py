"""One example in the format of another tool, as rules and repairs ask about it: see lib.dataset.convert.dialects."""

from __future__ import annotations

from lib.dataset.convert.dialects import DIALECTS, Dialect, converted, left_out, recognise

__all__ = ["DIALECTS", "Dialect", "converted", "left_out", "recognise"]
