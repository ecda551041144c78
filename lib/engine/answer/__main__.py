"""`python -m lib.engine.answer`: requests as JSON lines on standard input, answers as JSON lines on standard output.

When its input ends it finishes what it was asked and ends; when nobody reads its output it ends at once. So it never
outlives the process that started it for long.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Mapping
from typing import Any

import torch

from lib.engine.answer.shelf import Shelf
from lib.engine.answer.turns import Turns


def main() -> int:
    """Answer until the input ends."""
    # One thread: another core trains, or draws the page that a person is looking at.
    torch.set_num_threads(1)
    turns = Turns(Shelf(), _say, sys.stderr)
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), name="listen", daemon=True).start()
    ended = False
    while not (ended and turns.idle):
        while not ended and (turns.idle or not lines.empty()):
            line = lines.get()
            if line is None:
                ended = True
            else:
                turns.take(line)
        turns.turn()
    return 0


def _listen(lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in sys.stdin.buffer:
        if line.strip():
            lines.put(line)
    lines.put(None)


def _say(line: Mapping[str, Any]) -> None:
    try:
        sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
