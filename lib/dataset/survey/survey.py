"""Surveys a file: what is known about each of its examples after one pass, and where each kind of finding occurs.

What is kept is a row of numbers for each example; the sentences are made again for the few examples that are on a
screen. A large file is gone through from both ends where a second reader is given. Knows JSON lines; which file they
came from and what compares examples with each other are elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.example import Method
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines, value_of
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most
from lib.dataset.survey.answers import Labels
from lib.dataset.survey.columns import Columns
from lib.dataset.survey.one_pass import BLOCK, BLOCK_BYTES, Part, Pass, part_of
from lib.dataset.survey.second_reader import Read, SecondReader
from lib.dataset.survey.shares import Shares
from lib.tokens.batch import BatchCounter

Progress = Callable[[int], None]
Integers = npt.NDArray[np.int64]
Found = dict[str, npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known about the examples of a file.

    `lines` are those that are examples; positions in `columns`, `labels` and `found` count them from 0. `found` has for
    each code the positions, ascending, of the examples with such a finding. `systems` has the text for each hash in
    `columns.system`, of the first few thousand. `problems` are the findings about lines that are no examples, all of
    them counted in `totals`. `encoding` is None when no tokens were counted.
    """

    lines: Lines
    method: Method
    encoding: str | None
    columns: Columns
    found: Found
    labels: Mapping[str, Labels]
    systems: Mapping[int, str]
    problems: tuple[Finding, ...]
    totals: Mapping[str, int]


def survey(
    lines: Lines,
    *,
    method: Method | None = None,
    counter: BatchCounter | None = None,
    progress: Progress | None = None,
    second: SecondReader | None = None,
) -> Survey:
    """Survey all lines. `method` is recognised from the first lines when it is not given.

    `progress` is called with the number of lines done, after each block; what it raises ends the survey. `second` goes
    through a part of the lines at the same time; what is found is the same.
    """
    method = method or method_of_most(_first(lines))
    shares = Shares(lines, BLOCK, BLOCK_BYTES)
    there = second.reading(lines, method, counter, shares) if second else nullcontext[Read]([])
    with there as read:
        front = _from_front(lines, method, counter, shares, progress)
    later = [part or part_of(lines.part(*share), method, counter) for share, part in reversed(read)]
    return _joined(lines, method, counter, [front, *later])


def _from_front(
    lines: Lines, method: Method, counter: BatchCounter | None, shares: Shares, progress: Progress | None
) -> Part:
    work = Pass(lines, method, counter)
    with ThreadPoolExecutor(1) as pool:
        try:
            while (share := shares.from_front()) is not None:
                work.take(*share, pool)
                if progress:
                    progress(shares.given)
            return work.result(shares.met)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _joined(lines: Lines, method: Method, counter: BatchCounter | None, parts: Sequence[Part]) -> Survey:
    """One survey of parts that follow each other, by the positions of the examples."""
    good = np.concatenate([part.good for part in parts])
    kept = np.flatnonzero(good)
    position = np.cumsum(good) - 1
    every = len(kept) == len(good)
    first, places, systems, problems = parts[0], defaultdict[str, list[Integers]](list), dict[int, str](), Findings()
    begun = 0
    for part in parts:
        if part is not first:
            first.answers.follow(part.answers, begun)
        for code, held in part.places.items():
            places[code].append(np.asarray(held, np.int64) + begun)
        systems |= part.systems
        problems.follow(part.problems)
        begun += len(part)
    columns = Columns.joined([part.columns for part in parts])
    return Survey(
        lines=lines if every else lines.only(kept),
        method=method,
        encoding=counter.name if counter else None,
        columns=columns if every else Columns(**{name: held[kept] for name, held in columns.arrays().items()}),
        found={code: np.unique(position[np.concatenate(held)]).astype(np.int32) for code, held in places.items()},
        labels=first.answers.labels(kept),
        systems=systems,
        problems=problems.kept(),
        totals=problems.totals(),
    )


def _first(lines: Lines) -> Iterable[dict[str, Any]]:
    for raw in lines.block(0, min(LOOKED_AT_FIRST, len(lines))):
        data, _ = value_of(raw, 0)
        if data is not None:
            yield data
