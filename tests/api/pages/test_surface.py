"""What every page has: nothing that runs or comes from elsewhere, and an answer in words to whatever is asked."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.api.pages.visitor import Page, Visitor

PATHS = [
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/reset-password",
    "/accept-invitation",
    "/nowhere",
    "//api/auth/ok",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_lets_nothing_run_and_nothing_be_framed_or_kept(browser: Browser, path: str) -> None:
    answer = browser.ask("GET", path)
    policy = dict(part.strip().split(" ", 1) for part in (answer.header("content-security-policy") or "").split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert all("unsafe" not in value and "*" not in value for value in policy.values())
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-content-type-options") == "nosniff"
    page = Page(answer)
    for tag, given in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in given), (tag, given)
        assert tag != "style"
        for name in ("src", "href", "action"):
            assert not (given.get(name) or "/").startswith(("http:", "https:", "//", "data:", "javascript:"))


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_a_title_one_heading_and_a_label_for_each_field(browser: Browser, path: str) -> None:
    page = Page(browser.ask("GET", path))
    assert page.title.endswith(" · Daybook")
    assert [tag for tag, _ in page.elements].count("h1") == 1
    labels = {given.get("for") for tag, given in page.elements if tag == "label"}
    for tag, given in page.elements:
        if tag in ("input", "select") and given.get("type") != "hidden":
            assert given.get("id") in labels or given.get("aria-label"), given


def test_all_a_page_needs_comes_from_us_is_small_and_may_be_kept_for_good(browser: Browser) -> None:
    answer = browser.ask("GET", "/sign-in")
    named = {given.get("src") or given.get("href") for tag, given in Page(answer).elements if tag in ("script", "link")}
    assert named
    size = len(answer.content)
    for path in named:
        assert path is not None
        asset = browser.ask("GET", path)
        assert (asset.status, asset.header("cache-control")) == (200, "public, max-age=31536000, immutable")
        size += len(asset.content)
    assert size <= 60 * 1024
    assert browser.ask("GET", "/assets/daybook.0000000000000000.css").status == 404


def test_an_unknown_page_says_so_and_does_not_repeat_its_address(browser: Browser) -> None:
    answer = browser.ask("GET", "/%3Cscript%3E/evil.example")
    assert answer.status == 404
    assert b"There is no such page" in answer.content
    assert b"evil.example" not in answer.content


def test_pages_are_in_the_language_that_is_asked_for(url: str) -> None:
    assert "Sign in" in Visitor(url, language="fr;q=0.9, en;q=0.5").open("/sign-in").title
    german = Visitor(url, language="fr, de-CH;q=0.8, en;q=0.5").open("/sign-in")
    assert german.elements[0] == ("html", {"lang": "de"})


def test_a_language_that_was_chosen_stays_chosen(url: str) -> None:
    visitor = Visitor(url)
    visitor.open("/sign-in")
    page = visitor.press("Deutsch")
    assert (visitor.path, page.elements[0]) == ("/sign-in", ("html", {"lang": "de"}))
    assert visitor.open("/sign-up").elements[0] == ("html", {"lang": "de"})
