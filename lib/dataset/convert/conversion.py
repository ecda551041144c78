"""How the examples of a whole file become the services' format: one choice, kept as JSON, applied to each by itself.

Recognised from the first examples; a person may choose otherwise. Knows no file and no screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lib.dataset.convert.dialects import DIALECTS, dialect_of, is_native
from lib.dataset.convert.exported import EXPORTED, exported, is_exported, is_row
from lib.dataset.convert.fields import Data, Fields, Unfit, looks_nested
from lib.dataset.convert.names import plain
from lib.dataset.convert.roles import ROLES, Role, Roles, by_name, guess_roles
from lib.errors import DataError

LOOKED_AT_FIRST = 100


@dataclass(frozen=True, slots=True)
class Unconvertible:
    """An example that cannot be converted. `why` is the end of a sentence about it; `line` counts from 1, where known.

    `left_out` are its keys: nothing of it has a place.
    """

    why: str
    line: int | None = None

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{'The example' if self.line is None else f'Row {self.line}'} {self.why}."


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one example: `after` is None where `why` says why not. `left_out` has no place in it."""

    before: Mapping[str, Any]
    after: Data | None
    left_out: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The name of a dialect, or the roles of a table's columns."""

    dialect: str = ""
    roles: Roles | None = None

    @property
    def name(self) -> str:
        """What the examples are written in, for a person."""
        return self.dialect or "a table"

    @property
    def becomes(self) -> str:
        """What becomes what, in a sentence."""
        if self.roles is not None:
            return self.roles.becomes()
        return next((one.becomes for one in DIALECTS if one.name == self.dialect), "")

    def convert(self, data: Mapping[str, Any], line: int | None = None) -> Data | Unconvertible:
        """The example in the services' format; one that has it already stays as it is, whatever stands around it."""
        made, _, why = self._applied(data)
        return Unconvertible(why, line) if made is None else made

    def preview(self, data: Mapping[str, Any]) -> Preview:
        """What would become of the example, and what of it has no place there."""
        made, left_out, why = self._applied(data)
        return Preview(data, made, left_out, why)

    def as_json(self) -> dict[str, Any]:
        """The conversion as it is kept."""
        return {"dialect": self.dialect} if self.roles is None else {"roles": dict(self.roles.of)}

    @classmethod
    def from_json(cls, kept: Any) -> Conversion:
        """The conversion that was kept so. Raises DataError for anything else."""
        if isinstance(kept, dict) and any(one.name == kept.get("dialect") for one in DIALECTS):
            return cls(dialect=kept["dialect"])
        roles = kept.get("roles") if isinstance(kept, dict) else None
        if isinstance(roles, dict) and all(isinstance(column, str) for column in roles):
            of = tuple((column, _role(role)) for column, role in roles.items())
            if None not in dict(of).values():
                return cls(roles=Roles(tuple((column, role) for column, role in of if role is not None)))
        raise DataError("The conversion that was kept is none that is known here.", "Choose one anew.", raw=repr(kept))

    def _applied(self, data: Mapping[str, Any]) -> tuple[Data | None, tuple[str, ...], str]:
        """The example, what is left out of it, and why it cannot be converted."""
        if is_native(data) and not self._asks_for(data):
            return dict(data), (), ""
        fields = Fields(data)
        try:
            if self.roles is not None:
                made = self.roles.convert(fields)
            elif self.dialect == EXPORTED:
                made = exported(fields)
            elif (dialect := dialect_of(fields, self.dialect)) is not None:
                made = dialect.convert(fields)
            else:
                return None, tuple(data), f"is not in the format {self.name}"
        except Unfit as unfit:
            return None, tuple(data), str(unfit)
        except RecursionError:
            return None, tuple(data), "is nested too deeply"
        return made, fields.left_out(), ""

    def _asks_for(self, data: Mapping[str, Any]) -> bool:
        """Whether an example is to be converted although it seems to have the services' format."""
        if self.roles is not None:
            return any(name in data for name in self.roles.columns("question"))
        return self.dialect == EXPORTED and is_row(data)


def recognise(
    sample: Sequence[Mapping[str, Any]], *, table: bool = False, columns: Sequence[str] = ()
) -> Conversion | None:
    """How most of the first examples of a file are to be converted; None when they need not be, or nobody knows.

    `sample` may be longer than is looked at. The rows of a `table` always have a conversion unless they need none:
    where no dialect says more than which column is what, the roles of the columns are guessed. `columns` are those of
    the table, also those that are empty in its first rows.
    """
    if is_exported(columns):
        return Conversion(dialect=EXPORTED)
    looked_at = sample[:LOOKED_AT_FIRST]
    if not looked_at:
        return None
    found = Counter(_kind(data) for data in looked_at)
    best, times = found.most_common(1)[0]
    if best == NATIVE:
        return None
    dialect = next((one for one in DIALECTS if one.name == best), None)
    if dialect is not None and 2 * times >= len(looked_at) and not (table and dialect.flat and _is_flat(looked_at)):
        return Conversion(dialect=dialect.name)
    if not table and not _is_flat(looked_at):
        return None
    named = {by_name(plain(key)) for key in looked_at[0]}
    # Lines of JSON are no table: their keys must say by their names that they ask and answer.
    if not table and not ("question" in named and named & {"answer", "label"}):
        return None
    return Conversion(roles=guess_roles(looked_at, columns))


def preview(examples: Iterable[Mapping[str, Any]], conversion: Conversion, n: int = 5) -> tuple[Preview, ...]:
    """What would become of the first n examples."""
    return tuple(map(conversion.preview, islice(examples, n)))


NATIVE = "as the services have it"


def _kind(data: Mapping[str, Any]) -> str:
    if is_native(data):
        return NATIVE
    dialect = dialect_of(Fields(data))
    return dialect.name if dialect is not None else ""


def _is_flat(sample: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the examples are rows of plain values."""
    return not any(isinstance(value, dict | list) or looks_nested(value) for data in sample for value in data.values())


def _role(held: Any) -> Role | None:
    return next((role for role in ROLES if role == held), None)
