"""One pass over lines: every example is parsed, checked, counted and hashed once.

A second thread counts tokens and looks for words while this one parses. Knows JSON lines; how the parts of a file
become one survey is for survey.py, what compares examples with each other is elsewhere.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import numpy.typing as npt

from lib.dataset.examine import TEXT_RULES, examine
from lib.dataset.example import Method
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines, value_of
from lib.dataset.rules.case import Case
from lib.dataset.rules.quality import ANSWER_RULES
from lib.dataset.survey.answers import Answers
from lib.dataset.survey.columns import Columns
from lib.dataset.survey.facts import facts_of
from lib.dataset.survey.plain import Block, PlainReader
from lib.dataset.survey.scan import Hits, Scanner, joined
from lib.tokens.batch import BatchCounter, Counts

# Examples in a block: enough for batches to pay, few enough for their texts to stay in the processor's cache.
BLOCK = 2_000
# A block also ends when its lines have so many bytes together.
BLOCK_BYTES = 8 << 20
# Blocks that may wait to be counted while the next ones are parsed: this is what bounds the memory.
MOST_WAITING = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What one pass found in lines that follow each other; places count from the first of them.

    `columns` has a row for every line, those that are no examples included, which `good` tells. `places` has for each
    code where it occurs, and may name a place twice.
    """

    columns: Columns
    good: npt.NDArray[np.bool_]
    places: dict[str, array[int]]
    answers: Answers
    systems: dict[int, str]
    problems: Findings

    def __len__(self) -> int:
        return len(self.good)


class Pass:
    """The state of one pass over the first lines. Places are indexes of lines, examples or not."""

    def __init__(self, lines: Lines, method: Method, counter: BatchCounter | None) -> None:
        self._lines = lines
        self._method = method
        self._counter = counter
        self._per_role = {role: counter.count(role) if counter else 0 for role in ("system", "user", "assistant")}
        self._columns = Columns.joined([]).room_for(len(lines))
        self._good = np.ones(len(lines), np.bool_)
        self._answers = Answers()
        self._plain = PlainReader(self._answers)
        self._scanner = scanner()
        self._places: dict[str, array[int]] = {}
        self._problems = Findings()
        self._waiting: list[tuple[Block, bytes, Future[tuple[Hits, Counts | None]]]] = []

    def take(self, begun: int, ended: int, pool: ThreadPoolExecutor) -> None:
        """Survey the lines of one block."""
        raws = self._lines.block(begun, ended)
        # Rules of shape have nothing to say about a plain conversation where conversations are wanted.
        if self._method == "supervised":
            block, others = self._plain.take(raws, begun)
        else:
            block, others = Block(), list(range(begun, ended))
        for place in others:
            self._take_slowly(raws[place - begun], place)
        if block.places:
            held = joined(block.encoded)
            self._waiting.append((block, held, pool.submit(self._look, block.encoded, held)))
            self.settle(MOST_WAITING)

    def settle(self, most: int) -> None:
        """Keep what the other thread found, until at most so many blocks wait."""
        while len(self._waiting) > most:
            block, held, looked = self._waiting.pop(0)
            hits, counted = looked.result()
            counts = self._counter.settle(block.texts, held, counted) if self._counter else None
            self._keep(block, counts)
            self._ask_the_rules(block, self._scanner.settle(block.encoded, held, hits))

    def _look(self, encoded: Sequence[bytes], held: bytes) -> tuple[Hits, Counts | None]:
        """What takes long and needs nothing of Python: it runs in the other thread."""
        return self._scanner.hits(held), self._counter.fast_counts(encoded) if self._counter else None

    def result(self, ended: int) -> Part:
        """What was found in the lines before this place, all of which were taken."""
        self.settle(0)
        columns = {name: held[:ended] for name, held in self._columns.arrays().items()}
        return Part(
            columns=Columns(**columns),
            good=self._good[:ended],
            places=self._places,
            answers=self._answers,
            systems=self._plain.systems,
            problems=self._problems,
        )

    def _keep(self, block: Block, counts: Counts | None) -> None:
        places = np.asarray(block.places)
        for name, values in block.columns(counts, self._per_role).arrays().items():
            getattr(self._columns, name)[places] = values

    def _ask_the_rules(self, block: Block, suspects: Mapping[int, set[int]]) -> None:
        owner = np.repeat(np.arange(len(block.places)), block.lengths)
        rules: dict[int, set[int]] = {}
        for text, which in suspects.items():
            rules.setdefault(int(owner[text]), set()).update(which)
        begun = np.cumsum(block.lengths) - block.lengths
        doubtful = set(block.doubtful)
        for index in rules.keys() | doubtful:
            case = Case.of(block.data(index, int(begun[index])), self._method, 0, 1)
            asked = [TEXT_RULES[one].rule for one in rules.get(index, ())]
            asked += ANSWER_RULES if index in doubtful else ()
            self._note(block.places[index], chain.from_iterable(rule(case) for rule in asked))

    def _take_slowly(self, raw: bytes, place: int) -> None:
        number = self._lines.number(place)
        data, read = value_of(raw, number)
        if data is None:
            for problem in read:
                self._problems.add(problem)
            self._good[place] = False
            return
        facts = facts_of(data, self._counter.count if self._counter else None)
        self._columns.put(place, facts, len(raw))
        if facts.system_text is not None:
            self._plain.systems.setdefault(facts.system, facts.system_text)
        if facts.answer:
            self._answers.see(place, facts.answer)
        self._note(place, chain(read, examine(Case.of(data, self._method, 0, 1))))

    def _note(self, place: int, findings: Iterable[Finding]) -> None:
        for code in {finding.code for finding in findings}:
            self._places.setdefault(code, array("i")).append(place)


def part_of(lines: Lines, method: Method, counter: BatchCounter | None) -> Part:
    """What one pass over all of these lines finds."""
    with ThreadPoolExecutor(1) as pool:
        work = Pass(lines, method, counter)
        for begun, ended in lines.blocks(BLOCK, BLOCK_BYTES):
            work.take(begun, ended, pool)
        return work.result(len(lines))


@cache
def scanner() -> Scanner:
    """The one scanner: it takes a while to build, and knows nothing but the rules."""
    return Scanner(TEXT_RULES)
