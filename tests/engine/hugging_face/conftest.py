"""Model folders of two families, made once, and models loaded from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.engine.hugging_face import offline  # noqa: F401

# isort: split
from tests.engine.hugging_face import tiny


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen-style model whose template knows tools and thoughts."""
    return tiny.save(tmp_path_factory.mktemp("qwen") / "tiny-qwen", "qwen", tiny.QWEN)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama-style model whose template marks what the assistant says."""
    return tiny.save(tmp_path_factory.mktemp("llama") / "tiny-llama", "llama", tiny.LLAMA)
