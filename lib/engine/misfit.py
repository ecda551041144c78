"""What is wrong with a JSON value that does not fit its type, in OpenAI's own words and codes.

Source of the words: answers of OpenAI's server, such as "Invalid 'n': integer above maximum value. Expected a value
<= 128, but got 130 instead." (integer_above_max_value). Knows msgspec's reasons, and no request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

from lib.errors import Rejected

LONGEST_SHOWN = 80
# msgspec's name of a type, and how it is said; `article noun` is what a value of it is called.
WANTED = {
    "int": "an integer",
    "float": "a decimal",
    "str": "a string",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
GOT = WANTED | {"float": "a decimal number"}
BOUND = re.compile(r"Expected `(int|float)` (<=|>=|<|>) (\S+)")
LENGTH = re.compile(r"Expected `(str|array|object)` of length (<=|>=) (\d+)")
KIND = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
PATTERN = re.compile(r"Expected `str` matching regex '(.*)'", re.DOTALL)
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
NOT_NAMED = "[...]"


def misfit(error: msgspec.ValidationError, value: Any, kind: Any) -> Rejected:
    """The refusal (400) of `value`, which is no `kind`; it names the first field that does not fit."""
    reason, _, place = str(error).partition(" - at ")
    found = re.search(r"\$\.?([^`]*)", place)
    path = found.group(1) if found else ""
    # msgspec does not say which member of a free mapping it was, nor what one that is too long is called.
    known = not path.endswith(NOT_NAMED) and not place.startswith("`key`")
    missing = re.fullmatch(r"Object missing required field `(.+)`", reason)
    unknown = re.fullmatch(r"Object contains unknown field `(.+)`", reason)
    if missing is not None:
        param = _joined(path, missing[1])
        return _refusal(param, f"Missing required parameter: '{param}'.", "missing_required_parameter")
    if unknown is not None:
        param = _joined(path, unknown[1])
        return _refusal(param, f"Unknown parameter: '{param}'.", "unknown_parameter")
    given = _at(value, path) if known else None
    if reason.startswith(("Invalid value", "Invalid enum value")) and known:
        return not_among(path, given, _options(kind, path))
    words, code = _said(reason, path, given)
    return _refusal(path or None, words, code)


def not_among(param: str, given: object, options: Iterable[object]) -> Rejected:
    """The refusal of a value that is none of those that there are."""
    shown = [f"'{option}'" for option in options]
    last = f"{',' if len(shown) > 2 else ''} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
    supported = f" Supported values are: {', '.join(shown[:-1])}{last}." if shown else ""
    return _refusal(param, f"Invalid value: '{_shown(given)}'.{supported}", "invalid_value")


def out_of_bounds(param: str, given: int | float | None, relation: str, bound: str, *, noun: str) -> Rejected:
    """The refusal of a number beyond its bound. `relation` is how it must stand to that, such as "<="."""
    side, code = ("above maximum", "above_max_value") if "<" in relation else ("below minimum", "below_min_value")
    got = "" if given is None else f", but got {_shown(given)} instead"
    words = f"Invalid '{param}': {noun} {side} value. Expected a value {relation} {bound}{got}."
    return _refusal(param, words, f"{noun}_{code}")


def _said(reason: str, path: str, given: Any) -> tuple[str, str]:
    bound = BOUND.fullmatch(reason)
    if bound:
        noun = "integer" if bound[1] == "int" else "decimal"
        refused = out_of_bounds(path, given, bound[2], bound[3].removesuffix(".0"), noun=noun)
        return refused.what, str(refused.code)
    length = LENGTH.fullmatch(reason)
    if length:
        return _length(path, given, length[1], length[2] == "<=", int(length[3]))
    kind = KIND.fullmatch(reason)
    if kind:
        wanted = [WANTED.get(each, each) for each in kind[1].split(" | ") if each != "null"]
        one_of = wanted[0] if len(wanted) == 1 else f"one of {', '.join(wanted[:-1])} or {wanted[-1]}"
        where = f" for '{path}'" if path else ""
        got = GOT.get(kind[2], kind[2])
        return f"Invalid type{where}: expected {one_of}, but got {got} instead.", "invalid_type"
    pattern = PATTERN.fullmatch(reason)
    if pattern:
        expected = f"Expected a string that matches the pattern '{pattern[1]}'."
        return f"Invalid '{path}': string does not match pattern. {expected}", "invalid_value"
    plain = reason.replace("`", "'")
    where = f"Invalid '{path}'" if path else "Invalid request body"
    return f"{where}: {plain[:1].lower()}{plain[1:]}.", "invalid_value"


def _length(path: str, given: Any, kind: str, at_most: bool, bound: int) -> tuple[str, str]:
    size = None if given is None else len(given)
    if kind == "object":
        got = "" if size is None else f", but got an object with {size} properties instead"
        expected = f"Expected an object with at most {bound} properties{got}."
        return f"Invalid '{path}': too many properties. {expected}", "object_above_max_properties"
    noun = "string" if kind == "str" else "array"
    article = f"{'a' if noun == 'string' else 'an'} {noun}"
    side = "maximum" if at_most else "minimum"
    got = "" if size is None else f", but got {article} with length {size} instead"
    what, code = (
        f"{noun} too {'long' if at_most else 'short'}",
        f"{noun}_{'above_max' if at_most else 'below_min'}_length",
    )
    if size == 0:
        what, code, got = f"empty {noun}", f"empty_{noun}", f", but got an empty {noun} instead"
    return f"Invalid '{path}': {what}. Expected {article} with {side} length {bound}{got}.", code


def _steps(path: str) -> Iterator[str | int]:
    for number, name in STEP.findall(path):
        yield int(number) if number else name


def _at(value: Any, path: str) -> Any:
    """What stands at a path of msgspec's; None where that cannot be told."""
    for step in _steps(path):
        inside = (isinstance(value, list) and isinstance(step, int)) or (isinstance(value, dict) and step in value)
        if not inside:
            return None
        value = value[step]
    return value


def _options(kind: Any, path: str) -> list[str]:
    """The values that a type allows at a path, whichever of its variants is meant."""
    types = list(_variants(inspect.type_info(kind)))
    options: dict[str, None] = {}
    for step in _steps(path):
        inner: list[inspect.Type] = []
        for each in types:
            if isinstance(each, inspect.StructType):
                if each.tag_field == step:
                    options[str(each.tag)] = None
                inner += [
                    variant for field in each.fields if field.encode_name == step for variant in _variants(field.type)
                ]
            elif isinstance(each, inspect.ListType):
                inner += _variants(each.item_type)
        types = inner
    options |= {str(value): None for each in types if isinstance(each, inspect.LiteralType) for value in each.values}
    return list(options)


def _variants(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _variants(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _variants(each)
    else:
        yield kind


def _shown(value: object) -> str:
    # Nobody reads a number of hundreds of digits.
    is_long = isinstance(value, int) and value.bit_length() > LONGEST_SHOWN
    return "a larger one" if is_long else str(value)[:LONGEST_SHOWN]


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _refusal(param: str | None, words: str, code: str) -> Rejected:
    return Rejected(words, status=400, param=param, code=code)
