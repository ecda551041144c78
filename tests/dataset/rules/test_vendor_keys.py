from __future__ import annotations

from random import Random

import pytest

from lib.dataset.rules.vendor_keys import LONG_RUN, PREFIXES, VENDOR_KEY, is_mixed, is_random, vendor_of
from tests.dataset.rules.planted import VENDOR_KEYS


@pytest.mark.parametrize("make", VENDOR_KEYS)
def test_a_key_is_announced_by_its_prefix_and_a_long_run(make) -> None:
    for seed in range(20):
        key = make(Random(seed))
        found = VENDOR_KEY.search(key)
        if found is None:
            assert ":AA" in key, "a bot of Telegram has a rule of its own"
            continue
        assert LONG_RUN.search(key)
        assert any(prefix in key for prefix in PREFIXES)
        assert vendor_of(found.group())


def test_the_more_particular_vendor_is_named() -> None:
    assert vendor_of("sk-" + "ant-a1B2c3D4e5F6g7H8i9J0") == "Anthropic"
    assert vendor_of("sk-" + "a1B2c3D4e5F6g7H8i9J0") == "OpenAI"


def test_what_is_drawn_by_lot() -> None:
    assert is_random("a1B2c3D4e5F6")
    assert not is_random("abcdefgijklm"), "no digit"
    assert not is_random("aaaaaaaaaaa1"), "hardly any different signs"
    assert not is_random("your-a1B2c3D4e5F6")
    assert is_mixed("a1B2c3D4e5F6g7H8")
    assert is_mixed("0123456789abcdef0123456789abcdef"[::-1])
    assert not is_mixed("CustomerOrder2024Identifier")
