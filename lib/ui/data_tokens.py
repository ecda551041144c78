"""One example token by token: what is trained on, what is masked, what is cut, what is billed without being text.

Tokens become coloured words of markdown, each escaped, a few hundred a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import streamlit as st

from lib.dataset.drafts import Entry
from lib.dataset.example import NON_PREFERRED, PREFERRED, Example
from lib.dataset.token_view import FRAME, Piece, Stretch, TokenView, token_view
from lib.ui import data_price
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

PAGE = 600
LONGEST_NAME = 24
LEGACY = ("prompt", "completion")
SIDES = {**dict.fromkeys(PREFERRED, ", preferred"), **dict.fromkeys(NON_PREFERRED, ", other")}
# What cannot be seen, or makes a browser draw its neighbours at another place.
SIGN = re.compile("([\\s\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff])")
# Where a line may end: between words, and not within one.
MAY_BREAK = "\u200b"
SIGNS = {"\n": "↵", "\t": "⇥", "\r": "␍", " ": "\u00a0", "\u00a0": "⍽"}


def show(work: Work, entry: Entry) -> None:
    """The tokens of this example, a page of them at a time, and what they add up to."""
    if entry.example is None:
        return
    if work.desk.encoding is None:
        st.markdown("Tokens cannot be counted on this machine: the encoding is missing.")
        return
    view = _view(f"{work.key}/{entry.position}/{entry.revision}", work.desk.encoding, work.measure.limit, entry.example)
    _sums(work, view)
    pages = -(-view.pieces // PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _legend(view)
        page = st.pagination(pages, key=f"tokens_{work.version.id}_{entry.position}_{pages}") if pages > 1 else 1
    st.markdown("\n\n".join(_paragraphs(view, page)))


@st.cache_resource(max_entries=16, show_spinner="Taking the text apart …")
def _view(key: str, encoding: str, limit: int | None, _example: Example) -> TokenView:
    return token_view(_example.data, encoding, limit)


def _sums(work: Work, view: TokenView) -> None:
    masked = view.billed - view.frame - view.trained
    parts = [f"**{number_of(view.billed, 'token')}** billed an epoch for {plain(work.measure.model)}"]
    parts.append(f"{view.trained:,} trained on ({view.trained / max(view.billed, 1):.0%})")
    parts += [f"{max(masked, 0):,} masked", f"{view.frame:,} frame"]
    if view.cut:
        parts.append(f":red[{view.cut:,} cut off at {view.limit:,}]")
    cost = data_price.of_an_example(work, view.billed)
    if cost is not None:
        parts.append("costs nothing here" if cost == "free" else f"{cost} an epoch")
    st.markdown(f":small[{' · '.join(parts)}]", help=f"Counted with {view.encoding}. {data_price.source(work)}.")


def _legend(view: TokenView) -> None:
    parts = [
        ":green-background[:green[trained on]]",
        ":gray-background[:gray[masked: read, not learned]]",
        ":violet[+4 user] frame: billed, no text",
    ]
    if view.cut:
        parts.append(":red-background[:red[~~cut off~~]]")
    st.markdown(f":small[{'  '.join(parts)}]", width="content")


def _paragraphs(view: TokenView, page: int) -> Iterator[str]:
    """One paragraph of markdown for each message on the page."""
    words: list[str] = []
    at = -1
    for number, piece in enumerate(view.page((page - 1) * PAGE, page * PAGE)):
        stretch = view.stretches[piece.stretch]
        # What the example costs by itself stands before its first message, not on a line of its own.
        if piece.stretch != at and _begins(stretch) and words and at > 0:
            yield "".join(words)
            words = []
        if piece.stretch != at:
            words.append(_opening(stretch))
        at = piece.stretch
        words.append(_framed(stretch, piece) if not piece.text else _word(stretch, piece, number % 2 == 1))
    if words:
        yield "".join(words)


def _begins(stretch: Stretch) -> bool:
    return stretch.part in ("message", "tools") or stretch.where in LEGACY


def _opening(stretch: Stretch) -> str:
    """What stands before a text that is not what somebody says, and between what would run together."""
    match stretch.part:
        case "tools":
            return f"\n\n:small[:gray[{stretch.where}]] "
        case "call" | "image" | "name":
            return " "
        case "content" if stretch.where in LEGACY:
            return f":small[:gray[{stretch.where}]] "
    return ""


def _framed(stretch: Stretch, piece: Piece) -> str:
    """A piece without a text: what it is, and how many tokens that takes."""
    colour = "red" if piece.cut else "violet"
    if stretch.part not in FRAME:
        return f" :{colour}[and {number_of(piece.tokens, 'token')} more of this text] "
    name = shortened(stretch.role or "message", LONGEST_NAME) if stretch.part == "message" else stretch.part
    return f":small[:{colour}[+{piece.tokens} {plain(name)}{SIDES.get(stretch.where, '')}]] "


def _word(stretch: Stretch, piece: Piece, odd: bool) -> str:
    """A token as a coloured word. Every second one has no background, so that each can be told from its neighbours."""
    colour = "red" if piece.cut else "green" if piece.trained else "gray"
    text = _seen(piece.text)
    if piece.cut:
        text = f"~~{text}~~"
    begins = MAY_BREAK if piece.text[:1].isspace() else ""
    ends = "  \n" if piece.text.endswith(("\n", "\r")) else ""
    drawn = f":{colour}[{text}]" if odd else f":{colour}-background[:{colour}[{text}]]"
    return f"{begins}{drawn}{ends}"


def _seen(text: str) -> str:
    """The text of a token, escaped, with signs for what cannot be seen."""
    return "".join(_sign(part) if SIGN.fullmatch(part) else plain(part) for part in SIGN.split(text) if part)


def _sign(letter: str) -> str:
    return SIGNS.get(letter) or plain(f"\\u{ord(letter):04X}")
