"""The kinds of secrets and personal data that have a shape: what they look like, and what takes their place.

Names and postal addresses have no shape and are not among them; screens say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lib.dataset.rules.check_digits import iban_at_start, is_card
from lib.dataset.rules.vendor_keys import LONG_RUN, PREFIXES, VENDOR_KEY, is_mixed, is_random

Match = re.Match[str]
Span = tuple[int, int]


def whole(found: Match) -> Span | None:
    """All of what was found."""
    return found.span()


@dataclass(frozen=True, slots=True)
class SecretKind:
    """One kind of secret. Without one of the `hints` in a text, or its `gate`, it cannot be there; both are fast.

    `span` says which part of what the pattern found is the secret, None when it only looks like one.
    """

    code: str
    name: str
    mask: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    gate: re.Pattern[str] | None = None
    span: Callable[[Match], Span | None] = whole

    def may_stand_in(self, text: str) -> bool:
        """Whether it is worth looking for."""
        if self.hints and not any(hint in text for hint in self.hints):
            return False
        return self.gate is None or self.gate.search(text) is not None


def _vendor_key(found: Match) -> Span | None:
    before, after = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    alone = not before.isalnum() and not after.isalnum()
    return found.span() if alone and is_random(found.group()) else None


def _assigned(found: Match) -> Span | None:
    value = found.group(1)
    uuid = re.fullmatch(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", value)
    return found.span(1) if is_mixed(value) and not uuid else None


def _password_in_address(found: Match) -> Span | None:
    password, host = found.group(1).lower(), found.group(2).lower()
    is_sample = SAMPLE_PASSWORDS.fullmatch(password) or SAMPLE_HOST.search(host)
    return None if is_sample else found.span()


def _email(found: Match) -> Span | None:
    local, _, domain = found.group().lower().rpartition("@")
    if SAMPLE_HOST.search(domain) or FILE_ENDING.fullmatch(domain.rpartition(".")[2]):
        return None
    return None if local == "git" else found.span()


def _card(found: Match) -> Span | None:
    before = found.string[max(0, found.start() - 30) : found.start()]
    return found.span() if is_card(found.group()) and not COUNTED.search(before) else None


def _iban(found: Match) -> Span | None:
    length = iban_at_start(found.group())
    start, after = found.start(), found.string[found.start() + length : found.start() + length + 1]
    return (start, start + length) if length and not after.isalnum() else None


def _phone(found: Match) -> Span | None:
    """As many groups of digits as a number can have: another number may stand right behind it."""
    start, end = found.span()
    while sum(sign.isdigit() for sign in found.string[start:end]) > MOST_PHONE_DIGITS:
        end = max(found.string.rfind(sign, start, end) for sign in " ./-")
        if end < 0:
            return None
    digits = sum(sign.isdigit() for sign in found.string[start:end])
    return (start, end) if digits >= LEAST_PHONE_DIGITS else None


def _local_phone(found: Match) -> Span | None:
    # 555-0100 to 555-0199 are kept for films and manuals.
    return None if re.search(r"555[-. ]01\d\d$", found.group()) else found.span()


def _security_number(found: Match) -> Span | None:
    # Printed on a card that was sold in wallets, and in an advertisement.
    return None if found.group() in ("078-05-1120", "219-09-9999") else found.span()


SAMPLE_PASSWORDS = re.compile(r"pass(?:word|wd)?|pwd|secret|x{3,}|changeme|example|your_?password")
SAMPLE_HOST = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost)(?::\d+)?$")
FILE_ENDING = re.compile(r"png|jpe?g|gif|svg|webp|ico|css|m?js|tsx?|py|rb|go|rs|php|html|json|xml|ya?ml|md")
# Digits of an international number with its country code; the most are from ITU E.164.
LEAST_PHONE_DIGITS, MOST_PHONE_DIGITS = 9, 15
# What is counted and not paid with: a number right after these words is no card.
COUNTED = re.compile(
    r"(?i)\b(?:order|invoice|tracking|ticket|reference|ref|serial|isbn|imei|id|part|case|batch|account)"
    r"(?: (?:number|no\.?|id|code))?[ :#.]{0,3}$"
)
# How the name of a secret ends, and what may come between it and the secret.
NAMES_OF_SECRETS = ("key", "Key", "KEY", "oken", "OKEN", "ecret", "ECRET", "assword", "ASSWORD", "passwd", "pwd", "PWD")
AFTER_A_NAME = ("=", " =", ":", " :", '"', "'", " is ")

# Repeats are bounded or possessive, so that no text can make a search slow.
KINDS: tuple[SecretKind, ...] = (
    SecretKind(
        "private_key",
        "a private key",
        "[private key]",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[^-]{0,20000}+(?:-(?!----)[^-]{0,20000}+){0,20}-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:\s{0,4}[A-Za-z0-9+/=]{40,100}+){0,200})"
        ),
        ("PRIVATE KEY",),
    ),
    SecretKind("api_key", "a key of {vendor}", "[key]", VENDOR_KEY, PREFIXES, LONG_RUN, _vendor_key),
    SecretKind(
        "api_key",
        "a key of a Telegram bot",
        "[key]",
        re.compile(r"(?<![\w.])\d{8,10}:AA[A-Za-z0-9_-]{32,33}(?![\w-])"),
        (":AA",),
        gate=LONG_RUN,
    ),
    SecretKind(
        "access_token",
        "an access token",
        "[token]",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{17,4000}+\.[A-Za-z0-9_-]{10,8000}+\.[A-Za-z0-9_-]{10,2000}+"),
        ("eyJ",),
        gate=LONG_RUN,
    ),
    SecretKind(
        "assigned_secret",
        "a key or a password after its name",
        "[secret]",
        re.compile(
            rf"(?:(?:{'|'.join(NAMES_OF_SECRETS)})(?:[\"']? ?[:=]>? ?| is )|[Bb]earer )"
            r"[\"']?([A-Za-z0-9_+/-]{20,200}+={0,2})(?![A-Za-z0-9])"
        ),
        (*(name + sign for name in NAMES_OF_SECRETS for sign in AFTER_A_NAME), "earer "),
        span=_assigned,
    ),
    SecretKind(
        "password_in_address",
        "a password in an address",
        "[address with password]",
        re.compile(
            r"(?<![A-Za-z0-9+.-])[a-z][a-z0-9+.-]{1,20}+://[^\s/:@\"'<>,;(){}\[\]|\\`$*]{1,100}"
            r":([^\s/:@\"'<>,;(){}\[\]|\\`$*]{1,100})@([^\s/?#\"'<>,;(){}\[\]|\\`]{1,200})"
        ),
        ("://",),
        span=_password_in_address,
    ),
    SecretKind(
        "email",
        "an e-mail address",
        "[e-mail]",
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}+\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9@])"),
        ("@",),
        span=_email,
    ),
    SecretKind(
        "card_number",
        "a card number",
        "[card number]",
        re.compile(
            r"(?<![\w.-])(?:[2-6]\d{3}(?:[ -]?\d{4}){3}|3[47]\d\d[ -]?\d{6}[ -]?\d{5}|3[068]\d\d[ -]?\d{6}[ -]?\d{4})"
            r"(?![\w-]|\.\d)"
        ),
        span=_card,
    ),
    SecretKind(
        "iban",
        "a bank account (IBAN)",
        "[IBAN]",
        re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,10}"),
        span=_iban,
    ),
    SecretKind(
        "phone",
        "a telephone number",
        "[phone]",
        re.compile(
            r"(?<![\w+])\+\(?[1-9]\d{0,2}\)?[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ ./-]?\d{2,5}){1,5}(?![\w-])"
        ),
        ("+",),
        span=_phone,
    ),
    SecretKind(
        "phone",
        "a telephone number",
        "[phone]",
        re.compile(
            r"(?<![\w+./-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d(?P<sign>[-.]))[2-9]\d\d(?(sign)(?P=sign)|[-. ])\d{4}"
            r"(?![\w/-]|\.\d)"
        ),
        span=_local_phone,
    ),
    SecretKind(
        "social_security_number",
        "a social security number of the United States",
        "[social security number]",
        re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
        span=_security_number,
    ),
)
