"""Secrets and personal data in texts: found by their shape, with check digits where there are any.

Names and postal addresses have no shape and are not found; screens say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, TextRule


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret. Without one of the `hints` in a text its pattern cannot match; they are fast to look for."""

    code: str
    name: str
    mask: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    holds: Callable[[str], bool] = lambda found: True


def luhn_holds(number: str) -> bool:
    """Whether the digits of a card number have the right check digit."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_holds(number: str) -> bool:
    """Whether an IBAN has the right check digits (the remainder by 97 is 1)."""
    plain = re.sub(r"[ -]", "", number).upper()
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _is_real_address(address: str) -> bool:
    domain = address.rpartition("@")[2].lower()
    return not re.fullmatch(r"(?:.*\.)?(?:example\.(?:com|org|net)|example|test|invalid|localhost)", domain)


# Repeats are bounded and possessive, so that no text can make a search slow.
KINDS: tuple[Kind, ...] = (
    Kind(
        "private_key",
        "a private key",
        "[private key]",
        re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,10000}-----END [A-Z ]{0,30}PRIVATE KEY-----)?"),
        ("PRIVATE KEY-----",),
    ),
    Kind(
        "api_key",
        "a key of a service",
        "[key]",
        re.compile(
            r"(?<![A-Za-z0-9])(?:sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,200}+|AKIA[0-9A-Z]{16}"
            r"|gh[pousr]_[A-Za-z0-9]{36,255}+|github_pat_[A-Za-z0-9_]{40,255}+|glpat-[A-Za-z0-9_-]{20,60}+"
            r"|AIza[0-9A-Za-z_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,200}+|hf_[A-Za-z0-9]{30,60}+"
            r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}+|SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,60}+)"
        ),
        (
            "sk-",
            "AKIA",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "AIza",
            "xox",
            "hf_",
            "k_live_",
            "k_test_",
            "SG.",
        ),
    ),
    Kind(
        "access_token",
        "an access token",
        "[token]",
        re.compile(r"eyJ[A-Za-z0-9_-]{10,4000}+\.eyJ[A-Za-z0-9_-]{10,4000}+\.[A-Za-z0-9_-]{10,2000}+"),
        (".eyJ",),
    ),
    Kind(
        "password_in_address",
        "a password in an address",
        "[address with password]",
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{1,100}@[^\s/]{1,200}"),
        ("://",),
    ),
    Kind(
        "email",
        "an e-mail address",
        "[e-mail]",
        re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
        ("@",),
        holds=_is_real_address,
    ),
    Kind(
        "card_number",
        "a card number",
        "[card number]",
        re.compile(
            r"(?<![\d.-])(?:(?:4\d{3}|5[1-5]\d\d|35\d\d|6011|65\d\d)(?:[ -]?\d{4}){3}"
            r"|2[2-7]\d\d(?:[ -]\d{4}){3}"
            r"|3[47]\d\d[ -]?\d{6}[ -]?\d{5})(?![\d-])"
        ),
        holds=luhn_holds,
    ),
    Kind(
        "iban",
        "a bank account (IBAN)",
        "[IBAN]",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
        holds=iban_holds,
    ),
    Kind(
        "phone",
        "a telephone number",
        "[phone]",
        re.compile(r"(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,5}(?:[ .-]?\d{2,5}){1,4}(?![\w-])"),
        ("+",),
    ),
)
# A text longer than this is looked through in its first part only.
LONGEST_TEXT = 1_000_000
WHY = (
    "What is trained on leaves this machine, and can come back out of the model. Names and addresses are not detected."
)


def find(text: str) -> Iterator[tuple[Kind, int, int]]:
    """Every secret in a text, with where it begins and ends; none overlaps another."""
    text = text[:LONGEST_TEXT]
    taken: list[tuple[int, int]] = []
    for kind in KINDS:
        if kind.hints and not any(hint in text for hint in kind.hints):
            continue
        for found in kind.pattern.finditer(text):
            start, end = found.span()
            if kind.holds(found.group()) and all(end <= begun or start >= ended for begun, ended in taken):
                taken.append((start, end))
                yield kind, start, end


def masked(text: str) -> str:
    """The text with every secret replaced by what it was, in brackets."""
    for kind, start, end in sorted(find(text), key=lambda found: found[1], reverse=True):
        text = text[:start] + kind.mask + text[end:]
    return text


def no_secrets(case: Case) -> Iterator[Finding]:
    """No text holds a key, a password, or what identifies a person."""
    for index, text in case.texts:
        counted: dict[str, list[str]] = {}
        for kind, start, end in find(text):
            counted.setdefault(kind.code, []).append(f"{text[start : start + 3]}…{text[end - 2 : end]}")
        for kind in KINDS:
            if seen := counted.get(kind.code):
                more = f" and {len(seen) - 1} more" if len(seen) > 1 else ""
                told = f"holds {kind.name} ({seen[0]}{more})."
                yield case.finding("warning", kind.code, told, WHY, message=index, fix="mask_secrets")


RULES: tuple[TextRule, ...] = (
    TextRule(
        no_secrets,
        words=tuple(hint for kind in KINDS for hint in kind.hints if hint != "+"),
        shapes=("eight_digits", "iban", "plus_digit"),
    ),
)
