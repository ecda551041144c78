"""Conversations of plain texts, which nearly all examples are, at the speed that a million of them needs.

Plain is an example with messages alone, each a role (system, user, assistant) and a text that is not blank, the last
one an answer: no rule of shape has anything to say about it. Whatever is not plain is left to the slow way. A test
holds both ways to the same facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np

from lib.dataset.rules.quality import BY_CHANCE, given_away, says_nothing
from lib.dataset.survey.answers import Answers
from lib.dataset.survey.columns import Columns
from lib.dataset.survey.facts import BETWEEN, ROLE_BITS, digest, seed_of
from lib.tokens.batch import Counts
from lib.tokens.billing import PER_EXAMPLE, PER_MESSAGE

REMEMBERED = 4096
QUOTE_COLON = b'":'
ESCAPED_QUOTE_COLON = b'\\":'


class PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of a plain example."""

    role: Literal["system", "user", "assistant"]
    content: str


class PlainExample(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A plain example, but for the rules on blank texts and the last message."""

    messages: list[PlainMessage]


decode = msgspec.json.Decoder(PlainExample).decode
NOT_PLAIN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True)
class Block:
    """The plain examples of a block, as lists that grow; `lengths` has how many of the texts belong to each.

    `doubtful` are the indexes of examples whose answer the rules about answers could find something in.
    """

    places: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    system: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)

    def data(self, index: int, begun: int) -> dict[str, Any]:
        """The example with this index, as it would be parsed; its first text has the index `begun`."""
        ended = begun + self.lengths[index]
        pairs = zip(self.roles[begun:ended], self.texts[begun:ended], strict=True)
        return {"messages": [{"role": role, "content": text} for role, text in pairs]}

    def columns(self, counts: Counts | None, per_role: dict[str, int]) -> Columns:
        """The facts of these examples; `counts` are the tokens of the texts, `per_role` those of the roles' names."""
        lengths = np.asarray(self.lengths, np.int64)
        tokens = trained = np.zeros(len(lengths), np.int32)
        if counts is not None and len(lengths):
            begun = np.cumsum(lengths) - lengths
            overhead = np.asarray([per_role[role] for role in self.roles], np.int32) + PER_MESSAGE
            answers = np.asarray([role == "assistant" for role in self.roles], np.bool_)
            tokens = PER_EXAMPLE + np.add.reduceat(counts + overhead, begun)
            trained = np.add.reduceat(counts * answers, begun)
        return Columns.of(
            {
                "tokens": tokens,
                "trained": trained,
                "size": self.sizes,
                "messages": np.minimum(lengths, 65_535),
                "roles": self.bits,
                "same": self.same,
                "prompt": self.prompt,
                "system": self.system,
                "answer": self.answer,
            }
        )


class PlainReader:
    """Takes plain examples in, block by block, and remembers what comes again and again: system messages and roles."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._speakers: dict[tuple[str, ...], tuple[int, int, int]] = {}
        self._system_hashes: dict[str, int] = {}
        self.systems: dict[int, str] = {}

    def take(self, raws: Sequence[bytes], begun: int) -> tuple[Block, list[int]]:
        """The plain examples among these lines, the first of which has the place `begun`, and the places of others."""
        block, others = Block(), []
        plain: list[list[PlainMessage]] = []
        for place, raw in enumerate(raws, start=begun):
            try:
                messages = decode(raw).messages
            except NOT_PLAIN:
                others.append(place)
                continue
            keys = 1 + 2 * len(messages)
            if (
                not messages
                or messages[-1].role != "assistant"
                or ((marks := raw.count(QUOTE_COLON)) != keys and marks - raw.count(ESCAPED_QUOTE_COLON) != keys)
            ):
                # Not an answer at the end, or more keys than its messages need: one then stands twice.
                others.append(place)
                continue
            plain.append(messages)
            block.places.append(place)
            block.sizes.append(len(raw))
        texts = [message.content for messages in plain for message in messages]
        if "" in texts or any(map(str.isspace, texts)):
            full = [not any(not one.content.strip() for one in messages) for messages in plain]
            others = sorted([*others, *(place for place, held in zip(block.places, full, strict=True) if not held)])
            plain = [messages for messages, held in zip(plain, full, strict=True) if held]
            block.places = [place for place, held in zip(block.places, full, strict=True) if held]
            block.sizes = [size for size, held in zip(block.sizes, full, strict=True) if held]
            texts = [message.content for messages in plain for message in messages]
        block.texts = texts
        block.roles = [message.role for messages in plain for message in messages]
        block.lengths = [len(messages) for messages in plain]
        block.encoded = [text.encode() for text in texts]
        self._compare(block)
        return block, others

    def _compare(self, block: Block) -> None:
        """What the examples of the block can be compared by."""
        begun = 0
        for place, length in zip(block.places, block.lengths, strict=True):
            ended = begun + length
            said = block.encoded[begun:ended]
            who = tuple(block.roles[begun:ended])
            seed, seed_of_prompt, bits = self._speakers.get(who) or self._learn(who)
            block.bits.append(bits)
            block.same.append(digest(BETWEEN.join(said), seed))
            block.prompt.append(digest(BETWEEN.join(said[:-1]), seed_of_prompt) if seed_of_prompt else 0)
            block.system.append(self._system(block.texts[begun]) if who[0] == "system" else 0)
            answer = block.texts[ended - 1]
            block.answer.append(self._answers.see(place, answer))
            # What begins with a letter says something, and only a long answer can be given away.
            if (not answer[0].isalnum() and says_nothing(answer)) or (
                len(answer) >= BY_CHANCE and given_away(_question(block.texts, who, begun), answer)
            ):
                block.doubtful.append(len(block.answer) - 1)
            begun = ended

    def _learn(self, who: tuple[str, ...]) -> tuple[int, int, int]:
        """The seeds of the two hashes and the bits of the roles, for this order of speakers; 0 for an empty prompt."""
        bits = 0
        for role in who:
            bits |= ROLE_BITS[role]
        known = seed_of(who), seed_of(who[:-1]) if len(who) > 1 else 0, bits
        if len(self._speakers) < REMEMBERED:
            self._speakers[who] = known
        return known

    def _system(self, text: str) -> int:
        known = self._system_hashes.get(text)
        if known is None:
            known = digest(text.encode())
            if len(self._system_hashes) < REMEMBERED:
                self._system_hashes[text] = known
                self.systems.setdefault(known, text)
        return known


def _question(texts: list[str], who: tuple[str, ...], begun: int) -> str:
    """The last text of the user before the answer; none where nobody asked."""
    for at in range(len(who) - 2, -1, -1):
        if who[at] == "user":
            return texts[begun + at]
    return ""
