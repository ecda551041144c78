"""Reading a multipart form: the bytes of its file go to disk as they arrive, so memory does not grow with the file.

Knows how forms are written and bounded, not what their fields mean.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from lib.engine.protocol import invalid, refuse_packed
from lib.engine.whole_file import whole_file
from lib.errors import Rejected

FIELD_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """What a form may hold: the part `file` with at most `limit` bytes, and other fields by name."""

    file: str
    limit: int
    fields: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A form whose file lies on disk: the sender's name for it ("" without one), and the other fields as text."""

    filename: str
    fields: dict[str, str]


async def receive(request: Request, target: Path, expected: Expected) -> Form:
    """Write the form's file to `target` and return what came with it.

    Raises Rejected for a body that is no such form (400) or a file over the limit (413), ServiceBroken when the disk
    does not take it; `target` is then gone.
    """
    refuse_packed(request)
    media, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if media != b"multipart/form-data" or not boundary:
        raise Rejected("This request must be 'multipart/form-data' with a boundary.", status=400, code="invalid_form")
    with whole_file(target):
        with target.open("xb") as file:
            reading = _Reading(file, expected)
            await _feed(request, reading, boundary)
            file.flush()
            # Off the event loop: half a gigabyte takes seconds to reach a slow disk.
            await asyncio.to_thread(os.fsync, file.fileno())
        return reading.form()


async def _feed(request: Request, reading: _Reading, boundary: bytes) -> None:
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reading.begin,
                "on_header_field": reading.header_name,
                "on_header_value": reading.header_value,
                "on_header_end": reading.header_end,
                "on_headers_finished": reading.headers_done,
                "on_part_data": reading.data,
                "on_part_end": reading.end,
                "on_end": reading.finish,
            },
        )
        async for block in request.stream():
            parser.write(block)
    except FormParserError as error:
        raise Rejected(f"The multipart form cannot be read: {error}.", status=400, code="invalid_form") from error
    if not reading.complete:
        raise Rejected("The multipart form ends before its closing boundary.", status=400, code="invalid_form")


class _Reading:
    """Gathers the parts as the parser meets them."""

    def __init__(self, file: BinaryIO, expected: Expected) -> None:
        self._file = file
        self._expected = expected
        self._size = 0
        self._name = ""
        self._field = bytearray()
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._fields: dict[str, str] = {}
        self._filename: str | None = None
        self.complete = False

    def begin(self) -> None:
        self._disposition = b""
        self._field = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def header_end(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def headers_done(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name in self._fields or (self._name == self._expected.file and self._filename is not None):
            raise invalid(self._name, f"'{self._name}' was given more than once.")
        if self._name == self._expected.file:
            self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
        elif self._name not in self._expected.fields:
            shown = self._name[:64]
            raise invalid(shown, f"Unrecognized request argument supplied: '{shown}'.", code="unknown_parameter")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._expected.file:
            self._size += end - start
            most = self._expected.limit
            if self._size > most:
                raise Rejected(f"Maximum content size limit ({most} bytes) exceeded.", status=413, param=self._name)
            self._file.write(data[start:end])
        elif len(self._field) + end - start > FIELD_LIMIT:
            raise invalid(self._name, f"'{self._name}' is longer than {FIELD_LIMIT} bytes.")
        else:
            self._field += data[start:end]

    def end(self) -> None:
        if self._name != self._expected.file:
            self._fields[self._name] = self._field.decode("utf-8", "replace")

    def finish(self) -> None:
        self.complete = True

    def form(self) -> Form:
        if self._filename is None:
            raise missing(self._expected.file)
        return Form(self._filename, self._fields)


def missing(name: str) -> Rejected:
    """The refusal of a form without a field that it needs."""
    return invalid(name, f"Missing required parameter: '{name}'.", code="missing_required_parameter")
