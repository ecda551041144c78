"""Given files: found by their path, copied in blocks, and swept away when the process that copied them was killed."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from lib.dataset.arrival.given import BLOCK, FOLDER, STALE_SECONDS, Given, copied, folder, on_this_machine, sweep
from lib.errors import ArrivalStopped, UnreadableFile


def test_a_path_is_taken_as_people_paste_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a b.jsonl"
    path.write_bytes(b"x")
    monkeypatch.setenv("HOME", str(tmp_path))
    for typed in (str(path), f' "{path}"\n', f"'{path}'", f"file://{path}", "~/a b.jsonl"):
        assert on_this_machine(typed) == Given("a b.jsonl", path)


@pytest.mark.parametrize("typed", ["", "  ", "/nowhere/at/all", "\0", "x" * 5000, "~nobody-is-called-so/a"])
def test_a_path_without_a_file_is_a_sentence(typed: str) -> None:
    with pytest.raises(UnreadableFile):
        on_this_machine(typed)


def test_a_folder_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="folder"):
        on_this_machine(str(tmp_path))


@pytest.mark.parametrize("form", ["bytes", "stream", "path"])
def test_a_copy_has_the_bytes_and_their_hash(tmp_path: Path, form: str) -> None:
    content = os.urandom(2 * BLOCK + 7)
    path = tmp_path / "given"
    path.write_bytes(content)
    stream = io.BytesIO(content)
    stream.seek(5)
    forms: dict[str, Path | bytes | BinaryIO] = {"bytes": content, "stream": stream, "path": path}
    given = Given("a", forms[form])
    heard: list[tuple[int, int]] = []
    sha256 = copied(given, tmp_path / "copy", lambda done, total: heard.append((done, total)))
    assert (tmp_path / "copy").read_bytes() == content
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert heard == [(BLOCK, len(content)), (2 * BLOCK, len(content)), (len(content), len(content))]


def test_a_file_that_is_gone_meanwhile_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"a\.jsonl"):
        copied(Given("a.jsonl", tmp_path / "gone"), tmp_path / "copy", lambda done, total: None)


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="pipe"):
        copied(Given("a", tmp_path / "pipe"), tmp_path / "copy", lambda done, total: None)


def test_a_folder_is_gone_however_its_block_ends(tmp_path: Path) -> None:
    with suppress(ArrivalStopped), folder(tmp_path) as place:
        (place / "half").write_bytes(b"x")
        assert place.stat().st_mode & 0o077 == 0
        raise ArrivalStopped("Stopped.")
    assert not list((tmp_path / FOLDER).iterdir())


def test_what_somebody_works_in_is_not_swept(tmp_path: Path) -> None:
    with folder(tmp_path) as place:
        (place / "half").write_bytes(b"x")
        assert sweep(tmp_path, 1e12) == 0
        assert (place / "half").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from lib.dataset.arrival.given import folder
with folder(Path(sys.argv[1])) as place:
    (place / "half").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list((tmp_path / FOLDER).iterdir())
    with folder(tmp_path) as place:
        assert sweep(tmp_path, 0.0) == 1
        assert list((tmp_path / FOLDER).iterdir()) == [place]


def test_half_kept_files_are_swept_only_when_nobody_writes_to_them_any_more(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    half, whole = tmp_path / "files" / "a.tmp", tmp_path / "files" / ("0" * 64)
    for path in (half, whole):
        path.write_bytes(b"x")
        os.utime(path, (1000.0, 1000.0))
    assert sweep(tmp_path, 1000.0 + STALE_SECONDS / 2) == 0
    assert half.exists()
    assert sweep(tmp_path, 1000.0 + 2 * STALE_SECONDS) == 1
    assert not half.exists()
    assert whole.exists()
