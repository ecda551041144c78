"""The table of metrics is read whatever its wrapping and columns, and adds only what nothing else told."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs import result_file
from lib.runs.metrics import curves
from lib.runs.result_file import rows
from lib.runs.series import Point

TABLE = (
    "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    "1,3.63265,0.5,,\n2,2.5,0.6,2.7,0.55\n3,1.5,0.7,,\n"
)


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.replace("\n", "\r\n").encode(),
        base64.b64encode(TABLE.encode()),
        base64.encodebytes(TABLE.encode()),
        base64.b64encode(TABLE.replace("\n", "\r\n").encode()),
    ],
    ids=["plain", "byte order mark", "crlf", "base64", "base64 in lines", "base64 of crlf"],
)
def test_plain_and_base64_say_the_same(content: bytes) -> None:
    found = curves(result_file.events(content, "file-1", (), 9.0), ())
    assert found.train_loss == (Point(1, 3.63265), Point(2, 2.5), Point(3, 1.5))
    assert found.valid_loss == (Point(2, 2.7),)
    assert found.train_accuracy == (Point(1, 0.5), Point(2, 0.6), Point(3, 0.7))


def test_other_columns_in_another_order_are_read_by_their_names() -> None:
    table = b"elapsed_tokens,full_valid_loss,Step,train_mean_token_accuracy,train_loss\n10,1.5,4,0.4,1.2\n"
    found = curves(result_file.events(table, "file-1", (), 9.0), ())
    assert (found.train_loss, found.full_valid_loss) == ((Point(4, 1.2),), (Point(4, 1.5),))
    assert found.train_accuracy == (Point(4, 0.4),)


def test_known_steps_are_not_told_again() -> None:
    assert [event.data["step"] for event in result_file.events(TABLE.encode(), "file-1", {1, 3}, 9.0)] == [2]


def test_the_same_file_read_twice_gives_the_same_events() -> None:
    assert result_file.events(TABLE.encode(), "f", (), 9.0) == result_file.events(TABLE.encode(), "f", (), 9.0)


def test_a_row_that_was_cut_off_is_left_out() -> None:
    assert [step for step, _ in rows(TABLE.encode()[:-8])] == [1, 2]


@pytest.mark.parametrize("cut", range(0, 140, 7))
def test_base64_that_was_cut_off_keeps_its_whole_rows(cut: int) -> None:
    whole = dict(rows(TABLE.encode()))
    for step, cells in rows(base64.b64encode(TABLE.encode())[:cut]):
        assert cells.items() <= whole[step].items()


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"<html></html>", b"no,table,here", b"step\n", b"step,x\nabc,1"])
def test_what_is_no_table_gives_nothing(content: bytes) -> None:
    assert result_file.events(content, "file-1", (), 9.0) == []


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    assert isinstance(result_file.events(content, "file-1", (), 9.0), list)
