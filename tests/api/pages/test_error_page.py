"""Where links that failed lead to (wire.md §9): a page that shows what it was told, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application

HOSTILE = (
    "<script>alert(1)</script>",
    "</p></main><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "&lt;b&gt; {description} {code} %s",
    "javascript:alert(1)",
    "\u202eevil \u0000 \ufeff",
)
CODES = ("INVALID_TOKEN", "token-expired", "it's_1", "x" * 100)
NO_CODES = ("", "<script>", "a b", "INVALID_TOKEN\n", "é", "a/b", "a.b", "%00", "x" * 101, "{code}")


class Page(HTMLParser):
    """The elements and texts a browser sees, and whether it was told to do anything."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.fixture(scope="module")
def own_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application that knows its public address, and so has an application to lead to."""
    with application(settings_for(module_database, base_url="https://daybook.example"), module_clock) as url:
        yield url


def asked(url: str, error: str | None = None, description: str | None = None) -> Answer:
    given = {"error": error, "error_description": description}
    query = "&".join(f"{name}={quote(text, safe='')}" for name, text in given.items() if text is not None)
    return Browser(url).ask("GET", f"{BASE}/error?{query}")


@pytest.mark.parametrize("code", CODES)
def test_while_developing_a_page_shows_the_code(url: str, code: str) -> None:
    answer = asked(url, code, "The link is too old.")
    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8")
    assert {code, "The link is too old."} <= set(Page(answer.content).texts)


@pytest.mark.parametrize("code", NO_CODES)
def test_what_is_no_code_is_unknown(url: str, code: str) -> None:
    page = Page(asked(url, code, "The link is too old.").content)
    assert "UNKNOWN" in page.texts
    assert code not in page.texts


def test_without_anything_said_it_is_a_page_all_the_same(url: str) -> None:
    answer = Browser(url).ask("GET", f"{BASE}/error")
    assert answer.status == 200
    assert "UNKNOWN" in Page(answer.content).texts


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(url: str, text: str) -> None:
    harmless = Page(asked(url, "CODE", "Harmless.").content)
    for answer in (asked(url, "CODE", text), asked(url, text, text)):
        page = Page(answer.content)
        assert (page.elements, page.attributes, page.comments) == (harmless.elements, harmless.attributes, [])
        assert "".join(page.texts).count(text) == 1


def test_a_text_of_any_length_is_cut(url: str) -> None:
    page = Page(asked(url, "CODE", "x" * 5_000).content)
    assert max(len(text) for text in page.texts) == 500


def test_the_page_may_load_send_and_be_framed_by_nothing(url: str) -> None:
    answer = asked(url, "CODE", HOSTILE[0])
    policy = (answer.header("content-security-policy") or "").split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.set_cookies == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("description", ["The link is too old.", *HOSTILE])
def test_with_a_public_address_it_leads_to_the_application(own_url: str, code: str, description: str) -> None:
    answer = asked(own_url, code, description)
    assert (answer.status, answer.content) == (302, b"")
    target = urlsplit(answer.header("location") or "")
    assert (target.scheme, target.netloc, target.path, target.fragment) == ("", "", "/", "")
    assert parse_qs(target.query, strict_parsing=True) == {"error": [code], "error_description": [description]}


@pytest.mark.parametrize("code", NO_CODES)
def test_it_leads_there_with_no_code_that_is_none(own_url: str, code: str) -> None:
    assert asked(own_url, code).header("location") == "/?error=UNKNOWN"


@pytest.mark.parametrize("text", ["\r\nSet-Cookie:a=b", "//evil.example", "/../..//evil.example", "#@evil.example"])
def test_it_leads_nowhere_else(own_url: str, text: str) -> None:
    answer = asked(own_url, text, text)
    assert answer.header("location") == f"/?error=UNKNOWN&error_description={quote(text, safe='')}"
    assert answer.set_cookies == []


def test_nobody_has_to_be_signed_in_and_a_session_is_not_used(url: str, clock: HandClock, email: str) -> None:
    browser = Browser(url)
    browser.sign_up(email)
    clock.wind(hours=25)
    assert browser.get("/error?error=CODE").set_cookies == []


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_it_can_only_be_got(url: str, method: str) -> None:
    answer = Browser(url).ask(method, f"{BASE}/error?error=CODE")
    assert (answer.status, answer.content) == (404, b"")
