"""Keys: held so that they cannot be shown by accident, each bound to the one origin that it may be sent to.

A key comes from this session or from the environment, in that order. Nothing here writes a key anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from lib.errors import BadCredentials
from lib.services.service import OPENAI, Service


class Secret:
    """A key that no repr, str, format, JSON, pickle or copy reveals. Only `reveal` does.

    `origin` (scheme, host and port) is the only place that it may be sent to.
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str) -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """The key itself, for the one call that sends it."""
        return self._value

    @property
    def hint(self) -> str:
        """Enough to recognise a key by, such as sk-…abcd; short keys show nothing of themselves."""
        return f"{self._value[:3]}…{self._value[-4:]}" if len(self._value) >= 16 else "…"

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, specification: str) -> str:
        return "…"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is not written anywhere.")


def given(text: str, service: Service) -> Secret:
    """A key as somebody typed or pasted it, trimmed and bound to the service's origin.

    Raises BadCredentials when it cannot be a key at all.
    """
    value = text.strip().removeprefix("Bearer ").strip()
    if not value:
        raise BadCredentials(f"No key was given for {service.name}.", "Paste the whole key.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise BadCredentials(
            f"What was given for {service.name} is not a key: it has a blank or a letter that keys never have.",
            "Copy the key again, without the text around it.",
        )
    return Secret(value, service.origin)


def find_key(
    service: Service, session_keys: Mapping[str, Secret], environment: Mapping[str, str] = os.environ
) -> Secret | None:
    """The key for a service: this session's, else the environment's. None when there is none for this very origin."""
    held = session_keys.get(service.id)
    if held is not None and held.origin == service.origin:
        return held
    source, _, name = service.key_source.partition(":")
    # A service on this machine may be given OpenAI's variable: the person named it, and the key stays here.
    belongs = name != "OPENAI_API_KEY" or service.origin == OPENAI.origin or service.on_this_machine
    if source == "env" and belongs and environment.get(name, "").strip():
        return given(environment[name], service)
    return None


def missing_key(service: Service) -> str:
    """What to say where a key is missing: a sentence for a disabled button."""
    source, _, name = service.key_source.partition(":")
    if source == "env":
        return f"{service.name} needs a key: give one here for this session, or set {name} and start Etude again."
    return f"{service.name} needs a key: give one here. It is held for this session only."
