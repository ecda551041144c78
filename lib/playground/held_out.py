"""A model measured on examples that it was not trained on: how many answers are right, and how sure that is.

An answer is right when it equals the expected one, or when both are the same JSON. Knows no dataset: it is given
messages and expected answers.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from lib.errors import BadCredentials, NotAllowed, NotThere, OutOfMoney, ServiceError, Throttled
from lib.playground.interval import wilson
from lib.playground.talk import Answering, ask
from lib.services.connection import Connection

Item = tuple[Sequence[Mapping[str, Any]], str]
Messages = Sequence[Mapping[str, Any]]

LOOK_EVERY_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 60.0
TRIES = 3

# What is true for every further question as well: there is no sense in asking them.
_HOPELESS = (BadCredentials, NotAllowed, NotThere, OutOfMoney)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example's answer. `fields` holds for each field of an expected JSON object whether the answer has it right.

    `problem` is set where there is no whole answer: such an example counts neither as right nor as wrong.
    """

    position: int
    expected: str
    text: str
    right: bool
    fields: Mapping[str, bool]
    seconds: float
    tokens_out: int | None
    problem: ServiceError | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with Wilson's 95 % interval."""

    right: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None when nothing was measured."""
        return self.right / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, 95 times of 100."""
        return wilson(self.right, self.of)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it: one outcome for each example that was asked, in their order, of `examples` that there were."""

    model: str
    examples: int
    outcomes: tuple[Outcome, ...]
    stopped: bool

    @property
    def answered(self) -> tuple[Outcome, ...]:
        """The outcomes with a whole answer."""
        return tuple(one for one in self.outcomes if one.problem is None)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes without one."""
        return tuple(one for one in self.outcomes if one.problem is not None)

    @property
    def exact(self) -> Share:
        """Answers that are right as a whole."""
        return Share(sum(one.right for one in self.answered), len(self.answered))

    @property
    def fields(self) -> dict[str, Share]:
        """For each field of expected JSON objects: how often the answer has it right."""
        names = dict.fromkeys(name for one in self.answered for name in one.fields)
        judged = {name: [one.fields[name] for one in self.answered if name in one.fields] for name in names}
        return {name: Share(sum(marks), len(marks)) for name, marks in judged.items()}


def measure(
    connection: Connection,
    model: str,
    items: Sequence[Item],
    *,
    threads: int = 2,
    temperature: float = 0.0,
    max_tokens: int | None = None,
    seed: int | None = None,
    progress: Callable[[int, int, Outcome], None] | None = None,
    stop: threading.Event | None = None,
) -> Measurement:
    """Ask a model every item, `threads` at a time, and compare. `progress(done, of, outcome)` is called in this thread.

    Setting `stop` ends it within a moment with what there is. A failure is kept with its example and never raised; one
    that holds for all (a wrong key, no such model, no money) ends the asking, and the rest is not sent. Where the
    service asks to wait, it is waited: up to a minute, and twice for one example.
    """
    asking = _Asking(connection, model, stop or threading.Event())
    settings = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    outcomes: dict[int, Outcome] = {}
    with ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="held out") as pool:
        waiting: set[Future[Outcome | None]] = set()
        left = iter(range(len(items)))
        try:
            while True:
                while len(waiting) < threads and asking.goes_on and (position := next(left, None)) is not None:
                    waiting.add(pool.submit(asking.one, position, *items[position], settings))
                if not waiting:
                    break
                done, waiting = wait(waiting, LOOK_EVERY_SECONDS, FIRST_COMPLETED)
                if asking.stopped.is_set():
                    asking.hang_up()
                for outcome in filter(None, (one.result() for one in done)):
                    outcomes[outcome.position] = outcome
                    if progress is not None:
                        progress(len(outcomes), len(items), outcome)
        finally:
            asking.hang_up()
    ordered = tuple(outcomes[position] for position in sorted(outcomes))
    return Measurement(model, len(items), ordered, stopped=asking.stopped.is_set())


def compare(expected: str, text: str) -> tuple[bool, dict[str, bool]]:
    """Whether an answer is right, and for an expected JSON object which of its fields are."""
    wanted, got = _json(expected), _json(text)
    if wanted is None:
        return text.strip() == expected.strip(), {}
    found = got if isinstance(got, dict) else {}
    fields = {}
    if isinstance(wanted, dict):
        fields = {name: name in found and _same(found[name], value) for name, value in wanted.items()}
    return _same(wanted, got), fields


class _Asking:
    """The questions under way, and whether there is sense in another."""

    def __init__(self, connection: Connection, model: str, stopped: threading.Event) -> None:
        self._connection = connection
        self._model = model
        self.stopped = stopped
        self._hopeless = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[Answering] = set()

    @property
    def goes_on(self) -> bool:
        return not self.stopped.is_set() and not self._hopeless.is_set()

    def hang_up(self) -> None:
        """Stop every answer that is under way."""
        self._hopeless.set()
        with self._lock:
            for answering in self._under_way:
                answering.stop()

    def one(self, position: int, messages: Messages, expected: str, settings: dict[str, Any]) -> Outcome | None:
        """One example's outcome; None when it was stopped before there was one."""
        for left in range(TRIES - 1, -1, -1):
            answering = ask(self._connection, self._model, messages, **settings)
            with self._lock:
                self._under_way.add(answering)
            problem: ServiceError | None = None
            try:
                if not self.goes_on:
                    return None
                for _ in answering:
                    pass
            except ServiceError as error:
                problem = error
            finally:
                with self._lock:
                    self._under_way.discard(answering)
            if isinstance(problem, Throttled) and left and self._waited(problem):
                continue
            return self._outcome(position, expected, answering, problem)
        return None

    def _waited(self, problem: Throttled) -> bool:
        """Wait as long as the service asks; False when that is too long or the person stops."""
        seconds = 5.0 if problem.retry_after is None else problem.retry_after
        return seconds <= LONGEST_WAIT_SECONDS and not self.stopped.wait(seconds)

    def _outcome(
        self, position: int, expected: str, answering: Answering, problem: ServiceError | None
    ) -> Outcome | None:
        answer = answering.answer
        if answer.stopped:
            return None
        problem = problem or answer.problem
        if isinstance(problem, _HOPELESS):
            self._hopeless.set()
        right, fields = compare(expected, answer.text) if problem is None else (False, {})
        return Outcome(position, expected, answer.text, right, fields, answer.seconds, answer.tokens_out, problem)


def _json(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that a text is; None for any other text, a bare number or word included."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python alone would take true for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
