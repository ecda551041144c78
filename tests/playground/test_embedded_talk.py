"""The same functions against the embedded service and its own weights: answers, stops, measurements, all real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.playground.held_out import Item, measure
from lib.playground.talk import ask
from lib.services import embedded
from lib.services.connection import Connection
from lib.services.doctor import examine
from lib.services.reach import reach
from lib.services.service import EMBEDDED
from lib.workspace.database import Workspace

BASE = "etude-tiny"
QUESTION = [{"role": "user", "content": "My invoice shows the wrong amount. Who can help?"}]


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    made = Workspace.open(tmp_path_factory.mktemp("embedded") / "home")
    yield made
    embedded.stop(made.home)


@pytest.fixture(scope="module")
def base(ws: Workspace) -> Iterator[Connection]:
    connection = reach(ws, EMBEDDED, {})
    assert connection is not None
    if BASE not in {one.id for one in connection.once.models.list()}:
        connection.close()
        pytest.skip("the built-in base model lies not in lib/engine/base yet")
    yield connection
    connection.close()


@pytest.mark.slow
def test_the_base_answers_stops_and_is_measured(ws: Workspace, base: Connection, tmp_path: Path) -> None:
    answering = ask(base, BASE, QUESTION, temperature=0.0, max_tokens=24, seed=1)
    pieces = list(answering)
    answer = answering.answer
    assert answer.complete
    assert answer.text == "".join(pieces)
    assert answer.tokens_in is not None
    assert answer.tokens_in > len(QUESTION[0]["content"].split())
    assert answer.tokens_out is not None
    assert 0 < answer.tokens_out <= 24

    cut = ask(base, BASE, QUESTION, temperature=1.0, max_tokens=500, seed=2)
    for _ in cut:
        cut.stop()
    assert (cut.answer.complete, cut.answer.stopped) == (False, True)

    again = ask(base, BASE, QUESTION, temperature=0.0, max_tokens=24, seed=1)
    assert "".join(again) == answer.text
    items: list[Item] = [(QUESTION, answer.text), (QUESTION, "something else entirely")]
    measured = measure(base, BASE, items, max_tokens=24, seed=1)
    assert [one.right for one in measured.outcomes] == [True, False]

    checks = list(examine(EMBEDDED, None, BASE, home=ws.home, chat=True))
    assert {check.state for check in checks} == {"ok"}, checks
