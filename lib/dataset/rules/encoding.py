"""Characters that an encoding broke, characters that nobody sees, and the texts as they were meant.

Text in UTF-8 that was read as Windows-1252, Latin-1 or Windows-1251 and saved again can be read back; a character that
was replaced by � is lost. Only sequences that hardly any language has count as broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, TextRule, shown

# Each byte from 0x80 on as Windows-1252 shows it, or as Latin-1 where Windows-1252 has nothing.
SHOWN = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)]
BYTES = {sign: byte for byte, sign in enumerate(SHOWN, start=0x80)} | {chr(byte): byte for byte in range(0x80, 0x100)}
# What a byte that continues a character (0x80 to 0xBF) looks like, in both encodings.
MORE = "[" + re.escape("".join(SHOWN[:0x40])) + "\x80-\xbf]"
SEQUENCE = re.compile(f"[Â-ß]{MORE}|[à-ï]{MORE}{{2}}|[ð-ô]{MORE}{{3}}")

# The letters of Cyrillic as UTF-8, read as Windows-1251: Р or С and one of these. Three of them no language has.
OTHER = "[\u0400-\u040f\u0450-\u045f\u0490\u0491°±µ¶·¦§©«»¬\u00ad®¤‚„…†‡€‰‹‘’“”•–—™›№\u00a0]"
CYRILLIC = re.compile(f"(?:[РС]{OTHER})+")
BROKEN = re.compile(
    "Ã[\u00a0-\u00bfƒ‚†‡ˆ‰Š‹Œ]|Ã[„…œŸ–—](?=[a-z])|Â[\u00a0-\u00bf]"
    f"|â(?:€|\x80|‚|\x82|„|\x84|†|\x86|œ|\x9c){MORE}|ðŸ{MORE}{{2}}|ð\x9f{MORE}{{2}}"
    f"|(?:[ÐÑ]{MORE}){{3}}|(?:[ÎÏ]{MORE}){{3}}|(?:[ØÙ]{MORE}){{3}}|(?:×{MORE}){{3}}"
    f"|(?:ä¸|äº|çš|æ˜|æœ|æˆ|å¥){MORE}[ã-é]{MORE}{{2}}|ï¼{MORE}|ã(?:€|\x80|‚|\x82|ƒ|\x83|\x81){MORE}"
    f"|Р[°µѕ](?:[РС]{OTHER})|(?:[РС]{OTHER})Р[°µѕ]|[\x80\x85\x91-\x97\x99]"
)
LOST = re.compile("\ufffd|ï¿½|锟斤拷")
WORDS = (
    *("Ã", "Â", "â€", "â\x80", "â‚", "â\x82", "â„", "â\x84", "â†", "â\x86", "âœ", "â\x9c", "ðŸ", "ð\x9f"),
    *("Ð", "Ñ", "Î", "Ï", "Ø", "Ù", "×", "ï¼", "ã€", "ã\x80", "ã‚", "ã\x82", "ãƒ", "ã\x83", "ã\x81"),
    *("ä¸", "äº", "çš", "æ˜", "æœ", "æˆ", "å¥"),
    *("Р°", "Рµ", "Рѕ"),
    *("\x80", "\x85", *map(chr, range(0x91, 0x98)), "\x99"),
)

# Control characters but tab and line breaks, the mark of byte order, and signs without width.
INVISIBLE = re.compile("\x1b\\[[0-9;]{0,20}[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u2060\u200b]")
# Scripts that write without blanks mark where a line may break with U+200B.
WRITTEN_WITHOUT_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def no_broken_encoding(case: Case) -> Iterator[Finding]:
    """No text shows the marks of an encoding that went wrong, or of characters that are lost."""
    for index, text in case.texts:
        if text.isascii():
            continue
        repaired = repaired_encoding(text)
        found = BROKEN.search(text) if repaired != text else None
        if found and not is_broken(repaired):
            why = "The model would learn the broken characters. They can be read back as what they were."
            told = f"has characters that an encoding broke: “{_around(text, found)}”."
            yield case.finding("warning", "broken_encoding", told, why, message=index, fix="repair_encoding")
        lost = LOST.search(text) or (BROKEN.search(repaired) if is_broken(repaired) else None)
        if lost:
            why = "The model would learn to write this. Read the source again in the encoding it was written in."
            told = f"has characters that are lost: “{_around(text, lost)}”."
            yield case.finding("warning", "lost_characters", told, why, message=index)


def no_invisible_characters(case: Case) -> Iterator[Finding]:
    """No text has characters that nobody sees and a model would learn."""
    for index, text in case.texts:
        found = INVISIBLE.findall(text)
        if found and without_invisible(text) != text:
            name = f"U+{ord(found[0][0]):04X}"
            many = "one" if len(found) == 1 else f"{len(found)}"
            why = "Nobody sees them; a model reads them as tokens, pays for them and learns to write them."
            told = f"has control characters or characters without width: {many}, first {name}."
            yield case.finding(
                "warning", "control_characters", told, why, message=index, fix="remove_control_characters"
            )


def is_broken(text: str) -> bool:
    """Whether a text shows the marks of an encoding that went wrong."""
    return BROKEN.search(text) is not None


def repaired_encoding(text: str) -> str:
    """The text as it was before it was read in the wrong encoding, once or several times; else as it is."""
    for _ in range(3):
        if not is_broken(text):
            break
        repaired = C1.sub(_from_windows, CYRILLIC.sub(_from_cyrillic, SEQUENCE.sub(_from_latin, text)))
        if repaired == text:
            break
        text = repaired
    return text


def without_invisible(text: str) -> str:
    """The text without the characters that nobody sees; a page or column break becomes a line break."""
    keep = WRITTEN_WITHOUT_BLANKS.search(text) is not None
    return INVISIBLE.sub(lambda found: _visible(found.group(), keep), text)


C1 = re.compile("[\x80\x85\x91-\x97\x99]")


def _visible(sign: str, keep: bool) -> str:
    if sign in "\x0b\x0c":
        return "\n"
    return sign if keep and sign == "\u200b" else ""


def _from_latin(found: re.Match[str]) -> str:
    return _decoded(bytes(BYTES[sign] for sign in found.group()), found.group())


def _from_cyrillic(found: re.Match[str]) -> str:
    try:
        return _decoded(found.group().encode("cp1251"), found.group())
    except UnicodeEncodeError:
        return found.group()


def _from_windows(found: re.Match[str]) -> str:
    return found.group().encode("latin-1").decode("cp1252")


def _decoded(raw: bytes, otherwise: str) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return otherwise
    return otherwise if "\ufffd" in text else text


def _around(text: str, found: re.Match[str]) -> str:
    return shown(text[max(0, found.start() - 12) : found.end() + 12])


RULES: tuple[TextRule, ...] = (
    TextRule(no_broken_encoding, words=(*WORDS, "\ufffd", "ï¿", "锟")),
    TextRule(
        no_invisible_characters,
        words=tuple(
            sign for sign in (*map(chr, range(0x20)), "\x7f", "\ufeff", "\u2060", "\u200b") if sign not in "\t\n\r"
        ),
    ),
)
