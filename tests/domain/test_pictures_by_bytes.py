"""What counts as a picture: the four kinds browsers show, known by their first bytes."""

from __future__ import annotations

import pytest

from domain.pictures import NotAPicture, Picture, media_type, picture_in
from tests.pictures import ALL, GIF, JPEG, MOST, WEBP, data_url, png

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize("kind", ALL)
def test_each_kind_is_known_by_its_bytes(kind: str) -> None:
    assert media_type(ALL[kind]) == f"image/{kind}"
    assert picture_in(data_url(ALL[kind], kind)) == Picture(ALL[kind])


@pytest.mark.parametrize("said", ALL)
@pytest.mark.parametrize("kind", ALL)
def test_a_picture_is_what_it_says_it_is(kind: str, said: str) -> None:
    if kind == said:
        return
    with pytest.raises(NotAPicture):
        picture_in(data_url(ALL[kind], said))


@pytest.mark.parametrize(
    "content",
    [SVG, HTML, b"", b"\0", png()[:8], png()[:8] + HTML, b"GIF88a", GIF[:5], JPEG[:2], b"RIFF" + HTML, WEBP[:12],
     b"RIFF\x22\0\0\0WAVEfmt ", b" " + GIF, b"BM" + b"\0" * 60, b"\0\0\1\0\1\0"],
)  # fmt: skip
def test_what_begins_in_another_way_is_none(content: bytes) -> None:
    assert media_type(content) is None
    for said in ALL:
        with pytest.raises(NotAPicture):
            picture_in(data_url(content, said))


@pytest.mark.parametrize(
    "url",
    [
        data_url(SVG, "svg+xml"),
        data_url(HTML, "png").replace("image/png", "text/html"),
        data_url(png()).replace(";base64", ""),
        data_url(png()).replace(";base64", ";charset=utf-8;base64"),
        data_url(png()).replace("data:", "data: "),
        data_url(png()).replace("data:", "DATA:"),
        data_url(png()) + "\n",
        data_url(png()) + "#a",
        data_url(png())[:-1],
        data_url(png(b"abcd"[:3], size=200)).replace("/", "_").replace("+", "-").replace("pcW", "p-W"),
        "data:image/png;base64,",
        "data:,",
        "",
    ],
)
def test_what_is_written_in_another_way_is_none(url: str) -> None:
    with pytest.raises(NotAPicture):
        picture_in(url)


def test_it_may_be_so_large_and_no_larger() -> None:
    assert len(data_url(png(size=MOST))) == 204_798
    assert picture_in(data_url(png(size=MOST))).content == png(size=MOST)
    with pytest.raises(NotAPicture):
        picture_in(data_url(png(size=MOST + 1)))


def test_its_bytes_are_in_no_trace_of_an_error() -> None:
    assert "PNG" not in repr(Picture(png()))
