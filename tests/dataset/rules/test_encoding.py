from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.rules.encoding import SHOWN, is_broken, repaired_encoding, without_invisible

TEXTS = [
    "schön, “wow” — Ägypten, Öl, Über, ß",
    "naïve café à São Paulo",
    "Привет, как дела?",
    "你好，世界。",
    "这是一个很长的句子",
    "こんにちは",
    "😀 well done 👍",
    "Καλημέρα Ελλάδα",
    "שלום לכולם",
    "مرحبا بالعالم",
    "→ … €5 ✓ ™",
]


def windows(text: str) -> str:
    """UTF-8, read as Windows-1252 the way browsers do."""
    return "".join(SHOWN[byte - 0x80] if byte >= 0x80 else chr(byte) for byte in text.encode())


@pytest.mark.parametrize("text", TEXTS)
def test_text_read_in_the_wrong_encoding_is_found_and_read_back(text: str) -> None:
    assert not is_broken(text)
    for broken in (windows(text), text.encode().decode("latin-1"), windows(windows(text))):
        assert is_broken(broken)
        assert repaired_encoding(broken) == text
        assert repaired_encoding(repaired_encoding(broken)) == text


def test_cyrillic_read_as_windows_1251_is_read_back() -> None:
    broken = "Привет, как дела?".encode().decode("cp1251")
    assert is_broken(broken)
    assert repaired_encoding(broken) == "Привет, как дела?"


def test_quotes_of_windows_read_as_latin_1_are_read_back() -> None:
    assert repaired_encoding("It\x92s \x93fine\x94\x85") == "It’s “fine”…"


@pytest.mark.parametrize(
    "text",
    [
        "“CAFÉ” «É» „MENÜ“ “ESPAÑ” À… Ñ”, l’Âme, Â, NÃO, MANHÃ, IRMÃ…",
        "100 × 3 ± 2 µm ° © ® £5 §4 ¿Qué?",
        "Рим, Рига, Россия и СССР; С. Петров",
        "ØRSTED og ÅSE, Ísland, Þór",
        "Ünïcödé everywhere — yes",
        "日本語とEnglish、мир",
    ],
)
def test_what_only_looks_broken_is_left_alone(text: str) -> None:
    assert not is_broken(text)
    assert repaired_encoding(text) == text


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_repairing_twice_is_repairing_once(text: str) -> None:
    once = repaired_encoding(text)
    if not is_broken(once):
        assert repaired_encoding(once) == once
    assert without_invisible(without_invisible(text)) == without_invisible(text)


def test_what_nobody_sees_goes_and_breaks_stay() -> None:
    assert without_invisible("a\x00b\x1b[31mred\x1b[0m\x7f\ufeff") == "abred"
    assert without_invisible("one\x0ctwo\x0bthree\tfour\r\n") == "one\ntwo\nthree\tfour\r\n"
    assert without_invisible("👨‍👩‍👧 می‌خواهم") == "👨‍👩‍👧 می‌خواهم", "joiners mean something"
    assert without_invisible("ภาษา\u200bไทย") == "ภาษา\u200bไทย", "Thai marks where a line may break"
