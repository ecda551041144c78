from __future__ import annotations

from lib.catalog.limits import limits


def test_openai_has_the_bounds_of_the_specification() -> None:
    bounds = limits("openai")
    assert (bounds.epochs, bounds.batch_size, bounds.beta) == ((1, 50), (1, 256), (0, 2))
    assert bounds.suffix_length == (1, 64)
    assert bounds.least_examples == 10


def test_azure_takes_shorter_suffixes_and_is_else_the_same() -> None:
    assert limits("azure").suffix_length == (1, 18)
    assert limits("azure").epochs == limits("openai").epochs


def test_a_service_that_nobody_knows_has_the_common_bounds() -> None:
    assert limits("elsewhere") == limits("openai")
