"""Behind a proxy that renames the host our own pages are those of the base URL, whatever a request is addressed to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.people import PASSWORD
from tests.server import Server

OURS, APP, EVIL = "https://accounts.example.com", "https://app.example.com", "https://evil.example"
SETTINGS = {"BASE_URL": OURS, "TRUSTED_ORIGINS": APP, "RATE_LIMIT": "off"}
RENAMED = [
    "daybook:8000",
    "10.0.7.11",
    "[2001:db8::7]:8000",
    "accounts.example.com:8000",
    "evil.example",
    "upstream_of_a_proxy",
]


class Renamed(Browser):
    """A browser on a page of the base URL, whose requests arrive under another host's name."""

    def __init__(self, url: str, host: str) -> None:
        super().__init__(url, origin=OURS)
        self.host = host

    def ask(self, method: str, target: str, body: Any = None, headers: Any = None) -> Answer:
        return super().ask(method, target, body, {"Host": self.host, **(headers or {})})

    @property
    def itself(self) -> list[str]:
        """The origins a page of the host's new name would have, were there one."""
        return [f"http://{self.host}", f"https://{self.host}"]


@pytest.fixture(params=RENAMED)
def browser(request: pytest.FixtureRequest, server: Server) -> Renamed:
    """One whose proxy calls us this."""
    return Renamed(server.url, request.param)


def test_a_page_of_ours_signs_up_changes_something_and_signs_out(browser: Renamed, email: str) -> None:
    signed_up = browser.sign_up(email)
    assert signed_up.status == 200
    [cookie] = signed_up.set_cookies
    # by the base URL too, and bound to no host's name
    assert cookie.startswith("__Secure-better-auth.session_token=")
    assert "; Secure" in cookie
    assert "Domain=" not in cookie
    session = browser.get("/get-session", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"})
    assert session.json()["user"]["email"] == email
    assert browser.post("/update-user", {"name": "Ada L."}).status == 200
    referring = {"Origin": "", "Referer": f"{OURS}/settings?tab=1"}
    assert browser.post("/update-user", {"name": "Ada"}, referring).status == 200
    assert browser.post("/sign-out").status == 200


def test_a_page_that_names_no_referrer_is_vouched_for_by_its_browser(browser: Renamed, email: str) -> None:
    assert browser.sign_up(email).status == 200
    unnamed = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert browser.post("/update-user", {"name": "Ada L."}, unnamed).status == 200
    assert browser.post("/sign-in/email", {"email": email, "password": PASSWORD}, unnamed).status == 200
    crossed = {**unnamed, "Sec-Fetch-Site": "cross-site"}
    assert browser.post("/update-user", {"name": "Eve"}, crossed).problem == (403, "MISSING_OR_NULL_ORIGIN")


def test_who_calls_themselves_as_the_request_is_addressed_is_nobody_of_ours(browser: Renamed, email: str) -> None:
    """The name in Host is the proxy's or the client's word, never a page's."""
    assert browser.sign_up(email).status == 200
    for origin in (*browser.itself, EVIL):
        for headers in ({"Origin": origin}, {"Origin": "", "Referer": f"{origin}/x"}):
            refused = browser.post("/update-user", {"name": "Eve"}, headers)
            assert refused.problem == (403, "INVALID_ORIGIN"), headers
        anonymous = Renamed(browser.url, browser.host)
        body = {"email": email, "password": PASSWORD}
        assert anonymous.post("/sign-in/email", body, {"Origin": origin}).problem == (403, "INVALID_ORIGIN")


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Original-Host", "X-Host", "Forwarded"])
def test_no_forwarded_name_makes_a_page_ours(server: Server, email: str, header: str) -> None:
    browser = Renamed(server.url, "daybook:8000")
    assert browser.sign_up(email).status == 200
    forwarded = {header: "host=evil.example;proto=https" if header == "Forwarded" else "evil.example", "Origin": EVIL}
    assert browser.post("/update-user", {"name": "Eve"}, forwarded).problem == (403, "INVALID_ORIGIN")
    assert browser.post("/update-user", {"name": "Ada"}, {**forwarded, "Origin": OURS}).status == 200


def test_redirects_lead_to_the_base_url_or_nowhere_else(browser: Renamed, email: str) -> None:
    assert browser.sign_up(email).status == 200
    for target in (f"{OURS}/dashboard", f"{APP}/x", "/dashboard"):
        answer = browser.post("/sign-in/email", {"email": email, "password": PASSWORD, "callbackURL": target})
        assert (answer.status, answer.header("location"), answer.json()["url"]) == (200, target, target)
    for target in (*(f"{origin}/x" for origin in browser.itself), f"//{browser.host}/x"):
        answer = browser.post("/sign-in/email", {"email": email, "password": PASSWORD, "callbackURL": target})
        assert answer.problem == (403, "INVALID_CALLBACK_URL"), target


def test_other_origins_are_allowed_by_their_names_alone(browser: Renamed) -> None:
    def allowed(origin: str) -> tuple[int, str | None]:
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, asks)
        return answer.status, answer.header("access-control-allow-origin")

    assert allowed(APP) == (204, APP)
    for origin in browser.itself:
        assert allowed(origin) == (404, None)


def test_no_answer_names_the_host_it_was_asked_under(browser: Renamed, email: str) -> None:
    answers = [
        browser.sign_up(email),
        browser.get("/get-session"),
        browser.get("/error?error=x"),
        browser.ask("GET", "/openapi.json"),
        browser.ask("GET", "/docs"),
        browser.ask("GET", "/docs/"),
        browser.ask("GET", f"{BASE}/nowhere/"),
    ]
    for answer in answers:
        told = json.dumps(list(answer.headers.items())) + answer.content.decode()
        assert browser.host not in told
