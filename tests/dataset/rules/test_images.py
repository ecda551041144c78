from __future__ import annotations

import pytest

from tests.dataset.rules.corpus import codes, inline, picture, png


@pytest.mark.parametrize(
    ("first", "kind"),
    [(png(2), "jpeg"), (png(6), "png"), (b"\xff\xd8\xff\xe1", "png"), (b"RIFF1234WEBPVP8L", "gif")],
)
def test_an_image_is_known_by_its_bytes_not_by_its_name(first: bytes, kind: str) -> None:
    assert codes(picture(inline(first, kind))) == set()


@pytest.mark.parametrize(
    "first", [b"GIF89a", b"BM6", b"II*\x00", b"%PDF-1.7", b"<svg xmlns", b"hello", b"\0\0\0\x1cftypavif"]
)
def test_other_formats_are_told(first: bytes) -> None:
    assert codes(picture(inline(first, "png"))) == {"image_format"}


@pytest.mark.parametrize("colours", [0, 3, 4])
def test_a_png_without_rgb_is_told(colours: int) -> None:
    assert codes(picture(inline(png(colours)))) == {"image_colours"}


@pytest.mark.parametrize("url", ["HTTPS://a.test/b.png", "http://a.test/b", "https://a.test/b.gif"])
def test_an_image_on_the_web_is_not_judged(url: str) -> None:
    assert codes(picture(url)) == set()


@pytest.mark.parametrize("url", ["", "b.png", "/a/b.png", "s3://b/c.png", "ftp://a.test/b.png"])
def test_an_image_elsewhere_is_told(url: str) -> None:
    assert codes(picture(url)) == {"image_address"}
