"""Many texts at once count as each by itself does, and as tiktoken does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.tokens import batch
from lib.tokens.batch import BatchCounter, batch_counter
from lib.tokens.encodings import load

NAMES = ["o200k_base", "cl100k_base", "etude_4k"]

hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=" \t\n\r\u00a0\u3000'sStTlLvVrReE0123456789", max_size=40),
    st.text(alphabet="'ſsSſ ʼnİıßẞǅéÉ本語가나नमสवัא", max_size=40),
    st.sampled_from(
        ["<|endoftext|>", "<|fim_prefix|> x", "a" * 2000, " " * 3000, "a\u0c5c's", "\u0378", "!\u1ad5\n\n"]
    ),
)


def counts(name: str, texts: list[str]) -> list[int]:
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return batch_counter(name).counts(texts, encoded).tolist()


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(hostile, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_batch_counts_as_tiktoken_does(name: str, texts: list[str]) -> None:
    encoding = load(name)
    assert counts(name, texts) == [len(encoding.encode_ordinary(text)) for text in texts]


@pytest.mark.parametrize("name", NAMES[:2])
def test_the_fast_counter_is_used_where_it_was_proven(name: str) -> None:
    assert batch_counter(name)._fast is not None
    assert batch_counter("etude_4k")._fast is None


def test_characters_that_only_one_of_them_knows_are_left_to_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    # Letters of Unicode 17: with the guard off the fast counter takes them for parts of words.
    texts = ["a\u0c5c's", "plain", "\u088f'll x"]
    encoding = load("o200k_base")
    wanted = [len(encoding.encode_ordinary(text)) for text in texts]
    assert counts("o200k_base", texts) == wanted
    monkeypatch.setattr(batch, "_strange", lambda texts, block: [])
    assert counts("o200k_base", texts) != wanted


def test_a_counter_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "SCHEMES", {"o200k_base": "cl100k"})
    batch._fast.cache_clear()
    try:
        assert BatchCounter("o200k_base")._fast is None
    finally:
        batch._fast.cache_clear()


def test_a_panic_costs_the_speed_and_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    class Panics:
        def encode_batch(self, texts: list[bytes], parallel: bool) -> None:
            raise PanicException

    counter = BatchCounter("o200k_base")
    monkeypatch.setattr(counter, "_fast", Panics())
    assert counter.counts(["hello world"], [b"hello world"]).tolist() == [2]


def test_a_million_equal_characters_and_blanks_are_counted_at_once() -> None:
    texts = ["a" * 1_000_000, " " * 1_500_000, "x" + " " * 1_500_000 + "y"]
    found = counts("o200k_base", texts)
    assert found[0] == 125_000
    assert found[1] > 0
    assert found[2] == pytest.approx(found[1] + 2, abs=2)


def test_no_texts_have_no_counts() -> None:
    assert counts("o200k_base", []) == []
