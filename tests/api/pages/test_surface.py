"""What every page has: nothing that runs or comes from elsewhere, and an answer in words to whatever is asked."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.pages.visitor import Page, Visitor
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

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
    assert browser.ask("GET", "/assets/nothing.0000000000000000.css").status == 404


def test_a_file_is_the_same_for_everybody_and_not_sent_to_who_has_it(browser: Browser) -> None:
    """Else a browser would fetch it anew with every cookie it is given (RFC 9111 §4.1)."""
    page = Page(browser.ask("GET", "/sign-in"))
    for path in [given["href"] for tag, given in page.elements if tag == "link"]:
        answer = browser.ask("GET", path or "")
        assert answer.header("vary") is None
        tag = answer.header("etag") or ""
        for known in (tag, f'W/{tag}, "x"', "*"):
            again = browser.ask("GET", path or "", headers={"If-None-Match": known})
            assert (again.status, again.content, again.header("etag")) == (304, b"", tag)
            assert again.header("cache-control") == "public, max-age=31536000, immutable"
        assert browser.ask("GET", path or "", headers={"If-None-Match": '"x"'}).status == 200


def test_a_browser_that_asks_for_an_icon_by_its_old_name_finds_ours(browser: Browser) -> None:
    answer = browser.ask("GET", "/favicon.ico")
    assert answer.status == 303
    icon = browser.ask("GET", answer.header("location") or "")
    assert (icon.status, icon.header("content-type")) == (200, "image/svg+xml")


def test_pages_and_their_files_are_asked_for_by_https_alone_once_they_are_public(
    database: Database, clock: HandClock
) -> None:
    secure = settings_for(database, base_url="https://accounts.example.com")
    with application(secure, clock) as url:
        page = Browser(url).ask("GET", "/sign-in")
        files = [given["href"] for tag, given in Page(page).elements if tag == "link"]
        for path in ("/sign-in", "/nowhere", "/favicon.ico", *files):
            answer = Browser(url).ask("GET", path or "")
            assert answer.header("strict-transport-security") == "max-age=31536000"


def test_nothing_is_said_of_https_where_there_is_none(browser: Browser) -> None:
    assert browser.ask("GET", "/sign-in").header("strict-transport-security") is None


def test_a_page_of_another_release_has_its_style_from_this_one_and_keeps_it_for_now_only(browser: Browser) -> None:
    answer = browser.ask("GET", "/assets/daybook.0000000000000000.css")
    assert (answer.status, answer.header("content-type")) == (200, "text/css; charset=utf-8")
    assert answer.header("cache-control") == "no-store"
    for path in ("/assets/daybook.css", "/assets/../daybook.0000000000000000.css", "/assets/daybook.0.css", "/assets/"):
        assert browser.ask("GET", path).status == 404


def test_every_address_of_a_form_leads_back_to_its_page_where_somebody_looks_at_it(url: str, email: str) -> None:
    ada = Visitor(url)
    ada.open("/sign-up")
    ada.press("Sign up", name="Ada Lovelace", email=email, password=PASSWORD)
    leads = {
        "/account/profile": "/account/settings",
        "/account/sessions/end-others": "/account/sessions",
        "/organization/members/role": "/organization/members",
        "/organization/invitations/renew": "/organization/members",
        "/organizations/found": "/organizations",
        "/sign-out": "/account/settings",
        "/language": "/account/settings",
    }
    for path, page in leads.items():
        assert (ada.open(path).status, ada.path) == (200, page)
    assert ada.browser.session() is not None


def test_an_unknown_page_says_so_and_does_not_repeat_its_address(browser: Browser) -> None:
    answer = browser.ask("GET", "/%3Cscript%3E/evil.example")
    assert answer.status == 404
    assert b"There is no such page" in answer.content
    assert b"evil.example" not in answer.content


def test_pages_are_in_the_language_that_is_asked_for(url: str) -> None:
    assert "Sign in" in Visitor(url, language="fr;q=0.9, en;q=0.5").open("/sign-in").title
    german = Visitor(url, language="fr, de-CH;q=0.8, en;q=0.5").open("/sign-in")
    assert german.elements[0] == ("html", {"lang": "de"})


def test_a_language_is_chosen_without_losing_where_one_was(url: str) -> None:
    visitor = Visitor(url)
    for path in (
        "/sign-in?next=%2Faccount%2Factivity%3Fkind%3DX",
        "/reset-password?token=abc",
        "/accept-invitation?invitationId=abc",
    ):
        visitor.open(path)
        visitor.press("Deutsch" if "Deutsch" in visitor.page.text else "English")
        assert visitor.path == path
    visitor.open("/sign-up?next=%2Forganizations")
    visitor.press("Registrieren", name="", email="x", password="y")
    visitor.press("English")
    assert visitor.path == "/sign-up?next=%2Forganizations"


def test_a_language_that_was_chosen_stays_chosen(url: str) -> None:
    visitor = Visitor(url)
    visitor.open("/sign-in")
    page = visitor.press("Deutsch")
    assert (visitor.path, page.elements[0]) == ("/sign-in", ("html", {"lang": "de"}))
    assert visitor.open("/sign-up").elements[0] == ("html", {"lang": "de"})
