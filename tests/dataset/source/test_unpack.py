from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from contextlib import suppress
from dataclasses import replace

import pytest

from lib.dataset.source.intake import Limits
from lib.errors import UnreadableFile
from tests.dataset.conversations import lines_of, many
from tests.dataset.source.arrivals import arrive

SMALL = replace(Limits(), ratio_from=1 << 16, ratio=20, expanded=1 << 20)
BOMB = b'{"a": "' + b"x" * 900_000 + b'"}\n'


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("packed", [gzip.compress(BOMB), zipped("a.jsonl", BOMB)])
def test_a_bomb_is_refused_by_its_ratio(packed: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"would become more than \d+ MB from"):
        arrive(packed, limits=SMALL)
    assert len(arrive(packed).lines) == 1


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped("a.jsonl", content)])
def test_what_would_be_too_large_is_refused_whatever_its_ratio(pack) -> None:  # type: ignore[no-untyped-def]
    noise = b'{"a": "' + random.Random(1).randbytes(700_000).hex().encode() + b'"}\n'
    with pytest.raises(UnreadableFile, match="would become more than 1 MB"):
        arrive(pack(noise), limits=SMALL)


def test_a_small_file_may_be_as_empty_as_it_likes() -> None:
    assert len(arrive(gzip.compress(b'{"a": "' + b"x" * 60_000 + b'"}'), limits=SMALL).lines) == 1


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_what_stands_before_a_break_comes_in_and_the_break_is_told(keep: float) -> None:
    content = lines_of(many(2000))
    packed = gzip.compress(content)
    arrival = arrive(packed[: int(len(packed) * keep)])
    assert 0 < len(arrival.lines) < 2000
    assert content.startswith(b"\n".join(arrival.lines[:-1]))
    assert arrival.problems == [("archive_damaged", None)]
    spoilt = packed[:-8] + b"\0\0\0\0" + packed[-4:]
    assert arrive(spoilt).problems == [("archive_damaged", None)]
    assert len(arrive(spoilt).lines) == 2000


@pytest.mark.parametrize("content", [b"\x1f\x8b", b"\x1f\x8b\x09\0nonsense", gzip.compress(b'{"a": 1}')[:10]])
def test_a_damaged_archive_without_anything_in_it_is_one_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"damaged or cut off|is empty"):
        arrive(content)


def test_a_damaged_zip_is_one_sentence() -> None:
    packed = zipped("a.jsonl", lines_of(many(50)))
    for at in range(0, len(packed), 7):
        spoilt = packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]
        with suppress(UnreadableFile):
            assert arrive(spoilt).source.kind == "lines"


def test_an_encrypted_zip_is_one_sentence() -> None:
    packed = bytearray(zipped("a.jsonl", b"{}"))
    packed[6] |= 1
    packed[packed.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFile, match="encrypted"):
        arrive(bytes(packed))


def test_an_archive_with_a_huge_directory_is_not_read() -> None:
    packed = bytearray(zipped("a.jsonl", b"{}"))
    struct.pack_into("<L", packed, packed.rfind(b"PK\x05\x06") + 12, 1 << 30)
    with pytest.raises(UnreadableFile, match="too many files"):
        arrive(bytes(packed))
