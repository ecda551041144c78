"""Images of an example: named with format and size; one that the example itself holds is shown small.

An image at an address is never fetched. One inside the example is decoded only if it is of a format that services take,
and not larger than a service takes. Knows nothing of messages.
"""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.dataset.rules.images import MOST_BYTES, TAKEN
from lib.ui.plain import shortened

PREVIEW = 240
# An image may be small as a file and huge when it is decoded.
MOST_PIXELS = 40_000_000
SHOWN_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Preview:
    """A small copy of an image as PNG bytes, and what the whole image is; no bytes where it cannot be shown."""

    name: str
    png: bytes | None


def show(image: Any) -> None:
    """An image part's `image_url`: what it is, and a small copy of it if the example holds it."""
    url = image.get("url") if isinstance(image, dict) else image
    detail = image.get("detail") if isinstance(image, dict) else None
    if not isinstance(url, str):
        st.text("Image without an address")
        return
    if not url.startswith("data:"):
        st.text(f"Image, not loaded: {shortened(url, SHOWN_ADDRESS)}")
        return
    preview = _preview(url)
    if preview.png is not None:
        st.image(preview.png, width="content", alt="An image of this message, made small")
    st.caption(preview.name + (f" · detail {shortened(str(detail), 20)}" if detail else ""))


@st.cache_data(max_entries=64, show_spinner=False)
def _preview(url: str) -> Preview:
    head, found, written = url.partition(";base64,")
    kind = shortened(head.removeprefix("data:"), 40) or "of no type"
    size = len(written) * 3 // 4
    if not found or size > MOST_BYTES:
        return Preview(f"Image in the example, {kind}, {_megabytes(size)}, not shown", None)
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(written)), formats=TAKEN) as image:
            name = f"{image.format}, {image.width:,} × {image.height:,} pixels, {_megabytes(size)}"
            if image.width * image.height > MOST_PIXELS:
                return Preview(f"Image, {name}, too large to show", None)
            image.thumbnail((PREVIEW, PREVIEW))
            png = io.BytesIO()
            image.convert("RGBA").save(png, "PNG")
            return Preview(f"Image, {name}", png.getvalue())
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError):
        return Preview(f"Image in the example, {kind}, {_megabytes(size)}; its data cannot be read as one", None)


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB" if size >= 1 << 20 else f"{max(size / 1024, 0.1):.1f} KB"
