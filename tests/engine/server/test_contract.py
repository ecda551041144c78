"""The engine against OpenAI's own document of its service: schemathesis sends some thousand requests made from it.

The document lies beside this checkout, and schemathesis runs as a program of its own.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.server.conftest import BASE, EXAMPLES, ROOT, Start

pytestmark = pytest.mark.slow

SPEC = ROOT / ".." / "shared" / "spec"
PROGRAM = Path(sys.executable).with_name("st")
# Ids that the document gives as examples: requests with them must find something.
FILE, JOB = "file-abc123", "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
EXAMPLES_AN_OPERATION = 10
FEWEST_CASES = 1000
LONGEST_SECONDS = 60


def enter_the_documents_examples(home: Path) -> None:
    """A file, and a job that is paused, under the ids of the document."""
    (home / "files" / FILE).write_bytes(EXAMPLES)
    (home / "jobs" / JOB).mkdir()
    (home / "jobs" / JOB / "training.jsonl").write_bytes(EXAMPLES)
    now = int(time.time())
    with closing(sqlite3.connect(home / "engine.db")) as db, db:
        db.execute(
            "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, 'train.jsonl', 'fine-tune', ?, ?)",
            (FILE, len(EXAMPLES), now),
        )
        db.execute(
            "INSERT INTO jobs (id, status, model, base, training_file, method, hyperparameters, seed, tag, created_at)"
            " VALUES (?, 'paused', ?, ?, ?, 'supervised', ?, 1, 'abcdefgh', ?)",
            (JOB, BASE, BASE, FILE, '{"n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 1.0}', now),
        )


def test_every_answer_is_one_that_the_document_allows(start_engine: Start, tmp_path: Path) -> None:
    if not SPEC.is_dir():
        pytest.skip("OpenAI's document is not beside this checkout (../shared/spec)")
    if not PROGRAM.exists():
        pytest.skip("schemathesis is not installed (requirements-dev.txt)")
    start_engine(tmp_path / "home").close()
    enter_the_documents_examples(tmp_path / "home")
    engine = start_engine(tmp_path / "home")
    command = [PROGRAM, "--config-file", SPEC / "schemathesis.toml", "run", SPEC / "openai_finetuning.openapi.json"]
    bounds = ["--url", engine.base_url, "--max-examples", str(EXAMPLES_AN_OPERATION), "--no-color"]
    # A disk that others keep busy can hold a commit up for longer than the document's own settings allow.
    bounds += ["--request-timeout", str(LONGEST_SECONDS)]
    environment = os.environ | {"ST_KEY": engine.api_key, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis")}
    ran = subprocess.run(
        [*command, *bounds],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * LONGEST_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    operations = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", ran.stdout)
    assert operations is not None
    assert len(set(operations.groups())) == 1, "some operations of the document were left out"
    cases = re.search(r"(\d+) generated, (\d+) passed", ran.stdout)
    assert cases is not None
    assert cases[1] == cases[2]
    assert int(cases[1]) > FEWEST_CASES
    assert engine.close() == 0
