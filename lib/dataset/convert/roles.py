"""Which column of a table is what: asked, answered, a label, a system message, context, or nothing; and the examples.

The roles are guessed from names and values and are for a person to change. Several columns that are asked become one
labelled text, several that answer one JSON object. Knows no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lib.dataset.convert.fields import Data, Fields, Unfit, is_empty, text_of
from lib.dataset.convert.names import ANSWERS, CONTEXTS, IDENTITIES, LABELS, QUESTIONS, SYSTEMS, plain

Role = Literal["question", "answer", "label", "system", "context", "ignored"]
ROLES: tuple[Role, ...] = get_args(Role)

BY_NAME: tuple[tuple[Role, frozenset[str]], ...] = (
    ("system", SYSTEMS),
    ("context", CONTEXTS),
    ("answer", ANSWERS),
    ("label", LABELS),
    ("question", QUESTIONS),
    ("ignored", IDENTITIES),
)
# What tells rows apart and says nothing: numbers, dates, addresses, long hexadecimal keys.
IDENTITY = re.compile(r"[-+]?[\d.,]+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.+Z]+)?|https?://\S+|[0-9a-fA-F-]{16,}")
# Beyond so many letters on average a column holds texts, not labels.
LONGEST_LABEL = 40
MOST_LABELS = 20


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column is, in the order of the columns."""

    of: tuple[tuple[str, Role], ...]

    def columns(self, *roles: Role) -> tuple[str, ...]:
        """The columns that have one of these roles."""
        return tuple(column for column, role in self.of if role in roles)

    def convert(self, fields: Fields) -> Data:
        """The conversation of a row. Raises Unfit when the question or the answer is empty."""
        contexts = _filled(fields, self.columns("context"))
        asked = _filled(fields, self.columns("question"))
        answered = _filled(fields, self.columns("answer", "label"))
        if not asked:
            raise Unfit(_empty("question", self.columns("question")))
        if not answered:
            raise Unfit(_empty("answer", self.columns("answer", "label")))
        system = "\n\n".join(text for _, text in _filled(fields, self.columns("system")))
        question = "\n\n".join(_told(part) for part in (contexts, asked) if part)
        return {
            "messages": [
                *([{"role": "system", "content": system}] if system else []),
                {"role": "user", "content": question},
                {"role": "assistant", "content": self._answer(fields, answered)},
            ]
        }

    def becomes(self) -> str:
        """What becomes what, in a sentence."""
        asked = _listed(self.columns("context", "question"))
        answered = _listed(self.columns("answer", "label"))
        system = self.columns("system")
        becomes = "become" if len(self.columns("context", "question")) > 1 else "becomes"
        return (
            f"{asked or 'No column'} {becomes} the question, {answered or 'no column'} the answer"
            + (f", {_listed(system)} the system message" if system else "")
            + "."
        )

    def _answer(self, fields: Fields, answered: list[tuple[str, str]]) -> str:
        columns = self.columns("answer", "label")
        if len(columns) == 1:
            return answered[0][1]
        held = {column: fields.cell(column) for column in columns}
        tidy = {column: _tidy(value) for column, value in held.items()}
        return json.dumps(tidy, ensure_ascii=False)


def guess_roles(sample: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Roles:
    """The likeliest roles for the rows of a sample: by the names of the columns, then by what they hold.

    Without a name that says so, a column of few short values that come again is the label, else the last one answers,
    and the longest texts ask.
    """
    names = list(columns) or list(dict.fromkeys(key for row in sample for key in row))
    held = {name: [text_of(row[name]).strip() for row in sample if not is_empty(row.get(name))] for name in names}
    roles: dict[str, Role] = {}
    for name in names:
        if role := by_name(plain(name)):
            roles[name] = role
    if "answer" in roles.values():
        # The answer is written out; what else is known about the case is not part of it.
        roles = {name: "ignored" if role == "label" else role for name, role in roles.items()}
    rest = [name for name in names if name not in roles and held[name] and not _is_identity(held[name])]
    if not {"answer", "label"} & set(roles.values()):
        _guess_answer(roles, rest, held)
    spare = [name for name in names if name not in roles and held[name]]
    if spare and not {"answer", "label"} & set(roles.values()):
        # Numbers may be what is answered where nothing else is.
        roles[spare[-1]] = "answer"
    if "question" not in roles.values():
        _guess_question(roles, [name for name in rest if name not in roles], held)
    return Roles(tuple((name, roles.get(name, "ignored")) for name in names))


def by_name(name: str) -> Role | None:
    """What a name says: as a whole, else by its last word and then by any."""
    for role, known in BY_NAME:
        if name in known:
            return role
    words = [word for word in name.split("_") if word]
    if words and (words[-1] in IDENTITIES or words[0] in ("is", "has", "num", "n")):
        return "ignored"
    for word in reversed(words):
        for role, known in BY_NAME[:-1]:
            if word in known:
                return role
    return None


def _guess_answer(roles: dict[str, Role], rest: list[str], held: Mapping[str, list[str]]) -> None:
    labels = [name for name in rest if _is_label(held[name])]
    asked = [name for name, role in roles.items() if role == "question"]
    if labels and (asked or len(rest) > 1):
        roles[labels[-1]] = "label"
    elif rest and (asked or len(rest) > 1):
        roles[rest[-1]] = "answer"
    elif len(asked) > 1:
        roles[asked[-1]] = "answer"


def _guess_question(roles: dict[str, Role], rest: list[str], held: Mapping[str, list[str]]) -> None:
    """The longest texts ask; else what was taken for context or for where a row comes from."""
    longest = sorted(rest, key=lambda name: -sum(map(len, held[name])))
    spare = [name for name, role in roles.items() if role == "context"]
    spare += [name for name, role in roles.items() if role == "ignored" and held[name] and not _is_identity(held[name])]
    for name in (*longest, *spare)[:1]:
        roles[name] = "question"


def _is_identity(values: list[str]) -> bool:
    return all(IDENTITY.fullmatch(value) for value in values)


def _is_label(values: list[str]) -> bool:
    """Whether these are few short values that come again."""
    distinct = len(set(values))
    mean = sum(map(len, values)) / len(values)
    return 1 < distinct <= min(MOST_LABELS, len(values) // 2) and mean <= LONGEST_LABEL


def _tidy(value: Any) -> Any:
    """A value inside an answer. A cell without one is an empty text: an answer has the same keys in every row."""
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _filled(fields: Fields, columns: Sequence[str]) -> list[tuple[str, str]]:
    """The columns that hold something, with their texts."""
    taken = [(column, fields.cell(column)) for column in columns]
    return [(column, text_of(value).strip()) for column, value in taken if value is not None]


def _told(parts: list[tuple[str, str]]) -> str:
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"{column}: {text}" for column, text in parts)


def _empty(what: str, columns: Sequence[str]) -> str:
    return f"has no {what}: {_listed(columns)} is empty" if columns else f"has no {what}: no column is one"


def _listed(columns: Sequence[str]) -> str:
    return " and ".join(f"“{column}”" for column in columns)
