"""Packs an encoding for offline use: `python -m lib.tokens.packs.build NAME RANKS_FILE`.

RANKS_FILE is the `.tiktoken` file of the encoding, from wherever it can be had; tiktoken itself checks its SHA-256.
Writes NAME.xz (the tokens in the order of their ranks: one byte of length for each, then all their bytes) and NAME.json
(the pattern that splits text, the special tokens and the SHA-256 of the `.tiktoken` file, all as tiktoken has them).

Run by hand when an encoding is added. It knows nothing about loading; encodings.py does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"


def pack(name: str, ranks_file: Path, folder: Path = HERE) -> tuple[Path, Path]:
    """Write the pack of encoding `name` into `folder` and return the two files.

    Raises ValueError when tiktoken does not accept the ranks or when they cannot be packed.
    """
    ranks = ranks_file.read_bytes()
    tokens = [base64.b64decode(line.split(b" ")[0]) for line in ranks.splitlines()]
    if [line.split(b" ")[1] for line in ranks.splitlines()] != [str(rank).encode() for rank in range(len(tokens))]:
        raise ValueError(f"The ranks of {name} do not count up from 0, so their order alone cannot carry them.")
    if max(map(len, tokens)) > 255:
        raise ValueError(f"A token of {name} is longer than 255 bytes, which one byte of length cannot say.")
    packed = folder / f"{name}.xz"
    packed.write_bytes(lzma.compress(bytes(map(len, tokens)) + b"".join(tokens), preset=9 | lzma.PRESET_EXTREME))
    described = folder / f"{name}.json"
    described.write_text(json.dumps(_description(name, ranks_file), indent=2) + "\n", encoding="utf-8")
    return packed, described


def _description(name: str, ranks_file: Path) -> dict[str, object]:
    """What tiktoken knows about an encoding besides its ranks."""
    address = ADDRESS.format(name=name)
    with tempfile.TemporaryDirectory() as cache:
        cached = Path(cache) / hashlib.sha1(address.encode()).hexdigest()
        shutil.copy(ranks_file, cached)
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        import tiktoken

        encoding = tiktoken.get_encoding(name)
        # tiktoken deletes a cached file whose SHA-256 is not its own and fetches another.
        if not cached.exists() or cached.read_bytes() != ranks_file.read_bytes():
            raise ValueError(f"{ranks_file} is not the {name} that tiktoken knows.")
    return {
        "pat_str": encoding._pat_str,
        "special_tokens": encoding._special_tokens,
        "sha256": hashlib.sha256(ranks_file.read_bytes()).hexdigest(),
    }


if __name__ == "__main__":
    for written in pack(sys.argv[1], Path(sys.argv[2])):
        print(written.name, written.stat().st_size)
