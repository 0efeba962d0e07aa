"""Whatever is asked of pages is answered by a page: no 5xx, no way to elsewhere, nothing made up is shown."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests.api.browser import Answer, Browser
from tests.api.pages.visitor import Page

MADE_UP = b"evil.example"
PATHS = [
    "//",
    "/sign-in//",
    "//sign-in/",
    "//evil.example/",
    "/nowhere/",
    "/account/profile/",
    "/assets/daybook.css/",
    "//sign-in",
    "//evil.example/sign-in",
    "/\\evil.example",
    "/%5Cevil.example",
    "/%2Fevil.example",
    "/sign-in%2Fevil.example",
    "/./sign-in",
    "/evil.example/../sign-in",
    "/sign-in/..",
    "/%2e%2e/sign-in",
    "/sign-in;evil.example",
    "/sign-in%00evil.example",
    "/sign-in%0d%0aSet-Cookie:evil.example",
    "/SIGN-IN",
    "/%ff",
    "/%zz",
    "/assets/../sign-in",
    "/assets/%2e%2e/settings.py",
    "/assets/..%2f..%2flook.py",
    "/api",
    "/api/authevil.example",
    "/" + "a" * 50_000,
    "/" + "a/" * 5_000,
]
METHODS = ["OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]
READABLE = ["/sign-in", "/nowhere", "/account/sessions", "/sign-out"]
LONG = [
    "/sign-in?" + "a=b&" * 15_000,
    "/sign-in?next=/" + "a" * 50_000,
    "/sign-up?next=/" + "%26" * 10_000,
    "/reset-password?token=" + "%22" * 10_000,
    "/accept-invitation?invitationId=" + "%3C" * 10_000,
    "/organization/members?search=" + "a" * 50_000,
]
LONGEST_TAKEN = 4_096


def ask(url: str, method: str, target: str) -> Answer:
    """As `Browser.ask`, but of a target that no client of ours would send."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), 20) as connection:
        head = f"{method} {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        return Answer(answer.status, answer.headers, answer.read())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_a_path_that_is_no_page_is_no_way_to_one_and_not_shown(url: str, path: str) -> None:
    answer = ask(url, "GET", path)
    assert answer.status == 404
    assert answer.header("location") is None
    assert Page(answer).title.startswith("There is no such page")
    assert MADE_UP not in answer.content
    assert not [line for line in answer.all_cookies if "evil" in line]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("/sign-in/", "/sign-in"),
        ("/sign-in/?next=%2Forganizations&a=%0d%0aX:1", "/sign-in?next=%2Forganizations&a=%0d%0aX:1"),
        ("/sign-in/?//evil.example", "/sign-in?//evil.example"),
        ("/sign%2Din%2F", "/sign-in"),
        ("http://evil.example/sign-in/", "/sign-in"),
        ("/account/sessions/", "/account/sessions"),
        ("/.well-known/change-password/", "/.well-known/change-password"),
    ],
)
def test_a_page_is_found_behind_a_slash_too_many(url: str, method: str, target: str, page: str) -> None:
    answer = ask(url, method, target)
    assert (answer.status, answer.header("location"), answer.content) == (308, page, b"")
    assert "default-src 'none'" in (answer.header("content-security-policy") or "")


def test_a_form_is_not_sent_on_from_there(url: str) -> None:
    answer = ask(url, "POST", "/sign-in/")
    assert (answer.status, answer.header("location")) == (404, None)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_no_page_has_finds_no_page_and_opens_nothing_to_other_sites(url: str, method: str) -> None:
    for path in READABLE:
        answer = ask(url, method, path)
        assert (answer.status, answer.header("location")) == (404, None)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_head_answers_as_get_does_without_what_it_says(url: str) -> None:
    for path in ("/sign-in", "/nowhere", "/account/sessions", "/"):
        got, head = ask(url, "GET", path), ask(url, "HEAD", path)
        assert head.content == b""
        for name in ("content-length", "content-type", "location", "cache-control", "content-security-policy"):
            assert head.header(name) == got.header(name)
        assert head.status == got.status


def test_a_page_is_found_by_its_path_however_its_letters_are_written(url: str) -> None:
    assert ask(url, "GET", "/sign%2Din").content == ask(url, "GET", "/sign-in").content


def test_an_address_of_another_host_leads_nowhere_else(url: str) -> None:
    """A request may name its target whole (RFC 9112 §3.2.2)."""
    answer = ask(url, "GET", "http://evil.example/")
    assert (answer.status, answer.header("location")) == (303, "/sign-in")


@pytest.mark.parametrize("target", LONG, ids=lambda target: target.partition("?")[0])
def test_a_query_that_nobody_needs_is_too_much_and_not_repeated(url: str, target: str) -> None:
    answer = ask(url, "GET", target)
    assert (answer.status, answer.header("location")) == (413, None)
    assert Page(answer).title.startswith("That is too much")
    assert len(answer.content) < 2_000


def test_the_longest_query_that_is_taken_leaves_a_page_small(url: str) -> None:
    for filled in ("next=/" + "a" * 4_000, "&" * LONGEST_TAKEN, "next=" + "/%26" * 1_000):
        assert len(filled) <= LONGEST_TAKEN
        answer = ask(url, "GET", f"/sign-in?{filled}")
        assert (answer.status, len(answer.content) < 40 * 1024) == (200, True)
    assert ask(url, "GET", "/sign-in?" + "a" * (LONGEST_TAKEN + 1)).status == 413


def test_what_a_query_says_stands_nowhere_as_it_came(browser: Browser) -> None:
    for target in (
        '/sign-in?next="><script>x</script>',
        "/?error=<script>x</script>",
        "/sign-in?done=<script>x</script>",
    ):
        answer = ask(browser.url, "GET", target.replace(" ", "%20"))
        assert answer.status in (200, 400)
        assert b"<script>x" not in answer.content
