"""Spreadsheets for tests, made by hand: no library that writes them is among the requirements."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

SECTOR = 512
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# The only formats of cells these books know: 0 is general, 1 is a date.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: Sequence[str] = (), extra: str = "") -> bytes:
    """A workbook. A cell is a text, a number, None, or a piece of XML `<c …>` with {at} for its place."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        listed = relations = ""
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            state = ' state="hidden"' if name in hidden else ""
            listed += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"{state}/>'
            relations += (
                f'<Relationship Id="rId{number}" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            )
            book.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows, extra))
        relations += f'<Relationship Id="rId99" Type="{DOCUMENT}/styles" Target="styles.xml"/>'
        book.writestr("[Content_Types].xml", "<Types/>")
        office = f'<Relationship Id="r" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
        book.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}">{office}</Relationships>')
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>{listed}</sheets></workbook>',
        )
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>')
        book.writestr("xl/styles.xml", STYLES)
    return out.getvalue()


def _sheet(rows: Sequence[Sequence[Any]], extra: str) -> str:
    lines = ""
    for number, cells in enumerate(rows, start=1):
        held = "".join(_cell(cell, f"{chr(64 + place)}{number}") for place, cell in enumerate(cells, start=1))
        lines += f'<row r="{number}">{held}</row>'
    return f'<worksheet xmlns="{MAIN}"><sheetData>{lines}{extra}</sheetData></worksheet>'


def _cell(cell: Any, at: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{at}"><v>{cell!r}</v></c>'
    if cell.startswith("<c "):
        return str(cell).replace("{at}", at)
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'


def xls(rows: Sequence[Sequence[str]]) -> bytes:
    """An old workbook (BIFF8 in a compound file) with one sheet of texts."""
    bound = struct.pack("<BBH", 0, 0, 0) + struct.pack("<BB", 5, 0) + b"Cases"
    begin = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    place = len(begin) + 4 + 4 + len(bound) + 4
    stream = begin + _record(0x85, struct.pack("<I", place)[:4] + bound[2:4] + bound[4:]) + _record(0x0A, b"")
    place = len(stream)
    stream = begin + _record(0x85, struct.pack("<I", place) + bound[2:4] + bound[4:]) + _record(0x0A, b"")
    stream += _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            held = struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le")
            stream += _record(0x204, held)
    stream += _record(0x0A, b"")
    return _compound(stream.ljust(8 * SECTOR, b"\0"))


def _record(kind: int, held: bytes) -> bytes:
    return struct.pack("<HH", kind, len(held)) + held


def _compound(stream: bytes) -> bytes:
    """A compound file with one stream: header, table of sectors, directory, stream."""
    stream = stream.ljust(-(-len(stream) // SECTOR) * SECTOR, b"\0")
    sectors = len(stream) // SECTOR
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    chain = [table, end, *range(3, 2 + sectors), end]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    head += struct.pack("<109I", *([free] * 108), free)[4:]
    head = head.ljust(SECTOR, b"\xff")
    sector_table = struct.pack(f"<{len(chain)}I", *chain).ljust(SECTOR, b"\xff")
    directory = _entry("Root Entry", 5, 1, end, 0) + _entry("Workbook", 2, free, 2, len(stream))
    return head + sector_table + directory.ljust(SECTOR, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    named = name.encode("utf-16-le") + b"\0\0"
    held = named.ljust(64, b"\0") + struct.pack("<HBB", len(named), kind, 1)
    held += struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child) + bytes(36)
    return held + struct.pack("<IQ", start, size)
