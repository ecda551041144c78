"""Examples as flat arrays: what the network reads, what it should say, what is billed, and what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.engine.template import Rendered, Template
from lib.engine.train.corpus import UNTRAINED, load, pack
from lib.engine.train.corpus import conversation as one_row
from lib.errors import DataError
from lib.tokens.billing import example_tokens

PAD = 99


def count(text: str) -> int:
    return len(text.encode())


def conversation(answer: str, **extra: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": answer, **extra}]}


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_batch_pads_on_the_right_and_asks_only_for_trained_ids() -> None:
    corpus = pack(
        [Rendered([1, 2, 3, 4, 5], [False, False, True, False, True]), Rendered([6, 7, 8], [False, True, False])]
    )
    read, said = corpus.batch(np.array([0, 1]), PAD)
    assert read.tolist() == [[1, 2, 3, 4], [6, PAD, PAD, PAD]]
    assert said.tolist() == [[UNTRAINED, 3, UNTRAINED, 5], [7, UNTRAINED, UNTRAINED, UNTRAINED]]


def test_what_follows_the_last_trained_id_is_not_read() -> None:
    corpus = pack([Rendered([1, 2, 3, 4], [False, True, False, False])])
    assert corpus.lengths.tolist() == [1]
    assert corpus.ids.tolist() == [1, 2]


def test_an_example_without_trained_ids_teaches_nothing() -> None:
    corpus = pack([Rendered([1, 2], [False, False]), Rendered([1, 2], [False, True])])
    read, said = corpus.batch(np.array([0]), PAD)
    assert (read.tolist(), said.tolist()) == ([[PAD]], [[UNTRAINED]])


def test_a_file_is_loaded_with_its_bill(tmp_path: Path, template: Template) -> None:
    lines = [conversation("Yes."), conversation("x" * 500), conversation("No.", weight=0)]
    calls: list[None] = []
    corpus = load(written(tmp_path, *lines), one_row, template, lambda: calls.append(None))
    assert len(corpus) == len(calls) == 3
    assert corpus.billed_tokens == sum(example_tokens(line, count, template.context) for line in lines)
    assert corpus.lengths.tolist()[1:] == [template.context - 1, 0]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{not json", json.dumps(conversation("Yes."))], "line 1"),
        ([json.dumps(conversation("No.", weight=0))], "No example has an assistant message"),
        ([json.dumps({"messages": [{"role": "assistant", "tool_calls": [{}]}]})], "Example 1: A tool call lacks"),
        (["PK\x03\x04"], "data.jsonl"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(
    tmp_path: Path, template: Template, lines: list[str], words: str
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as told:
        load(path, one_row, template, lambda: None)
    assert words.lower() in str(told.value).lower()
    assert "Traceback" not in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path, template: Template) -> None:
    with pytest.raises(DataError, match="could not be opened"):
        load(tmp_path / "nothing.jsonl", one_row, template, lambda: None)
