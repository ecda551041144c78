"""Changes of a preference pair as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.dataset.editing.where import Data, messages_at, with_messages


def swap(data: Mapping[str, Any]) -> Data:
    """The pair with the preferred answer and the other one in each other's places, under the keys it has.

    Raises DataError when one of them is no list.
    """
    preferred, other = messages_at(data, "preferred"), messages_at(data, "non_preferred")
    return with_messages(with_messages(data, "preferred", other), "non_preferred", preferred)
