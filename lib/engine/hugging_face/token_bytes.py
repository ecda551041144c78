"""The bytes that each token of a tokenizer adds to a text, so that an answer can be shown piece by piece.

Three kinds of tokenizers are read exactly: byte-level, SentencePiece with bytes for rare characters, and added tokens;
of any other a token is what it is decoded to alone. It knows tokens, no templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Set
from functools import cache

from transformers import PreTrainedTokenizerBase

BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def reader(tokenizer: PreTrainedTokenizerBase, marks: Set[int]) -> Callable[[int], bytes]:
    """A function from an id to its bytes. Those in `marks` have none: they are no text."""
    decoder = json.dumps(json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder"))
    is_byte_level = '"ByteLevel"' in decoder
    is_sentence_piece = "\\u2581" in decoder
    added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
    of_character = byte_level_alphabet()

    def read(token: int) -> bytes:
        if token in marks:
            return b""
        if token in added:
            return added[token].encode()
        if not is_byte_level and not is_sentence_piece:
            return str(tokenizer.decode([token])).encode()
        spelled = tokenizer.convert_ids_to_tokens(token)
        if not isinstance(spelled, str):
            return b""
        if is_byte_level:
            return b"".join(of_character.get(one, one.encode()) for one in spelled)
        byte = BYTE.fullmatch(spelled)
        return bytes([int(byte[1], 16)]) if byte else spelled.replace("▁", " ").encode()

    return read


@cache
def byte_level_alphabet() -> dict[str, bytes]:
    """The character by which byte-level tokenizers spell each byte: GPT-2's, published with it.

    Bytes that print stand for themselves; the others take the characters from 256 on, in order.
    """
    printed = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printed]
    spelled = {chr(byte): bytes([byte]) for byte in printed}
    return spelled | {chr(256 + place): bytes([byte]) for place, byte in enumerate(others)}
