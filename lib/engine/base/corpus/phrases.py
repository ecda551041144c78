"""Fills templates: `{name}` takes a word of a list, `[a|b]` one of the choices, and `{given}` what the caller gives.

Knows no task. All chance comes from the `random.Random` passed in, so that a seed gives the same text for ever.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
HERE = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@cache
def table(name: str) -> dict[str, Any]:
    """The parsed TOML file NAME.toml beside this module."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def words(name: str) -> tuple[str, ...]:
    """The list called `name` in words.toml; KeyError when there is none."""
    return listed(table("words")[name])


def listed(text: str) -> tuple[str, ...]:
    """A list written in one text: separated by bars, or by white space where there is no bar."""
    flat = " ".join(text.split())
    return tuple(item.strip() for item in flat.split("|")) if "|" in flat else tuple(flat.split())


class Chance:
    """Everything random that templates ask for."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self.random.random() * len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items, in random order."""
        return self.random.sample(items, count)

    def often(self, share: float) -> bool:
        """True in this share of calls."""
        return self.random.random() < share

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random.random() * (high - low + 1))

    def fill(self, template: str, **given: str) -> str:
        """The template with every choice made and every slot filled."""
        while "[" in template:
            made = _CHOICE.sub(lambda match: self.pick(match[1].split("|")), template)
            if made == template:
                break
            template = made
        while "{" in template:
            template = _SLOT.sub(lambda match: given[match[1]] if match[1] in given else self.word(match[1]), template)
        return template

    def word(self, name: str) -> str:
        """A word of the list `name`, or something made up of that kind (a number, an amount, a code, …)."""
        maker = _MADE.get(name)
        return maker(self) if maker else self.pick(words(name))


def _amount(chance: Chance) -> str:
    whole = chance.number(1, 60) if chance.often(0.6) else chance.number(60, 2500)
    value = f"{whole:,}" if whole < 1000 else str(whole)
    cents = "" if chance.often(0.5) else f".{chance.number(0, 99):02d}"
    return chance.pick(("{} euros", "{} dollars", "${}", "€{}", "£{}", "{} EUR", "{} pounds")).format(value + cents)


def _code(chance: Chance) -> str:
    letters = "".join(chance.pick("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(chance.number(1, 3)))
    digits = str(chance.number(10, 999_999))
    return chance.pick(("{}-{}", "{}{}", "{} {}", "{1}", "{1}", "#{1}", "{1}-{0}", "{0}/{1}")).format(letters, digits)


def _mail(chance: Chance) -> str:
    who = chance.pick(("{first}.{last}", "info", "hello", "{first}", "{first}{n}", "post", "desk")).replace(" ", "")
    return chance.fill(who + "@{company}.").replace(" ", "").lower() + chance.pick(
        ("com", "org", "net", "example", "eu")
    )


def _phone(chance: Chance) -> str:
    return chance.pick(("0{} {}", "+{} {}", "0{}-{}")).format(chance.number(10, 99), chance.number(100_000, 9_999_999))


def _date(chance: Chance) -> str:
    return chance.fill(
        chance.pick(("{day} {month}", "{month} {day}", "{day} {month} {year}", "the {day}th of {month}"))
    )


ONSETS = listed("b br c ch cl d dr f fl g gr h j k kn kr l m n p pl qu r s sch sh sk st str t th tr v w y z")
VOWELS = listed("a a a a e e e e i i i o o o u u ai au ea ei ie oo ou é ö ø")
CODAS = listed("b ck d g k l l m n n nd ng nk nt r r rd rk rt s sk ss st t t th tz x z")
ENDINGS = listed(
    "ago ana ard berg burg by cott dale do ella elli en er es escu ez field ford gaard ham hausen ia ic ille in ing "
    "is ka ko land ley lin low man mar mere mont ne o ona or os ova owski quist ra ro sen ski ska son stad stein sund "
    "ton tre um us vik ville worth"
)


@cache
def _letters() -> tuple[str, ...]:
    """All words of all lists that are of letters alone."""
    found = {part for name in table("words") for item in words(name) for part in re.split(r"[\W\d_]+", item)}
    return tuple(sorted(part for part in found if len(part) > 3))


def _made_up(chance: Chance) -> str:
    """A word that is in no list, so that what is copied must be read: pieces of words, syllables, or any letters.

    Pieces of words bring up the parts that an encoding has of every word, which are rarely read by themselves.
    """
    form = chance.random.random()
    if form < 0.5:
        pieces = [chance.pick(_letters()) for _ in range(chance.pick((2, 2, 3)))]
        starts = [chance.number(0, max(0, len(piece) - 4)) if chance.often(0.6) else 0 for piece in pieces]
        return "".join(piece[at : at + chance.number(2, 5)].lower() for piece, at in zip(pieces, starts, strict=True))
    if form < 0.6:
        return "".join(chance.pick("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.number(3, 8)))
    word = "".join(
        chance.pick(ONSETS) + chance.pick(VOWELS) + (chance.pick(CODAS) if chance.often(0.4) else "")
        for _ in range(chance.pick((1, 1, 2, 2, 2, 3)))
    )
    return word + chance.pick(ENDINGS) if chance.often(0.6) or len(word) < 4 else word


_MADE = {
    "made": _made_up,
    "Made": lambda chance: _made_up(chance).capitalize(),
    "n": lambda chance: str(chance.number(2, 30) if chance.often(0.8) else chance.number(31, 500)),
    "day": lambda chance: str(chance.number(4, 20)),
    "year": lambda chance: str(chance.number(1850, 2029)),
    "amount": _amount,
    "code": _code,
    "mail": _mail,
    "phone": _phone,
    "date": _date,
}


def mistyped(text: str, chance: Chance) -> str:
    """The text with one or two slips of the fingers, or all in small letters."""
    if chance.often(0.4):
        text = text.lower()
    for _ in range(chance.number(0, 2)):
        at = chance.number(1, max(1, len(text) - 3))
        if not text[at : at + 2].isalpha():
            continue
        swapped = text[at + 1] + text[at]
        text = text[:at] + chance.pick((swapped, text[at], text[at] * 2 + text[at + 1])) + text[at + 2 :]
    return text
