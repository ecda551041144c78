"""Names of datasets and of their files: what a file that comes in is called, and one that goes out.

A name is only ever shown: of a path nothing but its last part is used. Knows no folder.
"""

from __future__ import annotations

import re

ENDINGS = ("jsonl", "json", "ndjson", "txt", "csv", "tsv", "xlsx", "xlsm", "xlsb", "xls", "parquet", "gz", "zip")
LONGEST = 80


def title_of(file_name: str) -> str:
    """A dataset's name from that of the file it came in."""
    title = file_name.replace("\\", "/").rpartition("/")[2].strip()
    while title.lower().endswith(tuple(f".{ending}" for ending in ENDINGS)) and (stem := title.rpartition(".")[0]):
        title = stem
    return title or "Untitled"


def file_name(dataset_name: str, number: int, part: str, form: str) -> str:
    """What the file with a part of version `number` is called, such as `Tickets v3 training.jsonl`.

    Safe on every system: letters, digits, blanks and single dots and dashes, not longer than a hundred characters.
    """
    plain = re.sub(r"[^\w .-]+", "-", dataset_name)
    plain = re.sub(r"([ .-])[ .-]*", r"\1", plain).strip(" .-")[:LONGEST].strip(" .-") or "dataset"
    return f"{plain} v{number}{'' if part == 'all' else f' {part}'}.{form}"
