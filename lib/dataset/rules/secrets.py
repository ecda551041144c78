"""Secrets and personal data in texts: where they are, and the text with something harmless in their place.

Names and postal addresses have no shape and are not found; screens say so.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, TextRule
from lib.dataset.rules.secret_kinds import KINDS, SecretKind
from lib.dataset.rules.vendor_keys import vendor_of

WHY = (
    "What is trained on leaves this machine, and can come back out of the model. Names and addresses are not detected."
)


def find(text: str) -> Iterator[tuple[SecretKind, int, int]]:
    """Every secret in a text, with where it begins and ends; none overlaps another."""
    taken: bytearray | None = None
    for kind in KINDS:
        if not kind.may_stand_in(text):
            continue
        for found in kind.pattern.finditer(text):
            span = kind.span(found)
            if span is None:
                continue
            if taken is None:
                taken = bytearray(len(text))
            start, end = span
            if 1 not in taken[start:end]:
                taken[start:end] = b"\x01" * (end - start)
                yield kind, start, end


def masked(text: str) -> str:
    """The text with every secret replaced by what it was, in brackets."""
    # What stands right beside a secret may be recognised only when that is gone.
    for _ in range(MOST_ROUNDS):
        hidden = _masked_once(text)
        if hidden == text:
            break
        text = hidden
    return text


MOST_ROUNDS = 8


def _masked_once(text: str) -> str:
    kept: list[str] = []
    begun = 0
    for kind, start, end in sorted(find(text), key=lambda found: found[1]):
        kept += (text[begun:start], kind.mask)
        begun = end
    return "".join(kept) + text[begun:]


def no_secrets(case: Case) -> Iterator[Finding]:
    """No text holds a key, a password, or what identifies a person."""
    for index, text in case.texts:
        counted: dict[str, list[str]] = {}
        for kind, start, end in find(text):
            secret = text[start:end]
            name = kind.name.format(vendor=vendor_of(secret)) if "{" in kind.name else kind.name
            counted.setdefault(kind.code, []).append(f"{name} ({secret[:3]}…{secret[-2:]})")
        for code, seen in counted.items():
            more = f" and {len(seen) - 1} more of the kind" if len(seen) > 1 else ""
            yield case.finding("warning", code, f"holds {seen[0]}{more}.", WHY, message=index, fix="mask_secrets")


RULES: tuple[TextRule, ...] = (
    TextRule(
        no_secrets,
        # An address with a password has an @ as well; a number is told by its shape.
        words=tuple(hint for kind in KINDS for hint in kind.hints if hint not in ("://", "+")),
        shapes=("eight_digits", "iban", "plus_digit", "local_phone", "social_security"),
    ),
)
