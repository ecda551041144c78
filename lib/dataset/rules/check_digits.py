"""Numbers that carry their own proof: cards by Luhn's formula, bank accounts by the remainder of 97.

Knows which first digits cards have and how long the accounts of a country are. Knows nothing of texts.
"""

from __future__ import annotations

import re

# The first digits of the large networks, and how many digits their cards have.
CARDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d|35(?:2[89]|[3-8]\d))\d{12}|3(?:0[0-5]|[68]\d)\d{11}|62\d{14}"
)

# Lengths from the IBAN registry that SWIFT keeps, and the countries that have them.
BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FO FI GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH CR HR LI LV",
    22: "BG BH DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_LENGTHS = {country: length for length, countries in BY_LENGTH.items() for country in countries.split()}


def luhn_holds(number: str) -> bool:
    """Whether the digits of a card number have the right check digit, and are not all the same."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_card(number: str) -> bool:
    """Whether this is the number of a card: of a known network, with its length and its check digit."""
    return CARDS.fullmatch(re.sub(r"[ -]", "", number)) is not None and luhn_holds(number)


def iban_holds(number: str) -> bool:
    """Whether an IBAN has its country's length and the right check digits (the remainder by 97 is 1)."""
    plain = re.sub(r"[ -]", "", number).upper()
    if len(plain) != IBAN_LENGTHS.get(plain[:2]) or not plain.isascii() or not plain.isalnum():
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def iban_at_start(text: str) -> int:
    """How many characters the IBAN has that a text begins with, blanks between its groups included; 0 for none."""
    wanted = IBAN_LENGTHS.get(text[:2], 0)
    signs = 0
    for at, sign in enumerate(text):
        signs += sign != " "
        if signs == wanted:
            return at + 1 if iban_holds(text[: at + 1]) else 0
    return 0
