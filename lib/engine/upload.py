"""The form of POST /v1/files: its fields as OpenAI's document has them (file, purpose, expires_after).

Knows what may be said of a file, not what it is for later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request

from lib.engine.file_shelf import PURPOSES
from lib.engine.form import Expected, missing, receive
from lib.engine.protocol import invalid, parsed, typed

FILE_LIMIT = 512 * 1024 * 1024
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


async def receive_file(request: Request, target: Path) -> Upload:
    """Write the upload's file to `target` and return what came with it. Raises what lib.engine.form.receive does."""
    form = await receive(request, target, Expected("file", FILE_LIMIT, FIELDS))
    try:
        return Upload(form.filename or "file", _purpose(form.fields), _lives(form.fields))
    except BaseException:
        target.unlink()
        raise


def check_purpose(purpose: str) -> str:
    """A purpose that a file may have. Raises Rejected for any other."""
    if purpose not in PURPOSES:
        raise invalid("purpose", f"'{purpose[:64]}' is not one of {list(PURPOSES)} - 'purpose'")
    return purpose


def _purpose(fields: Mapping[str, str]) -> str:
    if "purpose" not in fields:
        raise missing("purpose")
    return check_purpose(fields["purpose"])


def _lives(fields: Mapping[str, str]) -> int | None:
    said = {
        name: fields[f"expires_after[{name}]"] for name in ("anchor", "seconds") if f"expires_after[{name}]" in fields
    }
    if "expires_after" in fields:
        expiry = typed({"expires_after": parsed(fields["expires_after"].encode())}, _Expiring)
    elif said:
        seconds = said.get("seconds", "")
        number = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else seconds
        expiry = typed({"expires_after": said | ({"seconds": number} if "seconds" in said else {})}, _Expiring)
    else:
        return None
    return expiry.expires_after.seconds


class _Expiring(msgspec.Struct):
    expires_after: Expiry
