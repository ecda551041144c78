"""Untrusted text loses its power where Streamlit reads markdown, and loses nothing else."""

from __future__ import annotations

import re

import pytest

from lib.ui.plain import plain, shortened


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/x.png)",
        "[text](http://evil.example)",
        "<img src=x>",
        ":red[loud]",
        ":material/home:",
        "$x^2$",
        "# title",
        "back\\slash",
    ],
)
def test_untrusted_text_loses_its_power_and_no_letter(text: str) -> None:
    shown = plain(text)
    unescaped = re.sub(r"\\.", "", shown)
    assert not set(unescaped) & set("![]()<>:$#^\\*_`")
    seen = re.sub(r"\\(.)", r"\1", shown)
    assert ":material/" not in seen
    assert seen.replace("\u2060", "") == text


def test_shortened_text_says_that_it_is() -> None:
    assert shortened("a  b\nc", 80) == "a b c"
    assert shortened("x" * 100, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "text", ["see http://evil.example/x", "HTTPS://evil.example", "www.evil.example", "a@b.example"]
)
def test_nothing_becomes_a_link_by_itself(text: str) -> None:
    # As remark-gfm finds links: in the text that is left when the escapes are read.
    read = plain(text).replace("\\", "")
    assert not re.search(r"(?i)https?://|www(?=\.)|[-.\w+]+@[-\w]+\.", read)
    assert read.replace("\u2060", "") == text
