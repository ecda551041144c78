"""How much memory an arrival takes: a file is never in memory as a whole, as it is or converted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# The file itself is mapped, and its pages are the system's to take back; what counts is what is not.
MEASURE = """
import json, sys, threading, time
from pathlib import Path
from lib.dataset.arrival.arrival import Arrival
from lib.dataset.arrival.given import Given
from lib.dataset.arrival.question import Answer
from lib.workspace.database import Workspace

kind, home = sys.argv[1], Path(sys.argv[2])
asked, said = "q " * 500, "a " * 500
native = {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
line = json.dumps(native if kind == "native" else {"instruction": asked, "output": said})
ws = Workspace.open(home / "home")


def held():
    words = Path("/proc/self/status").read_text().split("RssAnon:")[1].split()
    return int(words[0]) * 1024


def peak(megabytes):
    path = home / f"{megabytes}.jsonl"
    with path.open("w") as file:
        for number in range(megabytes * 2**20 // len(line)):
            file.write(line.replace("q", str(number), 1) + "\\n")
        file.write("{oops\\n")
    most = 0
    arrival = Arrival(ws, [Given(path.name, path)]).start()
    while arrival.now.phase not in ("done", "failed", "stopped"):
        question = arrival.now.question
        if question is not None:
            arrival.answer(Answer(tuple(one.conversion for one in getattr(question, "files", ()))))
        most = max(most, held())
        time.sleep(0.005)
    assert arrival.now.phase == "done", arrival.now
    return most


# Blocks of lines take what they take, once.
first = peak(30)
print(peak(90) - first)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory is taken")
@pytest.mark.parametrize("kind", ["native", "converted"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURE, kind, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 0.3 * 60 * 2**20
