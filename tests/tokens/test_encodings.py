from __future__ import annotations

import base64
import hashlib
import inspect
import json
import shutil
from pathlib import Path

import pytest
import tiktoken.load
from tiktoken_ext import openai_public

from lib.errors import EncodingUnavailable
from lib.tokens.encodings import PACKS, load, unpack
from lib.tokens.packs.build import pack


@pytest.mark.parametrize(("name", "size"), [("o200k_base", 200_019), ("cl100k_base", 100_277)])
def test_an_encoding_loads_from_its_pack_and_asks_no_network(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(tiktoken.load, "read_file", never)
    encoding = unpack(PACKS, name)
    text = "Grüße aus Köln, 12345 <|endoftext|> 東京"
    assert encoding.n_vocab == size
    assert encoding.decode(encoding.encode_ordinary(text)) == text


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_a_pack_is_what_tiktoken_itself_would_accept(name: str) -> None:
    described = json.loads((PACKS / f"{name}.json").read_text(encoding="utf-8"))
    constructor = inspect.getsource(openai_public.ENCODING_CONSTRUCTORS[name])
    assert described["sha256"] in constructor


def test_known_ids_stay_the_same() -> None:
    assert load("cl100k_base").encode_ordinary("hello world") == [15339, 1917]
    assert load("o200k_base").encode_ordinary("hello world") == [24912, 2375]


def test_an_unknown_encoding_is_told_in_a_sentence() -> None:
    with pytest.raises(EncodingUnavailable, match="no encoding called p99k"):
        load("p99k")


def test_a_changed_pack_is_not_used(tmp_path: Path) -> None:
    for ending in ("xz", "json"):
        shutil.copy(PACKS / f"cl100k_base.{ending}", tmp_path)
    described = tmp_path / "cl100k_base.json"
    described.write_text(described.read_text().replace('"sha256": "2239', '"sha256": "0000'))
    with pytest.raises(EncodingUnavailable, match="damaged"):
        unpack(tmp_path, "cl100k_base")


@pytest.mark.parametrize("content", [b"", b"\x00", b"no xz at all"])
def test_a_broken_pack_is_told_and_does_not_crash(tmp_path: Path, content: bytes) -> None:
    shutil.copy(PACKS / "cl100k_base.json", tmp_path)
    (tmp_path / "cl100k_base.xz").write_bytes(content)
    with pytest.raises(EncodingUnavailable, match="damaged"):
        unpack(tmp_path, "cl100k_base")


def test_a_plain_ranks_file_is_read_too(tmp_path: Path) -> None:
    tokens = [bytes([byte]) for byte in range(256)] + [b"ab"]
    ranks = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    (tmp_path / "small.tiktoken").write_bytes(ranks)
    described = {"pat_str": r"\S+|\s+", "special_tokens": {"<|begin|>": 257}}
    (tmp_path / "small.json").write_text(json.dumps(described))
    encoding = unpack(tmp_path, "small")
    assert encoding.encode_ordinary("abba") == [256, 98, 97]
    assert encoding.n_vocab == 258


def test_the_script_packs_what_it_was_packed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    tokens = load("cl100k_base").token_byte_values()
    ranks = tmp_path / "ranks"
    ordered = sorted(tokens, key=load("cl100k_base").encode_single_token)
    ranks.write_bytes(b"".join(base64.b64encode(t) + b" %d\n" % rank for rank, t in enumerate(ordered)))
    packed, described = pack("cl100k_base", ranks, tmp_path)
    assert (
        hashlib.sha256(packed.read_bytes()).digest() == hashlib.sha256((PACKS / "cl100k_base.xz").read_bytes()).digest()
    )
    assert json.loads(described.read_text()) == json.loads((PACKS / "cl100k_base.json").read_text())
