"""The tokens of one example: what is trained on is told from what is not, and no text becomes markup."""

from __future__ import annotations

import re
from typing import Any

from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.shelf import Version
from lib.ui.data_tokens import PAGE
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many, pair
from tests.pages.conftest import words
from tests.pages.data_views import checked, opened


def bring_in(ws: Workspace, first: dict[str, Any]) -> Version:
    return shelf.bring_in(ws, lines_of([first, *many(11)]), "cases.jsonl")


def tokens() -> AppTest:
    return opened("data_tokens", "show(work, work.entries([0])[0])")


def text(page: AppTest) -> str:
    """The tokens as they stand there."""
    return str(page.markdown[-1].value)


def painted(page: AppTest, colour: str) -> str:
    """The words in this colour, on a ground or without, put together."""
    found = re.findall(rf":{colour}\[((?:[^\[\]\\]|\\.)*)\]", text(page))
    return re.sub(r"\\(.)", r"\1", "".join(found)).replace("\u00a0", " ")


def test_the_answer_is_green_and_the_question_is_not(workspace: Workspace) -> None:
    bring_in(workspace, chat("Who is it?", "It is me."))
    page = tokens()
    assert painted(page, "green") == "It is me."
    assert painted(page, "gray") == "Who is it?"
    assert not painted(page, "red")
    assert "cut off" not in words(page)


def test_a_masked_answer_is_not_green(workspace: Workspace) -> None:
    data = chat("Who?", "Nobody.")
    data["messages"][1]["weight"] = 0
    bring_in(workspace, data)
    page = tokens()
    assert not painted(page, "green")
    assert "0 trained on" in words(page)


def test_the_sum_is_what_is_billed_and_the_cost_is_told(workspace: Workspace) -> None:
    bring_in(workspace, chat("Who is it?", "It is me."))
    page = opened("data_tokens", "show(work, work.entries([0])[0]); st.text(work.tokens_of(0))")
    billed = page.text[-1].value
    assert f"**{billed} tokens** billed an epoch" in words(page)
    assert "costs nothing here" in words(page)


def test_a_long_example_is_cut_in_red_and_turned_page_by_page(workspace: Workspace) -> None:
    bring_in(workspace, chat("word " * 3000, "The end."))
    page = tokens()
    assert "cut off at" in words(page)
    assert text(page).count("-background[") <= PAGE
    assert not painted(page, "green")
    [pages] = page.get("pagination")
    assert pages.proto.num_pages > 3


def test_an_edit_is_seen_at_once(workspace: Workspace) -> None:
    version = bring_in(workspace, chat("Who?", "Old words."))
    page = tokens()
    drafts.change(workspace, version.id, 0, chat("Who?", "New words."), 0)
    checked(page.run())
    assert painted(page, "green") == "New words."


def test_a_removed_example_has_no_tokens(workspace: Workspace) -> None:
    version = bring_in(workspace, chat())
    drafts.change_all(workspace, version.id, [(0, None, 0)])
    assert not tokens().markdown


def test_both_answers_of_a_pair_are_told_apart(workspace: Workspace) -> None:
    shelf.bring_in(workspace, lines_of([pair(f"Which {n}?") for n in range(12)]), "pairs.jsonl")
    page = tokens()
    assert "assistant, preferred" in text(page)
    assert "assistant, other" in text(page)


def test_hostile_text_stays_text(workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png) <script>alert(1)</script> :red[a] `b` $c$ www.evil.example\n# d\n\u202ee"
    data = chat(hostile, hostile, system=hostile)
    data["messages"][1] |= {"name": hostile, "role": f"x{hostile}"}
    bring_in(workspace, data)
    shown = text(tokens())
    assert "\u202e" not in shown
    # Without our own colours nothing is left that markdown would act on.
    rest = re.sub(r"\\.", "", shown)
    while rest != (less := re.sub(r":(?:small|(?:green|gray|red|violet)(?:-background)?)\[[^\[\]]*\]", "", rest)):
        rest = less
    assert not re.search(r"[\[\]<>`$#!*]", rest)
    assert not re.search(r"http|www\.", rest)
