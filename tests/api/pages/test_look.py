"""The operator's name, logo, notice and style on pages; what cannot be used is refused before anybody looks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.page_settings import PageSettings
from api.pages.look import Look
from tests.api.browser import Browser
from tests.api.cli.terminal import Terminal
from tests.api.conftest import HandClock, settings_for
from tests.api.pages.test_members_page import invited, joined, signed_up
from tests.api.pages.visitor import Page, Visitor
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>'
NAME, NOTICE = 'Acme & "Söhne" <b>', "Maintenance <script>alert(1)</script> on Sunday"
WHOLE = 60 * 1024


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    (folder / "logo.svg").write_text(SVG)
    (folder / "style.css").write_text(":root { --accent: #0a7; }\n")
    return folder


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock, files: Path) -> Iterator[str]:
    settings = settings_for(
        module_database,
        pages_name=NAME,
        pages_notice=NOTICE,
        pages_logo=files / "logo.svg",
        pages_style=files / "style.css",
        pages_language="de",
    )
    with application(settings, module_clock) as url:
        yield url


@pytest.fixture
def front(url: str) -> Page:
    return Visitor(url, language="fr").open("/sign-in")


def test_the_name_and_the_notice_stand_on_every_page_as_they_were_written(url: str, front: Page) -> None:
    assert front.title.endswith(f" · {NAME}")
    assert NOTICE in front.text
    assert not [given for tag, given in front.elements if tag in ("b",)]
    trouble = Visitor(url).open("/nowhere")
    assert trouble.title.endswith(f" · {NAME}")
    assert NOTICE in trouble.text


def test_the_language_is_that_of_who_asks_for_none_there_is(front: Page) -> None:
    assert front.elements[0] == ("html", {"lang": "de"})


def test_the_style_comes_after_ours(url: str, front: Page) -> None:
    [path] = [given["href"] for tag, given in front.elements if tag == "link" and given.get("rel") == "stylesheet"]
    answer = Browser(url).ask("GET", path or "")
    assert answer.content.rstrip().endswith(b":root { --accent: #0a7; }")
    assert len(answer.content) > 1_000


def test_nothing_in_a_logo_runs_even_where_it_is_opened_alone(url: str, front: Page) -> None:
    [path] = [given["src"] for tag, given in front.elements if tag == "img"]
    answer = Browser(url).ask("GET", path or "")
    assert (answer.status, answer.header("content-type")) == (200, "image/svg+xml")
    policy = answer.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.header("x-content-type-options") == "nosniff"


UNUSABLE = [
    ("PAGES_LOGO", "gone.png", "cannot be read (FileNotFoundError)."),
    ("PAGES_STYLE", "gone.css", "cannot be read (FileNotFoundError)."),
    ("PAGES_LOGO", "logo.exe", "must be one of .gif, .jpeg, .jpg, .png, .svg, .webp."),
    ("PAGES_LOGO", "folder.png", "is no file."),
    ("PAGES_STYLE", "/dev/zero", "is no file."),
    ("PAGES_STYLE", "pipe.css", "is no file."),
    ("PAGES_LOGO", "large.png", "has more than 256 KiB."),
    ("PAGES_LOGO", "program.png", "is no picture of that kind."),
    ("PAGES_LOGO", "jpeg.png", "is no picture of that kind."),
    ("PAGES_LOGO", "empty.gif", "is no picture of that kind."),
    ("PAGES_LOGO", "page.svg", "is no picture of that kind."),
    ("PAGES_LOGO", "deep.svg", "is no picture of that kind."),
    ("PAGES_STYLE", "latin.css", "is no text in UTF-8."),
    ("PAGES_STYLE", "import.css", "asks for something of another host, which pages do not (@import)."),
    ("PAGES_STYLE", "elsewhere.css", "asks for something of another host, which pages do not (url(https:)."),
    ("PAGES_STYLE", "relative.css", "asks for something of another host, which pages do not (url(//)."),
    ("PAGES_STYLE", "within.css", "asks for something of another host, which pages do not (url(data:)."),
]
CONTENT = {
    "logo.exe": b"MZ",
    "large.png": b"x" * (256 * 1024 + 1),
    "program.png": b"#!/bin/sh\n",
    "jpeg.png": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "empty.gif": b"",
    "page.svg": b"<!doctype html><p><svg></svg>",
    "deep.svg": b"<!---->" * 30_000 + b"<p>",
    "latin.css": ':root { --font: "Söhne" }'.encode("latin-1"),
    "import.css": b'@IMPORT "https://fonts.example/a.css";',
    "elsewhere.css": b"body { background: url( 'https://pixel.example/?' ) }",
    "relative.css": b"body { background: URL(//pixel.example/) }",
    "within.css": b"body { background: url(data:image/gif;base64,R0lGODlhAQABAAAAACw=) }",
}


@pytest.mark.parametrize(("setting", "name", "why"), UNUSABLE)
def test_a_file_that_cannot_be_used_is_refused_at_the_start_in_one_sentence(
    database: Database, tmp_path: Path, setting: str, name: str, why: str
) -> None:
    for called, content in CONTENT.items():
        (tmp_path / called).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.css")
    file = tmp_path / name
    said = Terminal(database, PORT="18998", **{setting: str(file)}).refused("serve")
    assert said == f"DAYBOOK_{setting}, {file}, {why}"


TINY_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
USABLE = {
    "logo.PNG": TINY_PNG,
    "logo.jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "logo.gif": b"GIF89a\x01\x00\x01\x00",
    "logo.webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "declared.svg": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- of ours -->\n<!DOCTYPE svg>\n<svg xmlns="x"/>',
}


@pytest.mark.parametrize("name", USABLE)
def test_every_kind_of_picture_may_be_a_logo(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(USABLE[name])
    logo = Look.of(PageSettings(pages_logo=tmp_path / name)).logo
    assert logo is not None
    assert logo.content == USABLE[name]


STYLES = {
    "comment": b"/* see https://brand.example/ and @import url(//old) */ :root { --round: 0 }",
    "ours": b"body { background: url(/api/auth/picture/0123456789abcdef0123456789abcdef) }",
    "a part of the page": b"body { clip-path: url(#shape) }",
    "nothing": b"",
    "unclosed": b":root { --round: 0; /*",
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_style_may_say_whatever_asks_no_other_host(tmp_path: Path, style: bytes) -> None:
    (tmp_path / "own.css").write_bytes(style)
    assert Look.of(PageSettings(pages_style=tmp_path / "own.css")).style.content.endswith(b"\n" + style)


def test_the_first_rule_of_a_style_counts_also_where_its_file_says_how_it_is_encoded(tmp_path: Path) -> None:
    """In the middle of a sheet a byte order mark would be a part of the selector (CSS Syntax §3.2)."""
    (tmp_path / "own.css").write_bytes(b"\xef\xbb\xbf:root { --round: 0 }")
    assert Look.of(PageSettings(pages_style=tmp_path / "own.css")).style.content.endswith(b"\n:root { --round: 0 }")


@pytest.mark.parametrize("name", ["  ", "\u200b", "\u202e\u2066", "\t\n"])
def test_a_name_that_nobody_sees_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="must have something to see in it"):
        PageSettings(pages_name=name)


def test_without_pages_there_is_the_api_and_nothing_else(database: Database, clock: HandClock, tmp_path: Path) -> None:
    # nor does anybody ask for a file that nothing shows
    settings = settings_for(database, pages="off", pages_logo=tmp_path / "gone.png")
    with application(settings, clock) as url:
        browser = Browser(url)
        for path in ("/", "/sign-in", "/account/sessions", "/assets/daybook.css", "/.well-known/change-password"):
            answer = browser.ask("GET", path)
            assert (answer.status, answer.content) == (404, b"")
        assert browser.ask("GET", "/docs").status == 200
        assert browser.get("/ok").json() == {"ok": True}
        assert browser.sign_up("ada@example.com").status == 200


OWN = [
    "/account/settings",
    "/account/sessions",
    "/account/activity",
    "/account/delete",
    "/organizations",
    "/organization/members",
    "/organization/settings",
    "/organization/activity",
]
ANYBODYS = ["/sign-in", "/sign-up", "/forgot-password", "/reset-password", "/accept-invitation", "/nowhere"]


def test_no_page_is_more_than_sixty_kilobytes_in_all_however_full(
    database: Database, clock: HandClock, email: str
) -> None:
    with application(settings_for(database), clock) as url:
        ada = signed_up(url, "Ada Lovelace", email)
        ada.open("/organizations")
        ada.press("Create organization", name="Acme", slug="acme")
        for number in range(29):
            joined(ada, url, f"bo.{number}.{email}")
        for number in range(10):
            invited(ada, f"cy.{number}.{email}")
        caught_up(database)
        sizes = {path: in_all(ada, path) for path in OWN} | {path: in_all(Visitor(url), path) for path in ANYBODYS}
    assert {path: size for path, size in sizes.items() if size > WHOLE} == {}


def in_all(visitor: Visitor, path: str) -> int:
    """Bytes of a page and of everything that it names, as they are without compression."""
    page = visitor.open(path)
    named = {given.get("src") or given.get("href") for tag, given in page.elements if tag in ("script", "link", "img")}
    return len(page.answer.content) + sum(len(visitor.browser.ask("GET", one).content) for one in named if one)
