"""Loads the encodings of the models from files that come with Etude: no network is ever asked.

A pack is `NAME.json` (pattern, special tokens, SHA-256) beside either `NAME.xz` (see packs/build.py) or
`NAME.tiktoken` (tiktoken's own form: a token in base64 and its rank a line). Knows no model and no billing rule.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import lzma
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.errors import EncodingUnavailable

if TYPE_CHECKING:
    import tiktoken

PACKS = Path(__file__).parent / "packs"


@cache
def load(name: str) -> tiktoken.Encoding:
    """The encoding with this name: "o200k_base", "cl100k_base" or "etude_4k". Loaded once in a process.

    Raises EncodingUnavailable when there is no such pack, or when it is not what its SHA-256 says.
    """
    return unpack(PACKS, name)


def rank_file(name: str) -> bytes:
    """The encoding in tiktoken's own form, for another tokenizer to read. The pack must be one that `load` accepts."""
    return b"".join(_rank_lines(_tokens(PACKS, name)))


def unpack(folder: Path, name: str) -> tiktoken.Encoding:
    """The encoding whose pack lies in `folder`. Raises EncodingUnavailable as `load` does."""
    import tiktoken

    try:
        described: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
        tokens = _tokens(folder, name)
        pattern, special = described["pat_str"], described["special_tokens"]
    except FileNotFoundError as error:
        raise EncodingUnavailable(
            f"Etude has no encoding called {name}, so tokens cannot be counted with it.",
            f"Put {Path(error.filename).name} back into {folder}, or install Etude again.",
            raw=str(error),
        ) from error
    except (OSError, ValueError, KeyError, IndexError, lzma.LZMAError, binascii.Error) as error:
        raise _damaged(folder, name, repr(error)) from error
    expected = described.get("sha256")
    if expected and _sha256(tokens) != expected:
        raise _damaged(folder, name, f"SHA-256 is not {expected}")
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)


def _tokens(folder: Path, name: str) -> list[bytes]:
    """All ordinary tokens in the order of their ranks."""
    plain = folder / f"{name}.tiktoken"
    if plain.exists():
        return [base64.b64decode(line.split()[0], validate=True) for line in plain.read_bytes().splitlines()]
    packed = lzma.decompress((folder / f"{name}.xz").read_bytes())
    return _cut(packed)


def _cut(packed: bytes) -> list[bytes]:
    """Cut lengths followed by bytes into tokens. How many there are follows from the lengths adding up to the rest."""
    count, total = 0, 0
    while count + total < len(packed):
        total += packed[count]
        count += 1
    if count + total != len(packed):
        raise ValueError("the lengths do not add up to the bytes")
    tokens: list[bytes] = []
    at = count
    for length in packed[:count]:
        tokens.append(packed[at : at + length])
        at += length
    return tokens


def _sha256(tokens: list[bytes]) -> str:
    """The SHA-256 of the `.tiktoken` file with these tokens: the one that tiktoken itself checks."""
    return hashlib.sha256(b"".join(_rank_lines(tokens))).hexdigest()


def _rank_lines(tokens: list[bytes]) -> Iterator[bytes]:
    return (base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def _damaged(folder: Path, name: str, raw: str) -> EncodingUnavailable:
    return EncodingUnavailable(
        f"The encoding {name} in {folder} is damaged, so tokens cannot be counted with it.",
        "Install Etude again.",
        raw=raw,
    )
