"""Repairs of texts: secrets masked, special tokens broken, lost and hidden characters replaced, encodings undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.dataset.fixes.places import Data, change_texts
from lib.dataset.rules.encoding import is_broken, repaired_encoding, without_invisible
from lib.dataset.rules.quality import LIKE_SPECIAL, SPECIAL
from lib.dataset.rules.secrets import masked


def mask_secrets(data: Data) -> None:
    """What was found of secrets is replaced by what it was, in brackets."""
    change_texts(data, masked)


def break_special_tokens(data: Data) -> None:
    """<|name|> becomes <name>, which no encoding keeps for itself."""
    change_texts(data, _broken)


def repair_encoding(data: Data) -> None:
    """Texts that were read in the wrong encoding become what they were."""
    change_texts(data, lambda text: text if is_broken(repaired := repaired_encoding(text)) else repaired)


def remove_control_characters(data: Data) -> None:
    """Characters that nobody sees go; page and column breaks become line breaks."""
    change_texts(data, without_invisible)


def replace_half_characters(data: Data) -> None:
    """Half of a character, wherever it stands in the example, becomes the mark for a lost one."""
    waiting: list[Any] = [data]
    while waiting:
        place = waiting.pop()
        for key, value in list(place.items() if isinstance(place, dict) else enumerate(place)):
            if isinstance(value, str):
                place[key] = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            elif isinstance(value, (dict, list)):
                waiting.append(value)


def _broken(text: str) -> str:
    for mark in (SPECIAL, LIKE_SPECIAL):
        while (changed := mark.sub(lambda found: f"<{found.group()[2:-2]}>", text)) != text:
            text = changed
    return text


FIXES: dict[str, Callable[[Data], None]] = {
    "break_special_tokens": break_special_tokens,
    "mask_secrets": mask_secrets,
    "remove_control_characters": remove_control_characters,
    "repair_encoding": repair_encoding,
    "replace_half_characters": replace_half_characters,
}
