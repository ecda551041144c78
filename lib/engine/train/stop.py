"""When a training must end before its end: a `cancel` file in the job folder, SIGTERM, or the death of its parent.

Whatever the training is doing, the process is gone within two seconds of being asked: if it has not ended by itself it
is ended, which is safe, since nothing that it writes is ever half there. It knows no training.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

CANCEL_FILE = "cancel"
ENGINE_SETTING = "ETUDE_ENGINE_PID"
LOOK_SECONDS = 0.2
GRACE_SECONDS = 1.0


class Stopped(Exception):
    """Somebody asked the training to end: no failure, only the way out of nested work."""


class Stop:
    """The wish to end. `check()` is called between pieces of work, each well under a second."""

    def __init__(self, folder: Path) -> None:
        self._cancel = folder / CANCEL_FILE
        # A parent that dies gives its children another, perhaps before this line: an engine says who it is. Without
        # one it is asked for now. (PR_SET_PDEATHSIG would do the same on Linux, but it also fires when only the
        # parent's thread that started this process ends.)
        engine = os.environ.get(ENGINE_SETTING, "")
        self._parent = int(engine) if engine.isdecimal() else os.getppid()
        self._wanted = threading.Event()

    def watch(self) -> None:
        """Begin to look for the three causes. Only the main thread can call this."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._wanted.set())
        threading.Thread(target=self._look, name="stop", daemon=True).start()

    def check(self) -> None:
        """Raise Stopped if the training must end."""
        if self._wanted.is_set() or self._cancel.exists():
            raise Stopped

    def _look(self) -> None:
        while not self._wanted.wait(LOOK_SECONDS):
            if self._cancel.exists() or os.getppid() != self._parent:
                self._wanted.set()
        threading.Event().wait(GRACE_SECONDS)
        os._exit(0)
