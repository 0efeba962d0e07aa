"""What the log says of refusals that a forgotten setting causes: each once, with the setting, nothing about people."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from api.edge.cookies import SameSite, SessionCookies, browser_drops
from api.edge.operator_hints import OperatorHints
from api.edge.origins import TrustedOrigins
from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application

HOME = "https://accounts.example.com"
APP, OLD_APP, ELSEWHERE = "https://app.example.com", "http://old.example.com", "https://app.example.net"
FAR_AWAY = "https://app.example.org"
NAMED = "neither DAYBOOK_BASE_URL (https://accounts.example.com) nor DAYBOOK_TRUSTED_ORIGINS names"


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where an application answers that is reached over https, as it was told."""
    trusted = f"{APP},{OLD_APP},{ELSEWHERE},{FAR_AWAY},http://accounts.example.com"
    with application(settings_for(module_database, base_url=HOME, trusted_origins=trusted), module_clock) as url:
        yield url


@pytest.fixture(scope="module")
def url_over_http(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where one answers that is reached over http, as it was told."""
    settings = settings_for(module_database, base_url="http://accounts.example.com")
    with application(settings, module_clock) as url:
        yield url


@pytest.fixture(autouse=True)
def _from_warnings_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="daybook")


def told(caplog: pytest.LogCaptureFixture, url: str) -> list[str]:
    """What the log says by now. It is written when an answer is out: others are asked for, which come behind."""
    for _ in range(3):
        assert Browser(url).ask("GET", f"{BASE}/ok").status == 200
    return [record.getMessage() for record in caplog.records if record.name == "daybook"]


def preflight(browser: Browser, origin: str, headers: str = "content-type") -> int:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, asks).status


def test_a_page_whose_preflight_is_refused_is_told_of(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert preflight(Browser(url), "http://localhost:5173") == 404
    [line] = told(caplog, url)
    assert line.startswith("Pages of http://localhost:5173 are refused")
    assert NAMED in line


def test_a_page_that_may_not_read_its_answer_is_told_of(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for mode in ("cors", "navigate"):
        page = {"Origin": f"https://{mode}.example", "Sec-Fetch-Mode": mode}
        assert Browser(url).ask("GET", f"{BASE}/get-session", None, page).status == 200
    [line] = told(caplog, url)
    assert line.startswith("Pages of https://cors.example are refused")


@pytest.mark.parametrize("field", ["callbackURL", "redirectTo", "errorCallbackURL", "newUserCallbackURL"])
def test_a_refused_target_is_told_of_by_its_origin_only(url: str, caplog: pytest.LogCaptureFixture, field: str) -> None:
    browser, host = Browser(url, origin=HOME), f"{field.lower()}.example"
    for path in ("/reset?token=s3cret", "/ada@example.com"):
        assert browser.post("/sign-in/email", {field: f"https://{host}{path}"}).status == 403
    [line] = told(caplog, url)
    assert line == f"Redirects to https://{host} are refused: {NAMED} that origin."


def test_a_refused_target_in_a_query_too(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Browser(url, origin=HOME).post("/sign-out?callbackURL=https%3A%2F%2Fquery.example%2Fx").status == 403
    [line] = told(caplog, url)
    assert line.startswith("Redirects to https://query.example are refused")


@pytest.mark.parametrize(
    "target", ["dash", "//evil.example", "javascript:alert(1)", "myapp://x", "https://ada:pw@x.example/", "/a\tb"]
)
def test_a_target_that_no_setting_would_allow_is_not_told_of(
    url: str, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    assert Browser(url, origin=HOME).post("/sign-in/email", {"callbackURL": target}).status == 403
    assert told(caplog, url) == []


def test_a_header_that_other_origins_may_not_send_is_told_of(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert preflight(Browser(url), APP, "Content-Type, authorization,X-Captcha-Response, traceparent, a\tb") == 204
    assert preflight(Browser(url), "https://stranger.example", "x-of-a-stranger") == 404
    lines = [line for line in told(caplog, url) if "the header" in line]
    assert [line.split(",")[0] for line in lines] == [
        "Pages of other origins are refused the header x-captcha-response",
        "Pages of other origins are refused the header traceparent",
    ]
    assert f"DAYBOOK_BASE_URL ({HOME})" in lines[0]


def signs_up(url: str, email: str, origin: str, **headers: str) -> tuple[int, str | None]:
    browser = Browser(url)
    body = {"name": "Ada", "email": email, "password": "correct horse 1"}
    sent = {"Origin": origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return browser.post("/sign-up/email", body, sent).problem


def test_a_page_over_http_gets_a_cookie_that_its_browser_drops(
    url: str, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert signs_up(url, email, OLD_APP)[0] == 200
    assert signs_up(url, f"2.{email}", OLD_APP)[0] == 200
    [line] = told(caplog, url)
    assert line.startswith(
        f"Who signs in from a page of {OLD_APP} stays signed out: DAYBOOK_BASE_URL ({HOME}) is https"
    )
    assert email not in line


def test_a_page_on_another_site_does_too(url: str, email: str, caplog: pytest.LogCaptureFixture) -> None:
    assert signs_up(url, email, ELSEWHERE, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")[0] == 200
    [line] = told(caplog, url)
    assert line.startswith(f"Who signs in from a page of {ELSEWHERE} stays signed out: that is another site than")
    assert f"DAYBOOK_BASE_URL ({HOME})" in line
    assert "Set DAYBOOK_COOKIE_SAME_SITE=None" in line


def test_a_page_on_another_site_by_its_origin_alone(url: str, email: str, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(2):
        assert signs_up(url, f"{number}.{email}", FAR_AWAY)[0] == 200
    [line] = told(caplog, url)
    assert line.startswith(f"Who signs in from a page of {FAR_AWAY} stays signed out: that is another site than")


def test_with_cookies_for_other_sites_there_is_nothing_to_tell(
    module_database: Database, module_clock: HandClock, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(module_database, base_url=HOME, trusted_origins=ELSEWHERE, cookie_same_site="None")
    with application(settings, module_clock) as url:
        assert signs_up(url, email, ELSEWHERE, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")[0] == 200
        assert told(caplog, url) == []


def test_a_page_whose_browser_keeps_the_cookie_is_not_told_of(
    url: str, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert signs_up(url, email, APP, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors")[0] == 200
    assert signs_up(url, f"2.{email}", HOME)[0] == 200
    # a program, as Node is one
    assert signs_up(url, f"3.{email}", "http://accounts.example.com", Sec_Fetch_Mode="cors")[0] == 200
    assert told(caplog, url) == []


def test_who_is_not_signed_in_is_given_no_cookie_to_drop(url: str, caplog: pytest.LogCaptureFixture) -> None:
    page = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    body = {"email": "nobody@example.com", "password": "x"}
    assert Browser(url).post("/sign-in/email", body, page).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert told(caplog, url) == []


def test_a_browser_that_comes_over_https_to_a_base_url_of_http_is_told_of(
    url_over_http: str, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert signs_up(url_over_http, email, HOME) == (403, "INVALID_ORIGIN")
    [line] = told(caplog, url_over_http)
    assert line.startswith(f"Pages of {HOME} are refused: neither DAYBOOK_BASE_URL (http://accounts.example.com)")


@pytest.mark.parametrize(
    ("secure", "headers", "why"),
    [
        (True, {"origin": "http://a.example.com"}, "scheme"),
        (True, {"origin": "HTTP://a.example.com"}, "scheme"),
        (True, {"origin": "http://a.example.net"}, "scheme"),
        (False, {"origin": "http://a.example.com"}, None),
        (False, {"origin": "https://a.example.com"}, None),
        (True, {"origin": "https://a.example.com"}, None),
        (True, {"origin": "https://example.com:8443"}, None),
        (True, {"origin": "null"}, None),
        (True, {}, None),
        (True, {"origin": "http://localhost:3000", "sec-fetch-site": "same-origin"}, None),
        (True, {"origin": "https://a.example.net", "sec-fetch-site": "cross-site"}, "site"),
        (False, {"origin": "http://a.example.net", "sec-fetch-site": "cross-site"}, "site"),
        # an older browser, or one that came over http, names only the page
        (True, {"origin": "https://a.example.net"}, "site"),
        (False, {"origin": "http://localhost:5173"}, "site"),
        # Node sends no site, and keeps cookies as it likes
        (True, {"origin": "https://a.example.net", "sec-fetch-mode": "cors"}, None),
    ],
)
@pytest.mark.parametrize("same_site", ["Lax", "Strict", "None"])
def test_what_a_browser_drops_is_told_by_what_it_sends(
    secure: bool, headers: dict[str, str], why: str | None, same_site: SameSite
) -> None:
    """A cookie with SameSite=None is kept, whatever the site."""
    cookies = SessionCookies("better-auth", secure, "secret", same_site=same_site)
    told = browser_drops(headers, cookies, HOME if secure else HOME.replace("https", "http"))
    assert told == (None if why == "site" and same_site == "None" else why)


def test_hints_are_bounded_in_number_and_length(caplog: pytest.LogCaptureFixture) -> None:
    hints = OperatorHints(TrustedOrigins(HOME), SessionCookies("better-auth", True, "secret"))
    hints.target_refused(f"https://{'a' * 300}.example")
    assert caplog.records == []
    for number in range(60):
        hints.target_refused(f"https://{number}.example/{'x' * 1000}")
    assert len(caplog.records) == 20
    assert all(len(record.getMessage()) < 300 for record in caplog.records)
    assert all(record.getMessage().isprintable() for record in caplog.records)
