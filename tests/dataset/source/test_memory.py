"""How much memory an arrival takes: a file ten times as large must not take more than a little."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEASURE = """
import csv, gzip, io, json, resource, sys, tempfile
from pathlib import Path
from lib.dataset.source.source import open_source

kind, megabytes, home = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
one = {"messages": [{"role": "user", "content": "q " * 500}, {"role": "assistant", "content": "a " * 500}]}
line = json.dumps(one)
row = '"' + "q " * 500 + '","' + "a " * 500 + '"'
times = megabytes * 2**20 // len(line)
path = home / "given"
opened = gzip.open(path, "wb", 1) if kind == "gz" else path.open("wb")
with opened as file:
    if kind == "array":
        file.write(b"[" + line.encode())
    if kind == "csv":
        file.write(b"question,answer\\n")
    for _ in range(times):
        text = {"array": "," + line, "csv": row + "\\n"}.get(kind, line + "\\n")
        file.write(text.encode("utf-16-le" if kind == "utf-16" else "utf-8"))
    if kind == "array":
        file.write(b"]")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = open_source(path, "given", home)
assert source.path.stat().st_size > megabytes * 2**20 * 0.8, source
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", ["gz", "array", "utf-16", "csv"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: object) -> None:
    command = [sys.executable, "-c", MEASURE, kind, "60", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 0.6 * 60 * 2**20
