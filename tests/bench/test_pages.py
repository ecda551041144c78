"""What a page costs must not depend on how much data there is: reruns of Data at 100,000 examples against 1,000."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.workspace.database import Workspace
from tests.bench.generated import write_examples
from tests.pages.conftest import ROOT, WITH_THE_ROAD

FEW, MANY = 1_000, 100_000
RERUNS = 15
# The reference measured for a page of slices is 1.03; what is above 1.3 has begun to look at the whole.
MOST = 1.3


def _rerun(home: Path, examples: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """The least CPU seconds of a rerun of Data over so many examples."""
    monkeypatch.setenv("ETUDE_HOME", str(home))
    st.cache_data.clear()
    st.cache_resource.clear()
    path = write_examples(home.parent / f"{examples}.jsonl", examples)
    version = shelf.bring_in(Workspace.open(home), path, path.name)
    page = AppTest.from_string(WITH_THE_ROAD.format(page=str(ROOT / "pages" / "data.py")), default_timeout=300)
    page.session_state["chosen_version"] = version.id
    page.run()
    assert not page.exception
    times = []
    for _ in range(RERUNS):
        begun = time.process_time()
        page.run()
        times.append(time.process_time() - begun)
    assert not page.exception
    return min(times)


@pytest.mark.bench
def test_a_rerun_costs_the_same_with_many_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = _rerun(tmp_path / "few", FEW, monkeypatch)
    many = _rerun(tmp_path / "many", MANY, monkeypatch)
    print(f"\nRerun of Data: {1000 * few:.1f} ms at {FEW:,}, {1000 * many:.1f} ms at {MANY:,}, ratio {many / few:.2f}")
    assert many / few <= MOST
