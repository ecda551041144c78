"""How a Hugging Face model is spoken to: its own chat template as ids, and ids as an answer again.

A folder without a template is spoken to in ChatML, with the token that ends its texts as the end of a message. It knows
a tokenizer and no weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from lib.dataset.example import Example, Message
from lib.engine.hugging_face import calls, spans, token_bytes
from lib.engine.hugging_face.calls import Calls
from lib.engine.hugging_face.rendering import END_OF_MARK, MARK, Renderer
from lib.engine.template import CallForm, Rendered, Reply
from lib.errors import DataError, EngineError

# The templates of Hugging Face know these speakers by other names than OpenAI.
SAME_ROLE = {"developer": "system", "function": "tool"}
MARKED = re.compile(f"{MARK}([^{MARK}{END_OF_MARK}]*){END_OF_MARK}|[{MARK}{END_OF_MARK}]")

# For folders without a template. `<|im_start|>` is text where the tokenizer has no such token.
CHATML = """\
{%- if tools %}{% set first = (messages[0].content + '\\n\\n') if messages[0].role == 'system' else '' %}\
{{- bos + '<|im_start|>system\\n' + first + '# Tools\\n\\nTo call a function write <tool_call>JSON</tool_call> with \
{"name": …, "arguments": …}\\n' }}{% for tool in tools %}{{ tool | tojson + '\\n' }}{% endfor %}{{ end + '\\n' }}\
{%- else %}{{ bos }}{% endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}{{ '<|im_start|>assistant\\n' }}{% generation %}{{ message.content }}\
{%- for call in message.tool_calls or [] %}\
{{- '<tool_call>\\n' + (call.function | tojson) + '\\n</tool_call>' }}{% endfor %}\
{{- end }}{% endgeneration %}{{ '\\n' }}
{%- elif not (tools and loop.first and message.role == 'system') %}\
{{- '<|im_start|>' + message.role + '\\n' + message.content + end + '\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""


class Chat:
    """The chat template of one tokenizer. `context` is the most ids a sequence may have, `vocabulary` the ids scored.

    `ends` are ids that end an answer besides the tokenizer's own end of text. Raises EngineError for a tokenizer that
    has no token to end an answer with, or a template that fails on the simplest conversation.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, context: int, vocabulary: int, ends: Iterable[int]) -> None:
        self.tokenizer = tokenizer
        self.context = context
        self.vocabulary = vocabulary
        self.has_own_template = bool(tokenizer.chat_template)
        self._plain, self._with_tools = self._renderers(tokenizer)
        self._calls = Calls(calls.way_of(self._with_tools.source))
        # No token stands for more characters than this, so what lies beyond `context` of them need not be encoded.
        self._most_characters = (context + 1) * max(map(len, tokenizer.get_vocab()), default=1)
        own = tokenizer.eos_token_id
        self.ends = frozenset({*ends, *([own] if isinstance(own, int) else []), *self._end_of_turn()})
        if not self.ends:
            raise EngineError("The model's tokenizer has no token that ends an answer.", "Use another copy of it.")
        pad = tokenizer.pad_token_id
        self.pad = pad if isinstance(pad, int) and pad < vocabulary else min(self.ends)
        special = set(tokenizer.all_special_ids) - self.ends
        told = {one for one in special if self._is_of_calls(one)}
        self.barred = frozenset(special - told | set(range(len(tokenizer), vocabulary)))
        self.barred_without_tools = frozenset(told)
        self._bytes = token_bytes.reader(tokenizer, self.ends | special - told)

    @property
    def call_form(self) -> CallForm | None:
        """How calls are spelled, None when the template knows none."""
        return self._calls.form

    def example(self, data: Mapping[str, Any]) -> Rendered:
        """A training example. Trained is what the assistant says, to the end of its turn, unless its weight is 0.

        What exceeds the context is cut off at the end, as OpenAI does. DataError when the template does not take it, or
        when what the assistant says cannot be found in what it makes.
        """
        example = Example(dict(data))
        messages = [_for_template(message) for message in example.messages]
        trained = [message.role == "assistant" and message.weight != 0 for message in example.messages]
        text, said = spans.of_assistant(self._renderer(example.tools), messages, example.tools, trained)
        ids, places = self._encode(text)
        taught = [False] * len(ids)
        for start, end in said:
            self._teach(taught, ids, places, start, end)
        return Rendered(ids[: self.context], taught[: self.context])

    def billed(self, data: Mapping[str, Any], rendered: Rendered) -> int:
        """The ids that the template makes of an example, as far as the context goes: what the model reads of it."""
        return len(rendered.ids)

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None) -> list[int]:
        """The ids after which the assistant's next message begins. DataError when the template does not take it."""
        example = Example({"messages": list(messages), "tools": list(tools or [])})
        told = [_for_template(message) for message in example.messages]
        return self._encode(self._renderer(example.tools).render(told, example.tools, opening=True).text)[0]

    def calling(self, ids: Sequence[int]) -> bool:
        """Whether the ids of an answer so far are at a tool call, or may be."""
        return self._calls.begun(self._text(ids))

    def reply(self, ids: Sequence[int]) -> Reply:
        """The assistant message that the ids of a whole answer spell, with the calls that can be read in it."""
        before = next((place for place, one in enumerate(ids) if one in self.ends), len(ids))
        return self._calls.reply(self._text(ids[:before]))

    def bytes_of(self, token: int) -> bytes:
        """The bytes that an id adds to a text; none for a mark of the template."""
        return self._bytes(token)

    def _renderers(self, tokenizer: PreTrainedTokenizerBase) -> tuple[Renderer, Renderer]:
        own = tokenizer.chat_template or CHATML
        plain, with_tools = own, own
        if isinstance(own, dict):
            plain = own.get("default") or next(iter(own.values()))
            with_tools = own.get("tool_use") or plain
        names = dict(tokenizer.special_tokens_map)
        if not self.has_own_template:
            vocabulary = tokenizer.get_vocab()
            begins = tokenizer("").input_ids[:1] == [tokenizer.bos_token_id]
            end = "<|im_end|>" if "<|im_end|>" in vocabulary else names.get("eos_token")
            if end is None:
                raise EngineError(
                    "The model has neither a chat template nor a token that ends a text.", "Use another copy of it."
                )
            names |= {"bos": names.get("bos_token", "") if begins else "", "end": end}
        literal = f"{plain}{with_tools}"
        controls = [
            token.content
            for token in tokenizer.added_tokens_decoder.values()
            if token.special or (token.content in literal and not token.content.isspace())
        ]
        return Renderer(plain, names, controls), Renderer(with_tools, names, controls)

    def _renderer(self, tools: Sequence[Any]) -> Renderer:
        return self._with_tools if tools else self._plain

    def _encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and for each where it stands in `text`. What is marked is encoded as plain text, without its marks."""
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        at = 0
        for mark in (*MARKED.finditer(text), None):
            self._append(ids, places, text[at : mark.start() if mark else len(text)], at, plain=False)
            if mark is None or len(ids) > self.context:
                break
            if mark[1]:
                # Cut in two, it is no token: a tokenizer's setting for this covers only those called special.
                self._append(ids, places, mark[1][:1], mark.start(1), plain=True)
                self._append(ids, places, mark[1][1:], mark.start(1) + 1, plain=True)
            at = mark.end()
        return ids, places

    def _append(self, ids: list[int], places: list[tuple[int, int]], piece: str, at: int, *, plain: bool) -> None:
        piece = piece[: self._most_characters]
        if not piece:
            return
        coded = self.tokenizer(
            piece.encode("utf-8", "replace").decode(),
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            split_special_tokens=plain,
            verbose=False,
        )
        ids += coded["input_ids"]
        places += [(start + at, end + at) for start, end in coded["offset_mapping"]]

    def _teach(
        self, taught: list[bool], ids: Sequence[int], places: Sequence[tuple[int, int]], start: int, end: int
    ) -> None:
        """Mark the ids of what is said from `start` to `end` in the text, up to the end of the turn."""
        for place, (begins, stops) in enumerate(places):
            within = stops > start and begins < end
            # Some templates leave the end of the turn out of what the assistant says; it must be learned as well.
            follows = begins >= end and place > 0 and taught[place - 1]
            ends = ids[place] in self.ends
            if within or (follows and ends):
                taught[place] = True
            if begins >= end or (within and ends):
                break

    def _end_of_turn(self) -> set[int]:
        """The control token that the template puts after what the assistant says, if there is one."""
        asked, answered = {"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}
        try:
            text, ((start, _),) = spans.of_assistant(self._plain, [asked, answered], (), [False, True])
        except (DataError, ValueError) as error:
            raise EngineError(
                "The model's chat template cannot be used: it fails on a question with an answer.",
                "Use another copy of the model.",
                raw=str(error),
            ) from error
        ids, places = self._encode(text)
        special = set(self.tokenizer.all_special_ids)
        after = (one for one, (begins, _) in zip(ids, places, strict=True) if begins > start and one in special)
        return set(list(after)[:1])

    def _is_of_calls(self, token: int) -> bool:
        return "tool" in (said := str(self.tokenizer.convert_ids_to_tokens(token)).lower()) or "python_tag" in said

    def _text(self, ids: Sequence[int]) -> str:
        return b"".join(map(self._bytes, ids)).decode("utf-8", "replace")


def _for_template(message: Message) -> dict[str, Any]:
    """A message as templates expect it: plain text, and the arguments of a call as an object rather than its JSON."""
    told: dict[str, Any] = {"role": SAME_ROLE.get(message.role, message.role), "content": message.text}
    if message.tool_calls:
        told["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        told["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        told["name"] = message.name
    return told


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    name, arguments = (function.get(key) if isinstance(function, dict) else None for key in ("name", "arguments"))
    if not isinstance(name, str) or not isinstance(arguments, str):
        raise DataError("A tool call lacks the name of its function, or arguments as a text.")
    try:
        held = json.loads(arguments)
    except (ValueError, RecursionError):
        held = arguments
    return {"type": "function", "id": str(call.get("id", "")), "function": {"name": name, "arguments": held}}
