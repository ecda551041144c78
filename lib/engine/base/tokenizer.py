"""Makes the encoding etude_4k from the corpus: `python -m lib.engine.base.tokenizer` writes its pack for lib.tokens.

Byte-level BPE, so that any text can be encoded. Digits stand alone, and a capital letter begins a token without the
space before it, so that a name has one form in prose and between quotes: that is what lets a small network copy it. It
needs the `tokenizers` package of requirements-dev.txt; nothing at run time does.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lib.engine.base.corpus.mixture import conversations

NAME = "etude_4k"
PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)(?!\p{L})| ?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|[\p{Lu}\p{Lt}]+[\p{Ll}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}\p{M}]+|\s+(?!\S)|\s+"
)
VOCABULARY = 4096
SPECIAL = ("<|begin|>", "<|start|>", "<|message|>", "<|end|>", "<|call|>", "<|args|>", "<|pad|>")
SPARE = 9
ROLES = ("system", "user", "assistant", "tool", "developer", "function")
SEED, CONVERSATIONS = 4096, 60_000


def texts() -> Iterator[str]:
    """What the merges are learned from: made conversations, and the names of the roles, which must be whole tokens."""
    for _, data in islice(conversations(SEED), CONVERSATIONS):
        yield from ROLES
        for message in data["messages"]:
            yield message.get("content") or json.dumps(message.get("tool_calls"))


def learn(source: Iterable[str], size: int) -> Any:
    """A `tokenizers.Tokenizer` with `size` tokens, the 256 bytes first and then in the order of their merges."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        max_token_length=24,
    )
    tokenizer.train_from_iterator(source, trainer)
    return tokenizer


def ranked(tokenizer: Any) -> list[bytes]:
    """The bytes of each token, in the order of the ids: what tiktoken calls ranks."""
    byte_of = _bytes_of_letters()
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [bytes(byte_of[letter] for letter in token) for token, _ in vocabulary]


def write(tokens: list[bytes], folder: Path) -> None:
    """Write NAME.tiktoken and NAME.json, which `lib.tokens.encodings` reads."""
    ranks = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    names = (*SPECIAL, *(f"<|spare_{number}|>" for number in range(1, SPARE + 1)))
    described = {
        "pat_str": PATTERN,
        "special_tokens": {name: len(tokens) + number for number, name in enumerate(names)},
        "sha256": hashlib.sha256(ranks).hexdigest(),
    }
    (folder / f"{NAME}.tiktoken").write_bytes(ranks)
    (folder / f"{NAME}.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def _bytes_of_letters() -> dict[str, int]:
    """The byte that each letter of the alphabet of GPT-2 stands for: bytes that print stand for themselves."""
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(byte): byte for byte in printing}
    others = [byte for byte in range(256) if byte not in printing]
    return letters | {chr(256 + number): byte for number, byte in enumerate(others)}


if __name__ == "__main__":
    write(ranked(learn(texts(), VOCABULARY - len(SPECIAL) - SPARE)), Path(__file__).parents[2] / "tokens" / "packs")
