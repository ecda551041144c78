"""One example as the tokens that are billed for it: which are trained on, which are masked, which are cut off.

The sums are those of the billing rule (lib.tokens.billing) for whatever stands in an example, and those of a survey
(survey/facts.py) for what is trained on. Tools are read first, then the messages, as a model reads them: where an
example is cut, its last tokens go. Knows no price and no screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lib.dataset.example import NON_PREFERRED, PREFERRED, raw_messages
from lib.tokens.billing import LISTS_OF_MESSAGES, PER_EXAMPLE, PER_IMAGE, PER_MESSAGE, PER_NAME
from lib.tokens.counting import counter
from lib.tokens.encodings import load
from lib.tokens.tool_text import tools_text

if TYPE_CHECKING:
    import tiktoken

Part = Literal["example", "message", "name", "content", "image", "call", "tools"]
FRAME: frozenset[Part] = frozenset({"example", "message", "name", "image"})

# Of a longer text the first so many characters are shown token by token; the rest is one piece with its number.
LONGEST_SHOWN = 200_000
# The last tokens before that place might end elsewhere in the whole text.
UNSURE = 16

Ids = npt.NDArray[np.uint32]
NONE: Ids = np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Tokens that belong together: the frame of a message, its text, a call, the list of tools.

    `where` is the key of the list in which the message stands ("" for what belongs to the whole example), `index` its
    place there, `role` what it is called. `ids` are the tokens one by one; `tokens` may be more, where the text is too
    long to be shown, and for a frame, which has none. `trained`: the model learns to write this.
    """

    part: Part
    where: str
    index: int
    role: str
    trained: bool
    ids: Ids
    tokens: int

    @property
    def pieces(self) -> int:
        """As how many pieces it is shown: one a token, and one for what is not shown."""
        return len(self.ids) + (self.tokens > len(self.ids))


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands on the screen as one: a token and its text, or several without one (a frame, an image, a rest).

    `stretch` is the number of the stretch it is of. `cut`: the model does not read it, and nobody is billed for it.
    """

    stretch: int
    text: str
    tokens: int
    trained: bool
    cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class TokenView:
    """All tokens of an example in the order in which they are read. `limit` is where the example is cut."""

    stretches: tuple[Stretch, ...]
    encoding: str
    limit: int | None

    @property
    def tokens(self) -> int:
        """How many tokens there are, those included that are cut."""
        return sum(one.tokens for one in self.stretches)

    @property
    def billed(self) -> int:
        """How many are billed for one epoch: what `billing.example_tokens` says."""
        return self.tokens if self.limit is None else min(self.tokens, self.limit)

    @property
    def cut(self) -> int:
        """How many are cut off."""
        return self.tokens - self.billed

    @property
    def frame(self) -> int:
        """How many are billed and are no text."""
        return sum(one.tokens for one in self.stretches if one.part in FRAME)

    @property
    def trained(self) -> int:
        """How many the model learns to write and reads to the end: those that are cut are left out."""
        begins = accumulate((one.tokens for one in self.stretches), initial=0)
        read = self.billed
        return sum(
            max(0, min(one.tokens, read - begun))
            for begun, one in zip(begins, self.stretches, strict=False)
            if one.trained
        )

    @property
    def pieces(self) -> int:
        """As how many pieces all of it is shown."""
        return sum(one.pieces for one in self.stretches)

    def page(self, start: int, stop: int) -> Iterator[Piece]:
        """The pieces from `start` up to `stop`, without what stands before being made."""
        encoding = load(self.encoding)
        place = token = 0
        for number, stretch in enumerate(self.stretches):
            if place >= stop:
                return
            first, last = max(start - place, 0), min(stop - place, stretch.pieces)
            for at in range(first, last):
                shown = at < len(stretch.ids)
                yield Piece(
                    number,
                    _text(encoding, int(stretch.ids[at])) if shown else "",
                    1 if shown else stretch.tokens - len(stretch.ids),
                    stretch.trained,
                    self.limit is not None and token + at >= self.limit,
                )
            place, token = place + stretch.pieces, token + stretch.tokens


def token_view(data: Mapping[str, Any], encoding: str, limit: int | None = None) -> TokenView:
    """The tokens of this example in this encoding. Raises EncodingUnavailable."""
    return TokenView(tuple(_Reader(encoding).read(data)), encoding, limit)


class _Reader:
    """Takes an example apart, as billing.py adds it up."""

    def __init__(self, encoding: str) -> None:
        self._encoding = load(encoding)
        self._count = counter(encoding)

    def read(self, data: Mapping[str, Any]) -> Iterator[Stretch]:
        yield Stretch("example", "", 0, "", False, NONE, PER_EXAMPLE)
        # The lists from which a model learns. Billing counts every list, wherever it stands.
        learned = [raw_messages(data), *(data[name] for name in (*PREFERRED, *NON_PREFERRED) if name in data)]
        held = data.get("input")
        for part in (data, held) if isinstance(held, dict) else (data,):
            for name in ("tools", "functions"):
                tools = part.get(name)
                if isinstance(tools, list) and tools:
                    yield self._written("tools", name, 0, "", tools_text(tools), False)
            for name in LISTS_OF_MESSAGES:
                entries = part.get(name)
                if isinstance(entries, list):
                    yield from self._messages(name, entries, any(entries is one for one in learned))
        if "messages" not in data and "prompt" in data:
            for role, name in (("user", "prompt"), ("assistant", "completion")):
                yield from self._text("content", name, 0, role, data.get(name), name == "completion")

    def _messages(self, where: str, entries: Sequence[Any], learned: bool) -> Iterator[Stretch]:
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield from self._message(where, index, entry, learned)

    def _message(self, where: str, index: int, entry: Mapping[str, Any], learned: bool) -> Iterator[Stretch]:
        held, name, calls = entry.get("role"), entry.get("name"), entry.get("tool_calls")
        role = held if isinstance(held, str) else ""
        trained = learned and role == "assistant" and entry.get("weight") != 0
        at = where, index, role
        yield Stretch("message", *at, False, NONE, PER_MESSAGE + self._count(role))
        if isinstance(name, str):
            yield Stretch("name", *at, False, NONE, PER_NAME + self._count(name))
        content = entry.get("content")
        if not isinstance(content, list):
            yield from self._text("content", *at, content, trained)
        for piece in content if isinstance(content, list) else ():
            if isinstance(piece, dict) and piece.get("type") == "image_url":
                yield Stretch("image", *at, trained, NONE, PER_IMAGE)
            else:
                text = piece.get("text", piece.get("refusal")) if isinstance(piece, dict) else piece
                yield from self._text("content", *at, text, trained)
        functions = [call.get("function") for call in (calls if isinstance(calls, list) else ()) if _is_object(call)]
        for function in (*functions, entry.get("function_call")):
            if isinstance(function, dict):
                for key in ("name", "arguments"):
                    yield from self._text("call", *at, function.get(key), trained)

    def _text(self, part: Part, where: str, index: int, role: str, text: Any, trained: bool) -> Iterator[Stretch]:
        if isinstance(text, str) and text:
            yield self._written(part, where, index, role, text, trained)

    def _written(self, part: Part, where: str, index: int, role: str, text: str, trained: bool) -> Stretch:
        ids = self._encoding.encode_ordinary(text[:LONGEST_SHOWN])
        tokens = len(ids)
        if len(text) > LONGEST_SHOWN:
            tokens = self._count(text)
            ids = ids[: min(len(ids) - UNSURE, tokens)]
        return Stretch(part, where, index, role, trained, np.array(ids, np.uint32), tokens)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _text(encoding: tiktoken.Encoding, token: int) -> str:
    """The text of a token; the bytes in hexadecimal where they are no whole characters."""
    held = encoding.decode_single_token_bytes(token)
    try:
        return held.decode()
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02X}" for byte in held)
