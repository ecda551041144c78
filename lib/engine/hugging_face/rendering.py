"""Runs a chat template that came with a model: in transformers' sandbox, with bounds on time and memory.

The template is somebody else's program. It gets plain JSON values, and what it raises becomes a sentence. Text of a
conversation that spells a control token is marked, so that it stays text. It knows no ids.
"""

from __future__ import annotations

import contextlib
import re
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

from lib.errors import DataError

MOST_SECONDS = 2.0
MOST_MEMORY = 512_000_000
MOST_CHARACTERS = 20_000_000
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")

# Between these stands a control token that was spelled in a conversation. Unicode will never give them a meaning.
MARK, END_OF_MARK = "\ufdd0", "\ufdd1"


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendered conversation. `said` are the places of what the assistant says, where the template tells them."""

    text: str
    said: tuple[tuple[int, int], ...]


class Renderer:
    """One template with the names it may use. `controls` are the texts of tokens that a conversation must not forge."""

    def __init__(self, source: str, names: Mapping[str, str], controls: Sequence[str]) -> None:
        self.source = source
        self.tells_what_is_said = GENERATION.search(source) is not None
        self._names = dict(names)
        longest_first = sorted(filter(None, controls), key=len, reverse=True)
        self._controls = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Any],
        *,
        opening: bool = False,
        thinking: bool = False,
    ) -> Rendering:
        """The text of a conversation; with `opening` up to where the assistant's next message begins.

        Raises DataError when the template refuses the conversation, or takes more time or memory than any should.
        """
        run: Any = render_jinja_template
        try:
            with _bounded():
                texts, places = run(
                    conversations=[self._marked(list(messages))],
                    tools=self._marked(list(tools)) or None,
                    chat_template=self.source,
                    return_assistant_tokens_mask=self.tells_what_is_said,
                    add_generation_prompt=opening,
                    **self._names,
                    **({} if thinking else {"enable_thinking": False}),
                )
        except jinja2.TemplateError as refused:
            why = str(refused)[:300] or "no reason given"
            raise DataError(
                f"The model's chat template does not take this conversation: {why}.",
                "Keep to the roles and their order that the template knows.",
                raw=str(refused)[:2000],
            ) from refused
        except (
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
            RecursionError,
            OverflowError,
            ArithmeticError,
        ) as error:
            raise DataError(
                f"The model's chat template fails on this conversation ({type(error).__name__}).", raw=str(error)[:2000]
            ) from error
        except (TimeoutError, MemoryError) as endless:
            raise DataError(
                f"The model's chat template takes more than {MOST_SECONDS:.0f} seconds or "
                f"{MOST_MEMORY // 1_000_000:,} MB for one conversation, and was stopped.",
                "Use another copy of the model.",
            ) from endless
        if len(texts[0]) > MOST_CHARACTERS:
            raise DataError(f"The model's chat template makes more than {MOST_CHARACTERS:,} characters.")
        return Rendering(texts[0], tuple(places[0]) if places else ())

    def _marked(self, value: Any) -> Any:
        """The same value with a mark around each control token that a text in it spells."""
        if isinstance(value, str):
            plain = value.replace(MARK, "").replace(END_OF_MARK, "")
            return self._controls.sub(f"{MARK}\\g<0>{END_OF_MARK}", plain)
        if isinstance(value, dict):
            return {name: self._marked(held) for name, held in value.items()}
        return [self._marked(held) for held in value] if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Stop what is inside after MOST_SECONDS, where this is the main thread, and refuse it memory beyond MOST_MEMORY.

    Memory is bounded on Linux alone, where what the process has already is known.
    """
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, _too_long) if in_main else None
    held = resource.getrlimit(resource.RLIMIT_DATA)
    used = _data_bytes()
    try:
        if in_main:
            signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        if used:
            most = used + MOST_MEMORY
            resource.setrlimit(resource.RLIMIT_DATA, (most if held[1] < 0 else min(most, held[1]), held[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, held)
        if in_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _too_long(*_: object) -> None:
    raise TimeoutError


def _data_bytes() -> int:
    """The bytes of this process that RLIMIT_DATA counts; 0 where they are not known."""
    if sys.platform != "linux":
        return 0
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[5]) * resource.getpagesize()
