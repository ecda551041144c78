from __future__ import annotations

from lib.dataset.excerpt import excerpt


def test_a_word_in_a_long_text_is_told_with_a_little_around_it() -> None:
    before = "a" * 200 + " wrong " + "b" * 200
    old, new = excerpt(before, before.replace("wrong", "right"), around=5)
    assert (old, new) == ("…aaaa wrong bbbb…", "…aaaa right bbbb…")


def test_short_texts_are_told_whole() -> None:
    assert excerpt("yes", "no") == ("yes", "no")
    assert excerpt("", "new") == ("", "new")
    assert excerpt("same", "same") == ("same", "same")


def test_what_repeats_itself_is_not_counted_twice() -> None:
    assert excerpt("aaa", "aa", around=0) == ("…a", "…")


def test_a_long_stretch_is_cut() -> None:
    old, new = excerpt("x" * 1000, "y", longest=100)
    assert old == "x" * 100 + "…"
    assert new == "y"
