"""A Parquet table as lines. Runs in the process of sheet_process.py only: its reader is native code.

Columns may be nested: a list of structs such as messages becomes JSON. Read a batch at a time, so that a row repeated
a million times in the file takes no memory here.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet

from lib.dataset.example import encode
from lib.dataset.source.cells import value_of
from lib.dataset.source.intake import Intake
from lib.errors import UnreadableFile

BATCH_BYTES = 8 << 20
MOST_ROWS = 1024


def take_parquet(path: Path, out: BinaryIO, intake: Intake) -> tuple[tuple[str, ...], array[int]]:
    """Write the rows; return the columns and the number of each row, from 1. Raises UnreadableFile without rows."""
    with pyarrow.parquet.ParquetFile(path, memory_map=True) as file:
        rows = file.metadata.num_rows
        if not rows:
            raise UnreadableFile(f"{intake.name} has no rows.", "Choose a file with cases in it.")
        groups = (file.metadata.row_group(place) for place in range(file.metadata.num_row_groups))
        held = sum(group.total_byte_size for group in groups)
        size = max(1, min(MOST_ROWS, BATCH_BYTES * rows // max(1, held)))
        columns, numbers, number = tuple(file.schema_arrow.names), array("q"), 0
        written = intake.written(path.stat().st_size)
        for batch in file.iter_batches(batch_size=size, use_threads=False):
            intake.at(number, rows)
            for row in batch.to_pylist():
                number += 1
                line = encode(value_of(row)) + b"\n"
                written.add(len(line))
                out.write(line)
                numbers.append(number)
    return columns, numbers
