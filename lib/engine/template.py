"""How a conversation becomes the token ids that the built-in network reads, and how ids become an answer again.

`<|begin|>`, then for each message `<|start|>` role `<|message|>` content `<|end|>`: 1 + Σ (3 + role + content) tokens,
the rule by which services bill. A tool call stands after the content as `<|call|>` name `<|args|>` JSON; the tools that
a conversation may use stand first, as a system message. It knows no weights, no file and no process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.dataset.example import Example, Message
from lib.errors import DataError
from lib.tokens.billing import example_tokens
from lib.tokens.counting import Count
from lib.tokens.tool_text import tools_text

if TYPE_CHECKING:
    import tiktoken

BEGIN, START, MESSAGE, END = "<|begin|>", "<|start|>", "<|message|>", "<|end|>"
CALL, ARGS, PAD = "<|call|>", "<|args|>", "<|pad|>"

# The built-in network was taught three speakers; these names mean one of them.
SAME_ROLE = {"developer": "system", "function": "tool"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """Token ids and, for each, whether the network is trained to say it."""

    ids: list[int]
    trained: list[bool]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the assistant asks for. `arguments` is the text it wrote, JSON if it was taught well."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the ids of one assistant message say."""

    text: str
    tool_calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class CallForm:
    """How an answer spells a tool call: `before`, the name, `between`, the arguments as JSON, `after`.

    Between two calls stands `separator`. Numbers are ids of marks, texts are spelled by any tokens; `before` begins
    with what tells a call from words. `alone`: a call stands at the very beginning of an answer, or it is none.
    """

    before: tuple[int | str, ...]
    between: tuple[int | str, ...]
    after: tuple[int | str, ...] = ()
    separator: tuple[int | str, ...] = ()
    alone: bool = False


class Template:
    """The template over one encoding; `context` is the most tokens a sequence may have.

    `count` gives the tokens of a text for the bill; without one they are those of the encoding. `vocabulary` is how
    many ids the network scores, where that is more than the encoding has.
    """

    def __init__(
        self, encoding: tiktoken.Encoding, context: int, count: Count | None = None, vocabulary: int = 0
    ) -> None:
        self.encoding = encoding
        self.context = context
        self.begin, self.start, self.message, self.end, self.call, self.args, self.pad = (
            encoding.encode_single_token(name) for name in (BEGIN, START, MESSAGE, END, CALL, ARGS, PAD)
        )
        self.ends = frozenset({self.end})
        marks = {encoding.encode_single_token(name) for name in encoding.special_tokens_set}
        marks |= set(range(encoding.n_vocab, vocabulary))
        self.barred = frozenset(marks - {self.end, self.call, self.args})
        self.barred_without_tools = frozenset({self.call, self.args})
        self.call_form = CallForm(before=(self.call,), between=(self.args,))
        self._count = count or (lambda text: len(encoding.encode_ordinary(text)))
        # No token is longer than this, so what lies beyond `context` of them need not be encoded.
        self._most_characters = (context + 1) * max(len(token) for token in encoding.token_byte_values())

    def example(self, data: Mapping[str, Any]) -> Rendered:
        """A training example. Trained are the assistant's words, calls and `<|end|>`, unless its weight is 0.

        What exceeds the context is cut off at the end, as OpenAI does. DataError for a tool call of no known shape.
        """
        example = Example(dict(data))
        ids: list[int] = []
        trained: list[bool] = []
        for piece, is_trained in self._pieces(example.messages, example.tools):
            ids += piece
            trained += [is_trained] * len(piece)
            if len(ids) >= self.context:
                break
        return Rendered(ids[: self.context], trained[: self.context])

    def billed(self, data: Mapping[str, Any], rendered: Rendered) -> int:
        """The tokens that one epoch of an example is billed as: OpenAI's rule, whatever was rendered."""
        return example_tokens(data, self._count, self.context)

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None) -> list[int]:
        """The ids after which the assistant's next message begins. They may be more than the context."""
        example = Example({"messages": list(messages), "tools": list(tools or [])})
        ids = [one for piece, _ in self._pieces(example.messages, example.tools) for one in piece]
        return [*ids, *self._opening("assistant")]

    def calling(self, ids: Sequence[int]) -> bool:
        """Whether a tool call has begun in the ids of an answer."""
        return self.call in ids

    def bytes_of(self, token: int) -> bytes:
        """The bytes that an id adds to a text; KeyError for one that the encoding does not know."""
        return self.encoding.decode_single_token_bytes(token)

    def reply(self, ids: Sequence[int]) -> Reply:
        """The assistant message that generated ids spell; what follows an `<|end|>` is left out."""
        words, *calls = _split(_before(ids, self.end), self.call)
        tool_calls = []
        for call in calls:
            name, *arguments = _split(call, self.args)
            tool_calls.append(ToolCall(self._decode(name), "".join(map(self._decode, arguments))))
        return Reply(self._decode(words), tuple(tool_calls))

    def _pieces(self, messages: Sequence[Message], tools: Sequence[Any]) -> Iterator[tuple[list[int], bool]]:
        yield [self.begin], False
        if tools:
            yield [*self._opening("system"), *self._encode(tools_text(tools)), self.end], False
        for message in messages:
            yield self._opening(SAME_ROLE.get(message.role, message.role)), False
            is_trained = message.role == "assistant" and message.weight != 0
            yield [*self._encode(message.text), *self._calls(message), self.end], is_trained

    def _opening(self, role: str) -> list[int]:
        return [self.start, *self._encode(role), self.message]

    def _calls(self, message: Message) -> Iterator[int]:
        for call in message.tool_calls:
            function = call.get("function") if isinstance(call, dict) else None
            name, arguments = (
                function.get(key) if isinstance(function, dict) else None for key in ("name", "arguments")
            )
            if not isinstance(name, str) or not isinstance(arguments, str):
                raise DataError("A tool call lacks the name of its function, or arguments as a text.")
            yield from (self.call, *self._encode(name), self.args, *self._encode(arguments))

    def _encode(self, text: str) -> list[int]:
        # Text that spells a special token stays text.
        return self.encoding.encode_ordinary(text[: self._most_characters])

    def _decode(self, ids: Sequence[int]) -> str:
        return self.encoding.decode(ids, errors="replace")


def _before(ids: Sequence[int], mark: int) -> Sequence[int]:
    return _split(ids, mark)[0]


def _split(ids: Sequence[int], mark: int) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    for one in ids:
        if one == mark:
            parts.append([])
        else:
            parts[-1].append(one)
    return parts
