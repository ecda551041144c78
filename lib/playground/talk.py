"""One answer of one model, streamed: text as it comes, stopped at any moment, and an honest end.

An answer is complete only when the service said why it ended and nothing broke: a connection that closes early leaves a
partial text that is kept and marked. Knows no conversation and no screen.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import ServiceBroken, ServiceError
from lib.services.connection import Connection
from lib.services.diagnosis import explain


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. Tokens are None where the service does not count them; seconds run from sending the request.

    `complete` is False for what was stopped, cut off or failed; `problem` says why when it was not the person.
    """

    text: str
    model: str
    finish_reason: str | None
    complete: bool
    tokens_in: int | None
    tokens_out: int | None
    first_token_seconds: float | None
    seconds: float
    stopped: bool = False
    problem: ServiceError | None = None


@dataclass(slots=True)
class _Ending:
    """How an answer ended: what the service said about it, and what broke."""

    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    error: Exception | None = None


class Answering:
    """An answer under way. Iterate once for its pieces of text; `answer` holds what there is, at any moment.

    Iterating raises ServiceError when the service refuses before the first piece; later failures end the iteration and
    are in `answer.problem`. The request is sent when the iteration begins; one that was stopped before sends none.
    """

    def __init__(
        self,
        connection: Connection,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Any],
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._model = model
        self._messages = list(messages)
        self._settings = dict(settings)
        self._clock = clock
        # A thread of its own reads, so that a stop never waits for a service that has fallen silent.
        self._arrived: queue.SimpleQueue[str | _Ending] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._over = threading.Event()  # nobody listens any more: the reading thread may end
        self._pieces: list[str] = []
        self._began = clock()
        self._first: float | None = None
        self._ended: float | None = None
        self._ending = _Ending()
        self._problem: ServiceError | None = None

    def __iter__(self) -> Iterator[str]:
        self._began = self._clock()
        if self._stopped.is_set():
            self._ended = 0.0
            return
        threading.Thread(target=self._read, name="answer", daemon=True).start()
        try:
            while True:
                arrived = self._arrived.get()
                if self._stopped.is_set():
                    return
                if isinstance(arrived, _Ending):
                    self._end(arrived)
                    return
                if self._first is None:
                    self._first = self._clock() - self._began
                self._pieces.append(arrived)
                yield arrived
        finally:
            self._ended = self._clock() - self._began
            self._over.set()

    @property
    def answer(self) -> Answer:
        """What has arrived, complete or not."""
        ending = self._ending
        return Answer(
            text="".join(self._pieces),
            model=self._model,
            finish_reason=ending.finish_reason,
            complete=ending.finish_reason is not None and self._problem is None,
            tokens_in=ending.tokens_in,
            tokens_out=ending.tokens_out,
            first_token_seconds=self._first,
            seconds=self._ended if self._ended is not None else self._clock() - self._began,
            stopped=self._stopped.is_set(),
            problem=self._problem,
        )

    def stop(self) -> None:
        """End the answer now, from any thread; what came so far is kept. An answer that has ended stays as it is."""
        if self._ended is None:
            self._stopped.set()
            self._over.set()
            self._arrived.put(_Ending())

    def _end(self, ending: _Ending) -> None:
        """Take note of how it ended. A failure is raised when nothing came before it, and remembered otherwise."""
        self._ending = ending
        service = self._connection.service
        if ending.error is not None:
            self._problem = explain(ending.error, service, f"answer with {self._model}")
        elif ending.finish_reason is None:
            self._problem = ServiceBroken(
                f"{service.subject} ended the answer without saying that it was whole.",
                "What came is kept. Ask again; if it stays, a proxy may be cutting answers off.",
            )
        if self._problem is not None and not self._pieces:
            raise self._problem from None

    def _read(self) -> None:
        ending = _Ending()
        try:
            request: dict[str, Any] = {
                "model": self._model,
                "messages": self._messages,
                "stream": True,
                "stream_options": {"include_usage": True},
                **self._settings,
            }
            stream: Any = self._connection.once.chat.completions.create(**request)
            with stream:
                for chunk in stream:
                    if self._over.is_set():
                        return
                    self._take(chunk, ending)
        except Exception as error:
            ending.error = error
        self._arrived.put(ending)

    def _take(self, chunk: Any, ending: _Ending) -> None:
        """One chunk: a piece of text, the reason for ending, or the count of tokens, in any combination."""
        if chunk.usage is not None:
            ending.tokens_in, ending.tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        for choice in chunk.choices or ():
            said = choice.delta.content or choice.delta.refusal if choice.delta is not None else None
            if said:
                # Half a surrogate pair is no text: neither the workspace nor a browser could take it.
                self._arrived.put(said.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
            if choice.finish_reason is not None:
                ending.finish_reason = choice.finish_reason


def ask(
    connection: Connection,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    *,
    temperature: float | None = None,
    max_tokens: int | None = None,
    seed: int | None = None,
    stop: Sequence[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Answering:
    """Ask a model for the next message; see Answering. Settings that are None are left to the service."""
    settings = {
        "temperature": temperature,
        connection.service.token_limit: max_tokens,
        "seed": seed,
        "stop": list(stop) if stop else None,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    return Answering(connection, model, messages, given, clock)
