"""Images: how many, where they come from, and what their first bytes say they are.

The limits are those of OpenAI's guide to vision fine-tuning: 10 images an example, 10 MB an image, JPEG, PNG or WEBP in
RGB or RGBA; an example whose image does not fit is passed over. Azure takes 64 images. An image at an address is not
fetched: nothing is known of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, Rule, shown
from lib.dataset.rules.entry import Entry, entries, parts_of

MOST_IMAGES = 10
MOST_BYTES = 10 << 20
DETAILS = ("low", "high", "auto")
TAKEN = ("JPEG", "PNG", "WEBP")
# So many bytes tell the format, and the colours of a PNG.
HEAD = 30
RGB, RGBA = 2, 6
PASSED_OVER = "OpenAI passes over examples with images that it cannot use, and trains on the rest."


def few_images(case: Case) -> Iterator[Finding]:
    """An example has at most ten images."""
    images = sum(1 for entry in entries(case) for _ in _image_parts(entry))
    if images > MOST_IMAGES:
        why = "OpenAI takes at most 10 images an example, Azure 64."
        yield case.finding("warning", "many_images", f"has {images} images; at most {MOST_IMAGES} are taken.", why)


def images_are_usable(case: Case) -> Iterator[Finding]:
    """Every image has an address that a service can fetch, or is in the text, small enough and of a known format."""
    for entry in entries(case):
        for image in _image_parts(entry):
            if (detail := image.get("detail")) is not None and detail not in DETAILS:
                why = "It is low, high or auto. A low image costs 85 tokens whatever its size."
                text = f"has an image with the detail “{shown(detail)}”."
                yield entry.finding("error", "image_detail", text, why, fix="drop_image_details")
            yield from _usable(entry, image.get("url"))


def _usable(entry: Entry, url: Any) -> Iterator[Finding]:
    if not isinstance(url, str):
        return
    if not url.startswith("data:"):
        if not url.lower().startswith(("https://", "http://")):
            text = f"has an image at “{shown(url)}”, which is no address on the web."
            why = f"A service fetches images from http(s) addresses, or reads them from a data: URL. {PASSED_OVER}"
            yield entry.finding("warning", "image_address", text, why)
        return
    head, found, written = url.partition(";base64,")
    size = len(written) * 3 // 4
    if size > MOST_BYTES:
        text = f"has an image of {size / (1 << 20):.1f} MB; at most 10 MB are taken."
        yield entry.finding("warning", "image_too_large", text, PASSED_OVER)
    first = _first_bytes(written)
    kind = _format(first) if found and first is not None else None
    if kind is None:
        text = f"has an image whose data is that of no image: “{shown(head)}”."
        yield entry.finding("warning", "image_format", text, f"It is read as JPEG, PNG or WEBP. {PASSED_OVER}")
    elif kind not in TAKEN:
        text = f"has an image that is {kind}."
        yield entry.finding("warning", "image_format", text, f"Taken are JPEG, PNG and WEBP. {PASSED_OVER}")
    elif kind == "PNG" and first is not None and len(first) > 25 and first[25] not in (RGB, RGBA):
        text = "has a PNG image that is not in RGB or RGBA."
        yield entry.finding("warning", "image_colours", text, f"Save it again in RGB. {PASSED_OVER}")


def _image_parts(entry: Entry) -> Iterator[dict[str, Any]]:
    for part in parts_of(entry.data):
        if part.get("type") == "image_url" and isinstance(part.get("image_url"), dict):
            yield part["image_url"]


def _first_bytes(written: str) -> bytes | None:
    """The first bytes of base64 text; None when it is none."""
    start = "".join(written[: 2 * HEAD].split())
    try:
        return base64.b64decode(start[: len(start) // 4 * 4], validate=True)[:HEAD]
    except (binascii.Error, ValueError):
        return None


def _format(first: bytes) -> str | None:
    """The format of an image from its first bytes, whatever it is called."""
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return "WEBP"
    if first[4:12] in (b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "AVIF or HEIC"
    return next((kind for mark, kind in MARKS if first.startswith(mark)), None)


MARKS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF", "a PDF, not an image"),
    (b"<svg", "SVG"),
    (b"<?xml", "SVG"),
)
RULES: tuple[Rule, ...] = (few_images, images_are_usable)
