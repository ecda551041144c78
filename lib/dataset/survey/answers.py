"""What the answers of a file have in common: whether they are JSON, and which labels they carry.

Where few values come back again and again they are labels: of the whole answer, or of a field of answers in JSON. Keeps
two small numbers for each example and field. What is found does not depend on how a file is parted. What is unlike the
others is for labels.py to say.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

# Values are labels when there are few of them and most come back: at most so many, each on average so often.
MOST_LABELS = 60
LABEL_OCCURS = 5
LONGEST_LABEL = 60
# Below so many answers nothing is common enough to be stepped out of.
ENOUGH_ANSWERS = 20
# A field is no label when more than so many values are too long for one, and more than one in twenty.
FEW_LONG = 20
# The fields that are looked at are the first so many beside the whole answer; a part of a file keeps some more, since
# it does not know which were the first.
MOST_FIELDS, MOST_FIELDS_OF_A_PART = 8, 24
WHOLE_ANSWER = ""

# What the last answer of an example is, in the column `answer`.
NO_ANSWER, JSON_ANSWER, TEXT_ANSWER = 0, 1, 2
NO_LABEL = -1

DECODER = msgspec.json.Decoder(dict)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one field. `ids` has for each example the index of its name, or -1."""

    names: tuple[str, ...]
    ids: npt.NDArray[np.int16]

    def counts(self, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        """How many examples (of those among which is looked) have each label."""
        ids = self.ids if among is None else self.ids[among]
        return np.bincount(ids[ids >= 0], minlength=len(self.names))

    def room_for(self, length: int) -> Labels:
        """A copy that may be written to, without labels below when there are fewer rows than wanted."""
        ids = np.full(max(length, len(self.ids)), NO_LABEL, np.int16)
        ids[: len(self.ids)] = self.ids
        return Labels(self.names, ids)

    def with_label(self, position: int, name: str | None) -> Labels:
        """The labels after the example at this position got another one; `ids` is written to."""
        names = self.names
        if name is not None and name not in names:
            names = (*names, name)
        self.ids[position] = NO_LABEL if name is None else names.index(name)
        return Labels(names, self.ids)


@dataclass(slots=True)
class _Field:
    """One field while it is not known whether its values are labels. `names` is None once there are too many."""

    names: dict[str, int] | None = field(default_factory=dict)
    places: array[int] = field(default_factory=lambda: array("i"))
    ids: array[int] = field(default_factory=lambda: array("h"))
    seen: int = 0
    long: int = 0

    @property
    def has_labels(self) -> bool:
        return (
            self.names is not None
            and self.seen >= max(ENOUGH_ANSWERS, LABEL_OCCURS * len(self.names))
            and (self.long <= FEW_LONG or 20 * self.long <= self.seen)
        )

    def note(self, value: str, place: int) -> None:
        self.seen += 1
        if len(value) > LONGEST_LABEL:
            self.long += 1
        elif self.names is not None:
            label = self.names.setdefault(value, len(self.names))
            if label == MOST_LABELS:
                self.give_up()
            else:
                self.places.append(place)
                self.ids.append(label)

    def give_up(self) -> None:
        self.names, self.places, self.ids = None, array("i"), array("h")

    def follow(self, later: _Field, begun: int) -> None:
        """Take over what a later part of the file, which begins at the place `begun`, has in this field."""
        self.seen += later.seen
        self.long += later.long
        if self.names is None or later.names is None:
            self.give_up()
            return
        known = self.names
        ids = [known.setdefault(name, len(known)) for name in later.names]
        if len(known) > MOST_LABELS:
            self.give_up()
            return
        self.places.extend(place + begun for place in later.places)
        self.ids.extend(ids[one] for one in later.ids)


class Answers:
    """Sees the answers of a file, or of a part of it, and tells which fields carry labels."""

    def __init__(self) -> None:
        self._fields: dict[str, _Field] = {WHOLE_ANSWER: _Field()}
        self.overflowed = False

    def see(self, place: int, answer: str) -> int:
        """Take an answer into account; what it is (JSON_ANSWER or TEXT_ANSWER)."""
        held = json_object(answer)
        if held is None:
            self._fields[WHOLE_ANSWER].note(answer, place)
            return TEXT_ANSWER
        for name, value in held.items():
            if isinstance(value, str) and name != WHOLE_ANSWER:
                known = self._fields.get(name) or self._begin(name)
                if known is not None:
                    known.note(value, place)
        return JSON_ANSWER

    def follow(self, later: Answers, begun: int) -> None:
        """Take over what a later part of the file, which begins at the place `begun`, has seen.

        A part that has overflowed cannot be taken over: it does not know all fields that may be among the first.
        """
        for name, held in later._fields.items():
            known = self._fields.get(name) or self._begin(name)
            if known is not None:
                known.follow(held, begun)

    def labels(self, places: npt.NDArray[np.int64]) -> dict[str, Labels]:
        """The fields that carry labels, by name ("" for the whole answer). `places` has the place of each example."""
        found = {}
        for name, held in list(self._fields.items())[: MOST_FIELDS + 1]:
            if held.names is None or not held.has_labels:
                continue
            ids = np.full(len(places), NO_LABEL, np.int16)
            ids[np.searchsorted(places, np.asarray(held.places))] = np.asarray(held.ids)
            found[name] = Labels(tuple(held.names), ids)
        return found

    def _begin(self, name: str) -> _Field | None:
        if len(self._fields) > MOST_FIELDS_OF_A_PART:
            self.overflowed = True
            return None
        self._fields[name] = _Field()
        return self._fields[name]


def json_object(answer: str) -> Mapping[str, object] | None:
    """The answer as a JSON object, None when it is none."""
    if answer[0] != "{" and not answer.lstrip().startswith("{"):
        return None
    try:
        held: dict[str, object] = DECODER.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return held


def answer_kind(answer: str | None) -> int:
    """What an answer is: NO_ANSWER, JSON_ANSWER or TEXT_ANSWER."""
    if not answer:
        return NO_ANSWER
    return TEXT_ANSWER if json_object(answer) is None else JSON_ANSWER


def label_in(answer: str | None, name: str) -> str | None:
    """The label that an answer has in this field; None when it has none."""
    if not answer:
        return None
    held = json_object(answer)
    value = (answer if held is None else None) if name == WHOLE_ANSWER else (held or {}).get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_LABEL else None
