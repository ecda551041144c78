"""What is searched for: a plain text or a regular expression, which cannot make the program wait or run out of memory.

Expressions are those of the `regex` module: Python's, and a few things more. Each search of a text has a time limit,
because some expressions need longer than anybody lives. Knows nothing of examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import regex

from lib.errors import DataError

SECONDS = 1.0
LONGEST = 10_000
LONGEST_RESULT = 64 << 20
# A counted repetition is written out when an expression is compiled: a{1000} takes the room of 1,000 characters.
MOST_WRITTEN_OUT = 100_000
DIGITS = 12
SHOWN, NEAR = 60, 12
PIECES = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]|\{(\d*)|.", regex.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text to look for. `text` is as it was typed; `case` tells capital letters from small ones."""

    text: str
    regex: bool
    case: bool
    expression: Any

    def replaced(self, text: str, replacement: str) -> tuple[str, int]:
        """The text with every occurrence replaced, and how many there were.

        In the replacement for an expression \\1 and \\g<name> stand for what its groups have found; for a plain text it
        is taken as it is. Raises DataError when the search takes too long or the result becomes too long.
        """
        parts: list[str] = []
        kept = length = occurrences = 0
        for match in self._found(text):
            piece = self._expanded(match, replacement)
            length += match.start() - kept + len(piece)
            if length > LONGEST_RESULT:
                raise DataError(
                    f"With all replacements one text would become longer than {LONGEST_RESULT:,} characters.",
                    "Choose a shorter replacement.",
                )
            parts += (text[kept : match.start()], piece)
            kept = match.end()
            occurrences += 1
        return ("".join([*parts, text[kept:]]), occurrences) if occurrences else (text, 0)

    def check_replacement(self, replacement: str) -> None:
        """Raise DataError when the replacement names a group that the expression does not have, or is too long."""
        if len(replacement) > LONGEST:
            raise DataError(f"The replacement is longer than {LONGEST:,} characters.", "Choose a shorter one.")
        if not self.regex:
            return
        # With nothing as an alternative it finds something, and only then is the replacement looked at.
        try:
            _compile(f"{self.text}\n|", self.case).sub(replacement, "", timeout=SECONDS)
        except (regex.error, IndexError) as error:
            at = getattr(error, "pos", None)
            where = f" at character {at + 1}" if at is not None else ""
            raise DataError(
                f"The replacement cannot be used{where}: {getattr(error, 'msg', error)}.",
                r"Write \1 or \g<name> for what a group has found, and \\ for a backslash.",
                raw=str(error),
            ) from error
        except TimeoutError as error:
            raise self._too_slow() from error

    def _found(self, text: str) -> Iterator[Any]:
        try:
            yield from self.expression.finditer(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._too_slow() from error

    def _expanded(self, match: Any, replacement: str) -> str:
        if not self.regex or "\\" not in replacement:
            return replacement
        if replacement.count("\\") * (match.end() - match.start()) > LONGEST_RESULT:
            raise DataError("The replacement repeats a long text too many times.", "Choose a shorter replacement.")
        return str(match.expand(replacement))

    def _too_slow(self) -> DataError:
        return DataError(
            f"The expression {self.text[:SHOWN]} takes longer than {SECONDS:g} second for one text.",
            "Repetitions inside repetitions, such as (a+)+, are the usual reason. Write it without them.",
        )


def compiled(text: str, is_expression: bool, case: bool) -> Pattern:
    """What a person typed, ready to search with. Raises DataError, naming the character that is wrong."""
    if not text:
        raise DataError("There is nothing to look for.", "Type a text or an expression.")
    if len(text) > LONGEST:
        raise DataError(f"What is looked for is longer than {LONGEST:,} characters.", "Look for a part of it.")
    if not is_expression:
        return Pattern(text, False, case, _compile(regex.escape(text), case))
    if (size := _written_out(text)) > MOST_WRITTEN_OUT:
        raise DataError(
            f"The expression {text[:SHOWN]} repeats something {size:,} times, counted out.",
            "Use smaller numbers in braces, or + and *.",
        )
    try:
        return Pattern(text, True, case, _compile(text, case))
    except regex.error as error:
        raise _bad_expression(text, error) from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise DataError(
            "The expression is nested too deeply or too large.", "Look for something simpler.", raw=repr(error)
        ) from error


def _compile(text: str, case: bool) -> Any:
    return regex.compile(text, 0 if case else regex.IGNORECASE, cache_pattern=False)


def _bad_expression(text: str, error: Any) -> DataError:
    sentence = f"The expression {text[:SHOWN]} cannot be used: {error.msg}"
    if error.pos is not None:
        near = text[error.pos : error.pos + NEAR]
        sentence += f" at character {error.pos + 1}" + (f", near “{near}”" if near else ", which is its end")
    return DataError(
        f"{sentence}.", "Correct it there, or look for it as plain text instead of an expression.", raw=str(error)
    )


def _written_out(text: str) -> int:
    """About how many characters an expression has once its counted repetitions are written out."""
    sizes, last = [0], 0
    for piece in PIECES.finditer(text):
        word, count = piece.group(), piece.group(1)
        if word == "(":
            sizes.append(0)
        elif word == ")" and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        elif count is not None:
            more = last * (max(1, int(count[:DIGITS] or 1)) - 1)
            sizes[-1] += more
            last += more
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)
