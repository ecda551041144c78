"""The examples of a training or validation file as token ids, packed into flat arrays.

It knows the file and the template, not the network. A file that cannot be trained on raises DataError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.dataset import jsonl
from lib.engine.model import ChatTemplate
from lib.engine.template import Rendered
from lib.engine.train.batches import Indices, Lengths
from lib.errors import DataError

# A target at a position that is not trained on: what torch's cross entropy leaves out.
UNTRAINED = -100

# What becomes of one example of a file: the rows that are read of it, and the tokens that one epoch of it is billed as.
Render = Callable[[Mapping[str, Any], ChatTemplate], tuple[Sequence[Rendered], int]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows of ids one after another: row i has those from `starts[i]` to `starts[i + 1]`.

    A conversation is one row, a preference pair two. `lengths` counts what the network reads of each, all ids but the
    last, and `trained_tokens` what it is trained to say. `billed_tokens` is what a service would bill for one epoch.
    """

    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    starts: NDArray[np.int64]
    lengths: Lengths
    trained_tokens: NDArray[np.int64]
    billed_tokens: int = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: Indices, pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What the network reads and what it should say, (rows, tokens) each, padded on the right.

        Targets are UNTRAINED where nothing is learned.
        """
        lengths = self.lengths[rows]
        shape = (len(rows), max(1, int(lengths.max())))
        read = np.full(shape, pad, dtype=np.int64)
        said = np.full(shape, UNTRAINED, dtype=np.int64)
        for row, (start, length) in enumerate(zip(self.starts[rows], lengths, strict=True)):
            following = slice(start + 1, start + 1 + length)
            read[row, :length] = self.ids[start : start + length]
            said[row, :length] = np.where(self.trained[following], self.ids[following], UNTRAINED)
        return read, said


def pack(rows: Iterable[Rendered], billed_tokens: int = 0) -> Corpus:
    """The corpus of rendered rows. Ids after the last trained one are left out: nothing depends on them."""
    ids, trained, ends = bytearray(), bytearray(), [0]
    for row in rows:
        end = max((place + 1 for place, is_trained in enumerate(row.trained) if is_trained), default=0)
        ids += np.array(row.ids[:end], dtype=np.int32).tobytes()
        trained += bytes(row.trained[:end])
        ends.append(ends[-1] + end)
    starts = np.array(ends, dtype=np.int64)
    said = np.frombuffer(trained, dtype=np.bool_)
    return Corpus(
        ids=np.frombuffer(ids, dtype=np.int32),
        trained=said,
        starts=starts,
        lengths=np.maximum(np.diff(starts) - 1, 0),
        trained_tokens=np.diff(np.concatenate(([0], said.cumsum()))[starts]),
        billed_tokens=billed_tokens,
    )


def conversation(data: Mapping[str, Any], template: ChatTemplate) -> tuple[Sequence[Rendered], int]:
    """The one row of a supervised example, and its bill. Raises DataError for one that cannot be rendered."""
    row = template.example(data)
    return [row], template.billed(data, row)


def load(path: Path, render: Render, template: ChatTemplate, between: Callable[[], None]) -> Corpus:
    """The examples of a JSONL file, as the template renders and bills them.

    `between` is called after each example, so that loading can be stopped. Raises DataError when the file cannot be
    read, or when nothing in it can be trained on.
    """
    lines = jsonl.text_lines(path, path.name)
    rows: list[Rendered] = []
    billed_tokens = 0
    for number in range(len(lines)):
        data, problems = jsonl.value_of(lines.raw(number), lines.number(number))
        if data is None:
            raise DataError(problems[0].text, line=problems[0].line)
        try:
            rendered, billed = render(data, template)
        except DataError as error:
            raise DataError(f"Example {number + 1}: {error.what}", error.todo, line=number + 1) from error
        rows += rendered
        billed_tokens += billed
        between()
    corpus = pack(rows, billed_tokens)
    if not corpus.trained.any():
        raise DataError("No example has an assistant message that can be trained on.")
    return corpus
