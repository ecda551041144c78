"""Changes of what stands beside the messages: fields that a grader reads, and keys that a service refuses.

Knows no grader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.dataset.editing.where import Data
from lib.dataset.example import NON_PREFERRED, PREFERRED, SUPERVISED_KEYS
from lib.errors import DataError

# What the format itself reads has an editor of its own.
OF_THE_FORMAT = SUPERVISED_KEYS | {"input", *PREFERRED, *NON_PREFERRED}


def extra_fields(data: Mapping[str, Any]) -> Data:
    """The fields that the format itself does not know, in their order."""
    return {name: value for name, value in data.items() if name not in OF_THE_FORMAT}


def set_field(data: Mapping[str, Any], name: str, value: Any) -> Data:
    """The example with another value of an extra field, or with one more field, any JSON value.

    Raises DataError for a name that is empty or belongs to the format.
    """
    if not name.strip():
        raise DataError("A field needs a name.", "Graders read it as {{ item.name }}.")
    if name in OF_THE_FORMAT:
        raise DataError(f"“{name}” belongs to the format of an example.", "Choose another name for the field.")
    return {**data, name: value}


def delete_field(data: Mapping[str, Any], name: str) -> Data:
    """The example without an extra field. Raises DataError when there is none of this name."""
    if name not in extra_fields(data):
        raise DataError(f"The example has no extra field “{name}”.", "Load the page again.")
    return {key: value for key, value in data.items() if key != name}
