"""A file is there whole or not at all, whatever ends its writing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from lib.engine.whole_file import whole_file
from lib.errors import Rejected, ServiceBroken


def write_half(path: Path, ending: BaseException) -> None:
    with whole_file(path):
        path.write_bytes(b"half")
        raise ending


def test_what_was_written_to_the_end_stays(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a"):
        (tmp_path / "a").write_bytes(b"all")
    assert (tmp_path / "a").read_bytes() == b"all"


def test_a_full_disk_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceBroken, match="No space left on device") as told:
        write_half(tmp_path / "a", OSError(errno.ENOSPC, "No space left on device"))
    assert told.value.status == 500
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("ending", [Rejected("No.", status=400), KeyboardInterrupt()])
def test_whatever_else_ends_it_leaves_nothing_and_goes_on_as_it_is(tmp_path: Path, ending: BaseException) -> None:
    with pytest.raises(type(ending)) as raised:
        write_half(tmp_path / "a", ending)
    assert raised.value is ending
    assert not (tmp_path / "a").exists()
