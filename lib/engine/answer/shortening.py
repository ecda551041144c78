"""The prompt of a request; where it may be shortened, the oldest messages go until it fits the model's context.

It knows messages and a template, no weights.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from lib.engine.answer.asking import Ask
from lib.engine.model import ChatTemplate

STAYING = ("system", "developer")


def prompt(ask: Ask, template: ChatTemplate) -> list[int]:
    """The ids after which the answer begins; still too many when what must stay does not fit either.

    Instructions and the last message always stay; the output of a call goes with its call. So OpenAI's Responses API
    describes `truncation` "auto".
    """
    whole = template.prompt(ask.messages, ask.tools)
    if not ask.shorten or len(whole) <= template.context:
        return whole
    going = [place for place, message in enumerate(ask.messages[:-1]) if message.get("role") not in STAYING]

    def without(count: int) -> list[int]:
        return template.prompt(_left(ask.messages, going[:count]), ask.tools)

    # Fewer messages are never more ids: the fewest to leave out are found in a few steps, however many there are.
    fewest = bisect_left(range(len(going)), True, key=lambda count: len(without(count)) <= template.context)
    return without(fewest)


def _left(messages: Sequence[Mapping[str, Any]], gone: Sequence[int]) -> list[Mapping[str, Any]]:
    """The messages that stay when some are left out, without outputs whose call is among those."""
    out = set(gone)
    left = [message for place, message in enumerate(messages) if place not in out]
    called = {call.get("id") for message in left for call in message.get("tool_calls") or ()}
    return [message for message in left if message.get("role") != "tool" or message.get("tool_call_id") in called]
