from __future__ import annotations

import random

import pytest

from tests.fuzz.fuzz_source import BEGINNINGS, mutated, try_one


@pytest.mark.parametrize("seed", range(4))
def test_a_few_hundred_spoilt_files_are_lines_or_one_sentence(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(100):
        content = mutated(source)
        try:
            try_one(content)
        except Exception as error:
            raise AssertionError(f"broken by {content[:2000]!r}") from error


def test_what_is_not_spoilt_comes_in() -> None:
    for content in BEGINNINGS:
        try_one(content)
