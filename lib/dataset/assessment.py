"""Everything that can be said about the examples of a survey: what each says by itself and what they say together.

It stays right when examples change: only what is touched is looked at again, so that an edit among a million examples
costs a moment. Sentences are made when they are asked for. Knows neither files nor versions; `Read` brings an example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset import labels as label_rules
from lib.dataset import likeness, systems
from lib.dataset.examine import examine
from lib.dataset.finding import Finding
from lib.dataset.jsonl import Lines, value_of
from lib.dataset.near import near
from lib.dataset.rules.case import Case
from lib.dataset.rules.size import CODE as OVER_LIMIT
from lib.dataset.rules.size import LEAST_EXAMPLES, cut, near_not_looked_for, too_few
from lib.dataset.survey.answers import JSON_ANSWER, TEXT_ANSWER, label_in
from lib.dataset.survey.columns import Columns
from lib.dataset.survey.facts import facts_of
from lib.dataset.survey.survey import Survey, survey
from lib.tokens.batch import BatchCounter

Positions = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
# The line of each of these positions as it is now; None where the example is removed.
Read = Callable[[Sequence[int]], Sequence[bytes | None]]

# Near duplicates are looked for by themselves among up to so many examples: it takes as long again as the rest.
LOOKED_THROUGH = 20_000
NEAR_DUPLICATE, NEAR_LEAK = "near_duplicate", "near_leak"
NONE: Positions = np.empty(0, np.int64)


class Assessment:
    """The examples of a survey as they are now, by position. `number` gives the line that a position stands on."""

    def __init__(
        self,
        surveyed: Survey,
        read: Read,
        *,
        counter: BatchCounter | None = None,
        held_out: Bits | None = None,
        number: Callable[[int], int] = lambda position: position + 1,
    ) -> None:
        self.method = surveyed.method
        self.columns: Columns = surveyed.columns
        self.present: Bits = np.ones(len(surveyed.columns), np.bool_)
        self.held_out: Bits = np.zeros(len(surveyed.columns), np.bool_) if held_out is None else held_out
        self.labels = dict(surveyed.labels)
        self.near: near.Near | None = None
        self._read, self._counter, self._number = read, counter, number
        self._texts = dict(surveyed.systems)
        self._single: dict[str, Positions] = {code: held.astype(np.int64) for code, held in surveyed.found.items()}
        self._alike = likeness.compare(self.columns.same, self.columns.prompt, self.held_out, self._positions())
        self._used: Counter[int] = Counter()
        hashes, numbers = np.unique(self.columns.system, return_counts=True)
        self._used.update(dict(zip(hashes.tolist(), numbers.tolist(), strict=True)))
        self._owned = False
        self._together: _Together | None = None

    def __len__(self) -> int:
        """The number of positions, those of removed examples included."""
        return len(self.columns)

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return int(self.present.sum())

    @property
    def training(self) -> int:
        """How many of them are trained on."""
        return int((self.present & ~self.held_out).sum())

    @property
    def validation(self) -> int:
        """How many of them are held out."""
        return int((self.present & self.held_out).sum())

    def tokens(self, limit: int | None = None) -> int:
        """What one epoch bills: the tokens of the training examples, each cut at `limit`."""
        held = self.columns.tokens if limit is None else np.minimum(self.columns.tokens, limit)
        return int(held.sum(where=self.present & ~self.held_out, dtype=np.int64))

    def found(self, limit: int | None = None) -> Mapping[str, Positions]:
        """For each code the positions, ascending, where it was found. `limit` is what a model reads of an example."""
        every = {code: held for code, held in self._single.items() if len(held)}
        for code, (held, _) in self._alike.found.items():
            if len(held):
                every[code] = held
        every.update(self.together.found)
        if limit is not None and len(over := np.flatnonzero((self.columns.tokens > limit) & self.present)):
            every[OVER_LIMIT] = over
        return every

    def about_the_whole(self) -> list[Finding]:
        """Findings that are about no example in particular."""
        few = [too_few(self.training)] if self.training < LEAST_EXAMPLES else []
        unseen = [near_not_looked_for(self.examples)] if self.near is None and len(self) > LOOKED_THROUGH else []
        return [*few, *label_rules.uneven(self.labels, self.present), *unseen]

    def look_for_near(self, lines: Lines, progress: Callable[[int], None] | None = None) -> None:
        """Look for near duplicates among the examples, which stand in `lines`, and keep that up from now on."""
        self.near = near.compare(lines, self.columns.same, self.present, progress)
        self._together = None

    def findings(self, positions: Sequence[int], limit: int | None = None) -> list[list[Finding]]:
        """All findings about each of these examples; none about a removed one.

        Kinds that compare examples come from what is known of all of them.
        """
        lines = self._read(positions)
        return [
            [] if line is None else self._findings(int(at), line, limit)
            for at, line in zip(positions, lines, strict=True)
        ]

    def replace(self, positions: Sequence[int], lines: Sequence[bytes | None]) -> None:
        """Put these lines in the place of what stands there; None removes. Positions may lie past the end.

        No position may come twice.
        """
        places = np.asarray(positions, np.int64)
        if not len(places):
            return
        self._make_room(int(places.max()) + 1)
        come = np.asarray([line is not None for line in lines], np.bool_)
        held = [line for line in lines if line is not None]
        fresh = survey(Lines.of(held), method=self.method, counter=self._counter)
        before = self._hashes(places)
        self._count_systems(places, -1)
        for name, values in fresh.columns.arrays().items():
            getattr(self.columns, name)[places[come]] = values
        self.present[places] = come
        self._texts.update(fresh.systems)
        self._count_systems(places, 1)
        self._put_single(places, places[come], fresh)
        touched = np.unique(np.concatenate([before, self._hashes(places)]))
        self._alike = likeness.compared_anew(
            self._alike, self.columns.same, self.columns.prompt, self.held_out, self.present, touched
        )
        self._put_labels(places, lines)
        if self.near is not None:
            self.near = self.near.replace(places.tolist(), self._data)
        self._together = None

    @property
    def together(self) -> _Together:
        """What examples say together, worked out once after each change."""
        if self._together is None:
            self._together = _Together(self)
        return self._together

    def used_systems(self) -> list[tuple[str, int]]:
        """The system messages in use, the most frequent first, with how many examples have each."""
        often = self._used.most_common()
        return [(self._texts[held], used) for held, used in often if held in self._texts and used > 0]

    def system_variants(self) -> dict[int, systems.Variant]:
        """For the hash of each system message that looks like a slip, what was probably meant."""
        return systems.variants(self._used, self._texts)

    def _findings(self, position: int, line: bytes, limit: int | None) -> list[Finding]:
        number = self._number(position)
        data, found = value_of(line, number)
        if data is None:
            return found
        case = Case.of(data, self.method, position, number)
        found.extend(examine(case))
        for code in likeness.CODES:
            first = self._alike.first(code, position)
            if first is not None:
                found.append(likeness.finding(case, code, first, self._number(first)))
        found.extend(self.together.findings(case, self._number))
        tokens = int(self.columns.tokens[position])
        if limit is not None and tokens > limit and self._counter is not None:
            found.append(cut(case, tokens, limit, self._counter.count))
        return found

    def _data(self, position: int) -> dict[str, Any] | None:
        (line,) = self._read([position])
        return None if line is None else value_of(line, 0)[0]

    def _positions(self) -> Positions:
        return np.flatnonzero(self.present)

    def _make_room(self, length: int) -> None:
        """Arrays of one's own, to write to, that reach so far."""
        if self._owned and length <= len(self.columns):
            return
        more = max(length - len(self.columns), 0)
        self.columns = self.columns.room_for(length)
        self.present = np.concatenate([self.present, np.zeros(more, np.bool_)])
        self.held_out = np.concatenate([self.held_out, np.zeros(more, np.bool_)])
        for name, held in self.labels.items():
            self.labels[name] = held.room_for(length)
        self._owned = True

    def _hashes(self, places: Positions) -> Positions:
        held = places[self.present[places]]
        return np.concatenate([self.columns.same[held], self.columns.prompt[held]])

    def _count_systems(self, places: Positions, sign: int) -> None:
        for held in self.columns.system[places[self.present[places]]].tolist():
            self._used[held] += sign

    def _put_single(self, places: Positions, come: Positions, fresh: Survey) -> None:
        gone = {code: held[~np.isin(held, places)] for code, held in self._single.items()}
        for code, held in fresh.found.items():
            gone[code] = np.union1d(gone.get(code, NONE), come[held])
        self._single = gone

    def _put_labels(self, places: Positions, lines: Sequence[bytes | None]) -> None:
        if not self.labels:
            return
        for at, line in zip(places.tolist(), lines, strict=True):
            answer = None if line is None else last_answer(line)
            for name, held in self.labels.items():
                self.labels[name] = held.with_label(at, label_in(answer, name))


class _Together:
    """What the examples of an assessment say together: labels, JSON answers, system messages, near duplicates."""

    def __init__(self, assessed: Assessment) -> None:
        self._assessed = assessed
        self._rare = {rare.position: rare for rare in label_rules.rare_labels(assessed.labels, assessed.present)}
        self._variants = assessed.system_variants()
        found: dict[str, Positions] = {}
        for code in (label_rules.RARE, label_rules.SINGLE):
            found[code] = np.asarray(sorted(at for at, rare in self._rare.items() if rare.code == code), np.int64)
        found[label_rules.NOT_JSON] = label_rules.not_json(assessed.columns.answer, assessed.present)
        slips = np.isin(assessed.columns.system, list(self._variants)) & assessed.present
        found[systems.CODE] = np.flatnonzero(slips) if self._variants else NONE
        if assessed.near is not None:
            partner = assessed.near.partner
            later = np.flatnonzero(partner >= 0)
            crosses = assessed.held_out[later] != assessed.held_out[partner[later]]
            found[NEAR_LEAK], found[NEAR_DUPLICATE] = later[crosses], later[~crosses]
        self.found = {code: held for code, held in found.items() if len(held)}

    def findings(self, case: Case, number: Callable[[int], int]) -> list[Finding]:
        """What is said about one example."""
        assessed, at, found = self._assessed, case.position, []
        if (rare := self._rare.get(at)) is not None:
            found.append(label_rules.rare_finding(case, rare))
        if (variant := self._variants.get(int(assessed.columns.system[at]))) is not None:
            found.append(systems.finding(case, variant))
        if _holds(self.found.get(label_rules.NOT_JSON, NONE), at):
            kinds = assessed.columns.answer[assessed.present]
            json = int((kinds == JSON_ANSWER).sum())
            found.append(label_rules.not_json_finding(case, json, json + int((kinds == TEXT_ANSWER).sum())))
        for code in (NEAR_LEAK, NEAR_DUPLICATE):
            if assessed.near is not None and _holds(self.found.get(code, NONE), at):
                partner = int(assessed.near.partner[at])
                found.append(_near_finding(case, code, number(partner), float(assessed.near.likeness[at])))
        return found


def last_answer(line: bytes) -> str | None:
    """The text of the last answer on a line."""
    data, _ = value_of(line, 0)
    return None if data is None else facts_of(data, None).answer


def _near_finding(case: Case, code: str, number: int, likeness: float) -> Finding:
    if code == NEAR_LEAK:
        text = f"is nearly the same as the one on line {number} ({likeness:.0%}), on the other side of the split."
        why = "The model is tested on what it has all but seen, so validation looks better than it is."
        return case.finding("warning", code, text, why, fix="remove_example")
    text = f"is nearly the same as the one on line {number} ({likeness:.0%} of its word sequences)."
    why = "It is paid for like a new example and teaches hardly anything new."
    return case.finding("info", code, text, why, fix="remove_example")


def _holds(positions: Positions, at: int) -> bool:
    place = int(positions.searchsorted(positions.dtype.type(at)))
    return place < len(positions) and int(positions[place]) == at


def raws_of(lines: Lines) -> Read:
    """Reads examples from lines that never change."""
    return lambda positions: [lines.raw(int(position)) for position in positions]
