"""When a training must end before its end: a `cancel` or `pause` file in the job folder, SIGTERM, or the death of its
parent.

Whatever the training is doing, the process is gone within two seconds of being asked: if it has not ended by itself it
is ended, which is safe, since nothing that it writes is ever half there. It knows no training.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from lib.engine.train import rank

CANCEL_FILE = "cancel"
PAUSE_FILE = "pause"
ENGINE_SETTING = "ETUDE_ENGINE_PID"
LOOK_SECONDS = 0.2
# An engine waits 1.6 seconds before it uses force, and a state that is being kept may need them.
GRACE_SECONDS = 1.4


class Stopped(Exception):
    """Somebody asked the training to end: no failure, only the way out of nested work."""


class Parted(Exception):
    """Another process of the same training is gone. The training can go on from its last kept state."""


class Stop:
    """The wish to end. It is looked at between pieces of work, each well under a second."""

    def __init__(self, folder: Path) -> None:
        self._cancel = folder / CANCEL_FILE
        self._pause = folder / PAUSE_FILE
        # A parent that dies gives its children another, perhaps before this line: an engine says who it is. Without
        # one it is asked for now. (PR_SET_PDEATHSIG would do the same on Linux, but it also fires when only the
        # parent's thread that started this process ends.)
        engine = os.environ.get(ENGINE_SETTING, "")
        self._engine = int(engine) if engine.isdecimal() else None
        alone = rank.size() == 1
        self._parent = self._engine if self._engine is not None and alone else os.getppid()
        self._wanted = threading.Event()

    def watch(self) -> None:
        """Begin to look for the causes. Only the main thread can call this."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._wanted.set())
        threading.Thread(target=self._look, name="stop", daemon=True).start()

    @property
    def wanted(self) -> bool:
        """Whether the training must end."""
        return self._wanted.is_set() or self._asked()

    @property
    def cancelled(self) -> bool:
        """Whether it must end for good, so that nothing need be kept to go on from."""
        return self._cancel.exists()

    def check(self) -> None:
        """Raise Stopped if the training must end."""
        if self.wanted:
            raise Stopped

    def _asked(self) -> bool:
        return self._cancel.exists() or self._pause.exists()

    def _orphaned(self) -> bool:
        if os.getppid() != self._parent:
            return True
        # Several processes of one training are children of `torchrun`, which may outlive the engine.
        return self._engine is not None and self._engine != self._parent and not _is_running(self._engine)

    def _look(self) -> None:
        while not self._wanted.wait(LOOK_SECONDS):
            if self._asked() or self._orphaned():
                self._wanted.set()
        threading.Event().wait(GRACE_SECONDS)
        os._exit(0)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
