"""One answer in the making: the prompt is read in pieces, then one token comes at a time.

It knows a model and a request; which answer goes on next is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lib.engine.answer.asking import Ask
from lib.engine.answer.constraint import Constraint
from lib.engine.answer.sampling import Leaning, choose, likeliest
from lib.engine.answer.shortening import prompt
from lib.engine.answer.speech import Speech
from lib.engine.model import Model
from lib.errors import Rejected

# Prompt tokens that are read before another answer has its turn.
READ_AT_ONCE = 256

Line = dict[str, Any]


class Answer:
    """An answer. `advance` until `finished`; with a constraint every token is one that it leaves open.

    Raises Rejected when the prompt does not fit the model's context, or the constraint cannot be kept to.
    """

    def __init__(self, ask: Ask, model: Model, constraint: Constraint | None = None) -> None:
        self.finished = False
        self._ask = ask
        self._model = model
        self._template = model.template
        self._prompt = prompt(ask, model.template)
        self._room = self._room_after(len(self._prompt))
        self._cache = model.cache()
        self._random = torch.Generator()
        if ask.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(ask.seed % (1 << 63))
        self._barred = _barred(model, calls=bool(ask.tools))
        self._constraint = constraint
        self._leaning = Leaning(ask.logit_bias, ask.frequency_penalty, ask.presence_penalty)
        self._speech = Speech(ask.stop)
        self._said: list[int] = []
        self._held: list[tuple[int, Mapping[str, Any] | None]] = []
        self._logprobs: list[Mapping[str, Any]] = []

    @property
    def most_bytes(self) -> int:
        """The memory that this answer may come to, in bytes: for its prompt and all that it has room to say."""
        return (len(self._prompt) + self._room) * self._model.bytes_per_token

    @torch.inference_mode()
    def advance(self) -> Line | None:
        """Do a little: read some of the prompt, or say one token. What there is to tell of it, if anything."""
        unread = self._prompt[self._cache.length :] or self._said[-1:]
        hidden = self._model.read(torch.tensor([unread[:READ_AT_ONCE]], device=self._model.device), self._cache)
        if self._cache.length < len(self._prompt):
            return None
        scores = self._model.logits(hidden[0, -1]).float().cpu().index_fill(0, self._barred, -torch.inf)
        token = self._choose(scores)
        if token in self._template.ends:
            return self._finish("stop")
        self._said.append(token)
        self._leaning.hear(token)
        if self._constraint is not None:
            self._constraint.hear(token)
        text = self._hear(token, scores)
        if self._speech.stopped:
            return self._finish("stop", text)
        if len(self._said) == self._room:
            return self._finish("length", text)
        return self._tell(text) if text else None

    def _choose(self, scores: Tensor) -> int:
        """The next token. Log-probabilities are told of the scores as they are given here, before any wish or rule."""
        wished = self._leaning.lean(scores)
        open_ones = wished if self._constraint is None else self._constraint.bar(wished)
        return choose(open_ones, self._ask.temperature, self._ask.top_p, self._random)

    def _hear(self, token: int, scores: Tensor) -> str:
        """The text that is certain after a token. What may be a tool call is held: calls come whole, at the end."""
        entry: Mapping[str, Any] | None = None
        if self._ask.logprobs:
            first, *top = [
                {"token": shown.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(shown)}
                for shown, logprob in (
                    (self._template.bytes_of(one), logprob)
                    for one, logprob in likeliest(scores, token, self._ask.top_logprobs)
                )
            ]
            entry = {**first, "top_logprobs": top}
        self._held.append((token, entry))
        return "" if self._ask.tools and self._template.calling(self._said) else self._let_go()

    def _let_go(self) -> str:
        """The text that is certain when what was held turned out to be no call."""
        text = ""
        for token, entry in self._held:
            if entry is not None:
                self._logprobs.append(entry)
            text += self._speech.hear(self._template.bytes_of(token))
            if self._speech.stopped:
                break
        self._held.clear()
        return text

    def _tell(self, text: str) -> Line:
        line: Line = {"text": text}
        if self._ask.logprobs:
            line["logprobs"], self._logprobs = self._logprobs, []
        return line

    def _finish(self, reason: str, text: str = "") -> Line:
        self.finished = True
        calls = self._template.reply(self._said).tool_calls if self._ask.tools else ()
        if not calls:
            text += self._let_go()
            reason = "stop" if self._speech.stopped else reason
        text += self._speech.end()
        if self._speech.stopped:
            self._logprobs = _within(self._logprobs, len(text.encode()))
        line = self._tell(text)
        if calls and reason == "stop":
            reason = "tool_calls"
            line["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in calls
            ]
        return line | {
            "finish_reason": reason,
            "prompt_tokens": len(self._prompt),
            "completion_tokens": len(self._said),
        }

    def _room_after(self, prompt: int) -> int:
        """How many tokens can be said. Raises Rejected, in OpenAI's words, when the prompt itself is too long."""
        context = self._template.context
        if prompt > context:
            raise Rejected(
                f"This model's maximum context length is {context} tokens. However, your messages resulted in {prompt} "
                "tokens. Please reduce the length of the messages.",
                status=400,
                code="context_length_exceeded",
                param="messages",
            )
        # The last token that is said need not be read.
        return min(self._ask.max_tokens or context, context - prompt + 1)


def _barred(model: Model, *, calls: bool) -> Tensor:
    """The ids that an answer must not contain: marks of the template and ids without a token."""
    barred = model.template.barred if calls else model.template.barred | model.template.barred_without_tools
    return torch.tensor(sorted(barred), dtype=torch.long)


def _within(entries: list[Mapping[str, Any]], size: int) -> list[Mapping[str, Any]]:
    """The entries whose tokens begin within the first `size` bytes: those of a stop text are not told."""
    begins = 0
    kept = []
    for entry in entries:
        if begins >= size:
            break
        kept.append(entry)
        begins += len(entry["bytes"])
    return kept
