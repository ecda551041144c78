"""Looks at validation examples: cheap, in turn, and soon."""

from __future__ import annotations

import pytest

from lib.engine.train.looks import Looks


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 16, 100, 256])
@pytest.mark.parametrize("examples", [1, 3, 60, 1000])
def test_at_most_one_validated_for_four_trained(examples: int, batch_size: int) -> None:
    looks = Looks(examples, batch_size)
    steps = 400
    validated = sum(len(looks.at(step)) for step in range(1, steps + 1) if looks.due(step))
    assert 1 <= looks.size <= examples
    assert validated <= steps * batch_size / 4 + looks.size
    assert looks.due(1)


def test_every_example_has_its_turn() -> None:
    looks = Looks(10, 1)
    seen = [int(one) for step in range(1, 200) if looks.due(step) for one in looks.at(step)]
    assert seen[:12] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
