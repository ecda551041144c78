"""Which examples are looked at, and in which order: by what a desk knows about them, without reading any.

What is wanted is said in plain values. Goes over whole columns at once, so that a million examples are chosen from in a
moment. A text is searched for by search.py; its result is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lib.dataset.desk import Desk
from lib.dataset.survey.facts import OTHER_ROLE, ROLE_BITS

Positions = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

Split = Literal["", "training", "validation"]
Span = tuple[int | None, int | None]
Order = Literal["line", "tokens", "most_tokens", "messages", "most_messages", "length", "longest"]

ANY = "any"
OTHER = "other"
ORDERS: tuple[Order, ...] = ("line", "most_tokens", "tokens", "most_messages", "messages", "longest", "length")


@dataclass(frozen=True, slots=True)
class Filter:
    """What an example must be. Empty means that it does not matter; all that is given must hold.

    `finding` is a code, or ANY; `role` is one that speaks in it, or OTHER for one that no service knows; `label` is a
    field ("" for the whole answer) and the label in it. The spans are (least, most), None for an open end. Removed
    examples are among those of the empty filter, in their places, and those of `removed`; nowhere else.
    """

    text: str = ""
    finding: str = ""
    role: str = ""
    split: Split = ""
    edited: bool = False
    removed: bool = False
    label: tuple[str, str] | None = None
    tokens: Span = (None, None)
    messages: Span = (None, None)


EVERYTHING = Filter()


def select(
    desk: Desk,
    wanted: Filter = EVERYTHING,
    order: Order = "line",
    *,
    limit: int | None = None,
    holding: npt.NDArray[np.integer[Any]] | None = None,
) -> Positions:
    """The positions of these examples in this order; of equal ones the first comes first, and removed ones last.

    `limit` is how many tokens a model reads of an example; `holding` are the positions that hold `wanted.text`, as
    search.py finds them, None when they are not to be looked at.
    """
    places = _chosen(desk, wanted, limit, holding)
    return places if order == "line" else _ordered(desk, places, order)


def _chosen(desk: Desk, wanted: Filter, limit: int | None, holding: npt.NDArray[np.integer[Any]] | None) -> Positions:
    assessed = desk.assessed
    if wanted == EVERYTHING:
        return np.arange(len(assessed))
    mask: Bits = ~assessed.present if wanted.removed else assessed.present.copy()
    if wanted.text and holding is not None:
        mask &= _at(holding, len(mask))
    if wanted.finding:
        mask &= _with_finding(desk, wanted.finding, limit)
    if wanted.role:
        mask &= (assessed.columns.roles & ROLE_BITS.get(wanted.role, OTHER_ROLE)) != 0
    if wanted.split:
        mask &= assessed.held_out if wanted.split == "validation" else ~assessed.held_out
    if wanted.edited:
        mask &= _reaching(desk.edited, len(mask))
    if wanted.label is not None:
        mask &= _with_label(desk, *wanted.label)
    _within(mask, _billed(desk, limit), wanted.tokens)
    _within(mask, assessed.columns.messages, wanted.messages)
    return np.flatnonzero(mask)


def _with_finding(desk: Desk, code: str, limit: int | None) -> Bits:
    found = desk.assessed.found(limit)
    wanted = found.values() if code == ANY else [found[code]] if code in found else []
    mask = np.zeros(len(desk.assessed), np.bool_)
    for places in wanted:
        mask[places] = True
    return mask


def _with_label(desk: Desk, field: str, name: str) -> Bits:
    held = desk.assessed.labels.get(field)
    if held is None or name not in held.names:
        return np.zeros(len(desk.assessed), np.bool_)
    return _reaching(held.ids == held.names.index(name), len(desk.assessed))


def _within(mask: Bits, values: npt.NDArray[np.integer[Any]], span: Span) -> None:
    least, most = span
    if least is not None:
        mask &= values >= least
    if most is not None:
        mask &= values <= most


def _billed(desk: Desk, limit: int | None) -> npt.NDArray[np.integer[Any]]:
    tokens = desk.assessed.columns.tokens
    return tokens if limit is None else np.minimum(tokens, limit)


def _ordered(desk: Desk, places: Positions, order: Order) -> Positions:
    """Sorted by one number that holds the value above and the position below: faster by far than an index sort."""
    columns, present = desk.assessed.columns, desk.assessed.present
    values: dict[str, npt.NDArray[np.integer[Any]]] = {
        "tokens": columns.tokens,
        "messages": columns.messages,
        "length": columns.size,
    }
    name = {"most_tokens": "tokens", "most_messages": "messages", "longest": "length"}.get(order, order)
    held = values[name][places].astype(np.int64)
    if order != name:
        held = np.int64(2**31 - 1) - held
    held[~present[places]] = 2**31 - 1
    keys: Positions = (held << 32) | places
    keys.sort()
    return np.bitwise_and(keys, 0xFFFFFFFF)


def _at(places: npt.NDArray[np.integer[Any]], length: int) -> Bits:
    mask = np.zeros(length, np.bool_)
    mask[places[places < length]] = True
    return mask


def _reaching(mask: Bits, length: int) -> Bits:
    """The mask for so many positions: what was added since has no row yet."""
    return mask if len(mask) == length else np.concatenate([mask, np.zeros(length - len(mask), np.bool_)])
