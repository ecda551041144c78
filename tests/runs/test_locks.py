"""A name is held by one at a time, and by nobody once its holder is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from lib.runs.locks import held, held_if_free

HOLDER = """
import sys, time
from pathlib import Path
from lib.runs.locks import held
with held(Path(sys.argv[1]), "name"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_thread_waits(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with held(tmp_path, "name"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with held(tmp_path, "name"):
        inside.set()
        with held_if_free(tmp_path, "name") as free:
            assert not free
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_many_threads_never_overlap(tmp_path: Path) -> None:
    within, most = 0, 0

    def work() -> None:
        nonlocal within, most
        for _ in range(50):
            with held(tmp_path, "name"):
                within += 1
                most = max(most, within)
                within -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert list((tmp_path / "locks").iterdir()) == []


def test_other_names_are_free(tmp_path: Path) -> None:
    with held(tmp_path, "one"), held_if_free(tmp_path, "two") as free:
        assert free


def test_a_holder_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdout is not None
    with holder.stdout:
        holder.stdout.readline()
        with held_if_free(tmp_path, "name") as free:
            assert not free
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with held_if_free(tmp_path, "name") as free:
            assert free
