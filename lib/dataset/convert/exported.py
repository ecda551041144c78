"""The rows of a table that Etude itself exported, as the examples they were.

Knows which columns such a table has; how a row is read back is for lib.dataset.export_csv.
"""

from __future__ import annotations

from lib.dataset.convert.fields import Data, Fields, Unfit, text_of
from lib.dataset.export_csv import COLUMNS, example_of
from lib.dataset.parse import Unparsable

ALWAYS = "line split system question earlier example"


def exported(fields: Fields) -> Data:
    """The example that was written as this row. Raises Unfit when its texts were emptied or its JSON was damaged."""
    method = next((one for one, columns in COLUMNS.items() if all(map(fields.has, columns))), None)
    if method is None:
        raise Unfit("has not all columns that it was exported with")
    taken = {column: fields.take(column) for column in COLUMNS[method]}
    cells = {column: "" if value is None else text_of(value) for column, value in taken.items()}
    if not cells["example"]:
        for column in ("question", "answer", "preferred", "rejected"):
            if not cells.get(column, "x"):
                raise Unfit(f"has nothing in “{column}”")
    try:
        made = example_of(cells)
    except Unparsable as problem:
        raise Unfit(f"has JSON in “example” that cannot be read: {problem.sentence}") from problem
    if not made:
        raise Unfit("has no object in “example”")
    return made
