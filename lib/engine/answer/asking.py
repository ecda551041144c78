"""The lines that the answering process is given: a request for one answer, or the wish that one ends.

It knows their shape and bounds, not how an answer is made.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from lib.errors import Rejected


class JsonFormat(Struct, frozen=True):
    """The answer is to be JSON of this schema. Unless `strict`, parts of it that cannot be kept to are let go."""

    name: str
    schema: dict[str, Any]
    strict: bool = True


class CallRules(Struct, frozen=True):
    """Which of the tools may be called, whether one must be, and whether more than one may be."""

    names: Annotated[list[str], Meta(min_length=1)]
    required: bool = False
    parallel: bool = True


class Ask(Struct, frozen=True, kw_only=True):
    """A request for one answer by the model in the folder `model`; messages and tools as OpenAI has them.

    `temperature` 0 takes the likeliest token each time. Without a seed no two answers need be the same. `logit_bias`
    holds pairs of an id and what its score is raised by; ids that the model does not have are passed over. Without
    `calls` the model calls its tools as it likes. With `shorten` the oldest messages of a conversation that is too long
    are left out.
    """

    id: str
    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Meta(ge=0, le=1)] = 1.0
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop: list[Annotated[str, Meta(min_length=1)]] = []
    seed: int | None = None
    n: Literal[1] = 1
    logprobs: bool = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] = 0
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    logit_bias: list[tuple[int, float]] = []
    format: JsonFormat | None = None
    calls: CallRules | None = None
    shorten: bool = False


class End(Struct, frozen=True):
    """The wish that the answer with this id ends where it is."""

    id: str


def understand(line: bytes) -> Ask | End:
    """What a line says. Raises Rejected, whose `request_id` is the line's id where it has one."""
    said_id: str | None = None
    try:
        said = msgspec.json.decode(line)
        if isinstance(said, dict) and isinstance(said.get("id"), str):
            said_id = said["id"]
            if said.get("stop") is True:
                return End(said["id"])
        return msgspec.convert(said, Ask)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Rejected(f"The request cannot be read: {error}.", status=400, request_id=said_id) from error
