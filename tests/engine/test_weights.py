"""Which kind of model a folder holds, and that the built-in one is ready without the libraries of the other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib.engine import weights
from lib.errors import EngineError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("files", "is_hugging_face"),
    [
        ({"config.json": {"model_type": "llama"}}, True),
        ({"config.json": {"architecture": "etude-1"}}, False),
        ({"config.json": []}, False),
        ({"adapter_config.json": {}}, True),
        ({"adapter_config.json": {}, "config.json": {"architecture": "etude-1"}}, False),
        ({}, False),
    ],
)
def test_the_files_say_which_kind_it_is(tmp_path: Path, files: dict[str, object], is_hugging_face: bool) -> None:
    for name, held in files.items():
        (tmp_path / name).write_text(json.dumps(held))
    assert weights.is_hugging_face(tmp_path) is is_hugging_face


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 100_000])
def test_a_config_that_cannot_be_read_is_told_and_is_no_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert not weights.is_hugging_face(tmp_path)
    with pytest.raises(EngineError, match="not complete"):
        weights.load(tmp_path)


def test_the_built_in_model_is_loaded_without_transformers() -> None:
    code = (
        "import sys; from lib.engine import weights; from lib.engine.settings import BASES;"
        "import lib.engine.answer.__main__, lib.engine.train.start;"
        "weights.load(next(p for p in BASES.iterdir() if (p / 'model.safetensors').exists()));"
        "sys.exit(' '.join({'transformers', 'peft', 'tokenizers'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
