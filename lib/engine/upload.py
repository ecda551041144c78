"""Reading a multipart upload: the file's bytes go to disk as they arrive, so memory does not grow with the file.

Knows the form's fields as OpenAI's document has them (file, purpose, expires_after), not what a file is for later.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from lib.engine.file_shelf import PURPOSES
from lib.engine.protocol import invalid, parsed, typed
from lib.errors import Rejected, ServiceBroken

FILE_LIMIT = 512 * 1024 * 1024
FIELD_LIMIT = 64 * 1024
FIELDS = ("purpose", "expires_after", "expires_after[anchor]", "expires_after[seconds]")


class Expiry(msgspec.Struct):
    anchor: Literal["created_at"]
    seconds: Annotated[int, msgspec.Meta(ge=3600, le=2592000)]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies on disk, and what was said about it. `lives` in seconds, None for ever."""

    filename: str
    purpose: str
    lives: int | None


async def receive(request: Request, target: Path) -> Upload:
    """Write the upload's file to `target` and return what came with it.

    Raises Rejected for a body that is no such form (400) or a file over FILE_LIMIT (413), ServiceBroken when the disk
    does not take it; `target` is then gone.
    """
    media, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if media != b"multipart/form-data" or not boundary:
        raise Rejected("This request must be 'multipart/form-data' with a boundary.", status=400, code="invalid_form")
    try:
        with target.open("xb") as file:
            form = _Form(file)
            await _feed(request, form, boundary)
            file.flush()
            # Off the event loop: half a gigabyte takes seconds to reach a slow disk.
            await asyncio.to_thread(os.fsync, file.fileno())
        return form.upload()
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ServiceBroken(
                f"The file could not be kept: {error.strerror or error}.", "Make room on the disk.", status=500
            ) from error
        raise


async def _feed(request: Request, form: _Form, boundary: bytes) -> None:
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin,
                "on_header_field": form.header_name,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_headers_finished": form.headers_done,
                "on_part_data": form.data,
                "on_part_end": form.end,
                "on_end": form.finish,
            },
        )
        async for block in request.stream():
            parser.write(block)
    except FormParserError as error:
        raise Rejected(f"The multipart form cannot be read: {error}.", status=400, code="invalid_form") from error
    if not form.complete:
        raise Rejected("The multipart form ends before its closing boundary.", status=400, code="invalid_form")


class _Form:
    """Gathers the parts as the parser meets them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
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
        if self._name in self._fields or (self._name == "file" and self._filename is not None):
            raise invalid(self._name, f"'{self._name}' was given more than once.")
        if self._name == "file":
            self._filename = options.get(b"filename", b"file").decode("utf-8", "replace")
        elif self._name not in FIELDS:
            shown = self._name[:64]
            raise invalid(shown, f"Unrecognized request argument supplied: '{shown}'.", code="unknown_parameter")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            self._size += end - start
            if self._size > FILE_LIMIT:
                raise Rejected(f"Maximum content size limit ({FILE_LIMIT} bytes) exceeded.", status=413, param="file")
            self._file.write(data[start:end])
        elif len(self._field) + end - start > FIELD_LIMIT:
            raise invalid(self._name, f"'{self._name}' is longer than {FIELD_LIMIT} bytes.")
        else:
            self._field += data[start:end]

    def end(self) -> None:
        if self._name != "file":
            self._fields[self._name] = self._field.decode("utf-8", "replace")

    def finish(self) -> None:
        self.complete = True

    def upload(self) -> Upload:
        for name, given in (("file", self._filename), ("purpose", self._fields.get("purpose"))):
            if given is None:
                raise invalid(name, f"Missing required parameter: '{name}'.", code="missing_required_parameter")
        purpose = self._fields["purpose"]
        if purpose not in PURPOSES:
            raise invalid("purpose", f"'{purpose[:64]}' is not one of {list(PURPOSES)} - 'purpose'")
        return Upload(self._filename or "", purpose, self._lives())

    def _lives(self) -> int | None:
        said = {
            name: self._fields[f"expires_after[{name}]"]
            for name in ("anchor", "seconds")
            if f"expires_after[{name}]" in self._fields
        }
        if "expires_after" in self._fields:
            expiry = typed({"expires_after": parsed(self._fields["expires_after"].encode())}, _Expiring)
        elif said:
            seconds = said.get("seconds", "")
            number = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else seconds
            expiry = typed({"expires_after": said | ({"seconds": number} if "seconds" in said else {})}, _Expiring)
        else:
            return None
        return expiry.expires_after.seconds


class _Expiring(msgspec.Struct):
    expires_after: Expiry
