"""Cookies for applications on other hosts and other sites: one form for all that is set and cleared (wire.md A33)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.browser import Answer, Browser, signed
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

HOME, APP = "https://accounts.example.com", "https://app.example.net"
NAME = "__Secure-better-auth.session_token"
COMBINATIONS: dict[str, dict[str, str]] = {
    "; HttpOnly; Secure; SameSite=Strict": {"cookie_same_site": "Strict"},
    "; HttpOnly; Secure; SameSite=None": {"cookie_same_site": "None"},
    "; HttpOnly; Secure; SameSite=None; Partitioned": {"cookie_same_site": "None", "cookie_partitioned": "on"},
    "; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax": {"cookie_domain": "example.com"},
    "; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=None; Partitioned": {
        "cookie_same_site": "None", "cookie_partitioned": "on", "cookie_domain": "example.com",
    },
}  # fmt: skip


@pytest.fixture(params=COMBINATIONS)
def told_apart(
    request: pytest.FixtureRequest, module_database: Database, clock: HandClock
) -> Iterator[tuple[Browser, str]]:
    """A browser on a page of another site, and how all cookies end that it is given."""
    settings: dict[str, Any] = {"base_url": HOME, "trusted_origins": APP, **COMBINATIONS[request.param]}
    with application(settings_for(module_database, **settings), clock) as url:
        yield Browser(url, origin=APP), request.param


def story(browser: Browser, email: str, clock: HandClock) -> list[Answer]:
    """All calls that set or clear cookies."""
    answers = [browser.sign_up(email), browser.sign_in(email, rememberMe=False), browser.sign_in(email)]
    clock.wind(hours=25)
    answers += [
        browser.get("/get-session"),
        browser.post("/update-user", {"name": "Ada L."}),
        browser.post("/organization/set-active", {"organizationId": None}),
        browser.post(
            "/change-password",
            {"currentPassword": PASSWORD, "newPassword": "another horse 2", "revokeOtherSessions": True},
        ),
    ]
    dead = dict(browser.cookies)
    answers.append(browser.post("/sign-out"))
    browser.cookies = dead
    answers.append(browser.get("/get-session"))
    answers.append(browser.sign_in(email, "another horse 2"))
    answers.append(browser.post("/revoke-sessions"))
    return answers


def test_every_cookie_that_is_set_or_cleared_has_the_same_form(
    told_apart: tuple[Browser, str], email: str, clock: HandClock
) -> None:
    browser, ending = told_apart
    answers = story(browser, email, clock)
    assert [answer.status for answer in answers] == [200] * len(answers)
    names = set[str]()
    for answer in answers:
        lines = answer.all_cookies
        # twins of before the setting are taken away beside it
        ours = [line for line in lines if line.endswith(ending) or "; Max-Age=0; " not in line]
        assert all(line.endswith(ending) and "; Secure" in line for line in ours)
        said = {line.partition("=")[0] for line in ours}
        assert said == {line.partition("=")[0] for line in lines}
        names |= said
    nouns = ("session_token", "session_data", "dont_remember", "known_device")
    assert names == {f"__Secure-better-auth.{noun}" for noun in nouns}


def test_who_signs_in_again_is_not_whom_a_cookie_of_before_the_setting_shows(
    module_database: Database, clock: HandClock, email: str
) -> None:
    """A browser keeps both, and shows the older one first."""
    with application(settings_for(module_database, base_url=HOME), clock) as url:
        old = Browser(url, origin=HOME)
        old.sign_up(email)
    with application(settings_for(module_database, base_url=HOME, cookie_domain="example.com"), clock) as url:
        new = Browser(url, origin=HOME)
        new.cookies = dict(old.cookies)
        answer = new.sign_up(f"bo.{email}")
        first, second = [line for line in answer.set_cookies if line.startswith(f"{NAME}=")]
    assert first == f"{NAME}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
    assert second.startswith(f"{NAME}={signed(answer.json()['token'])}; Max-Age=604800; Domain=example.com; Path=/")


def test_a_page_of_another_site_stays_signed_in(told_apart: tuple[Browser, str], email: str) -> None:
    """Its browser says where it is; the origin is what decides, as everywhere."""
    browser, _ = told_apart
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    body = {"name": "Ada", "email": email, "password": PASSWORD}
    signed_up = browser.post("/sign-up/email", body, elsewhere)
    assert signed_up.status == 200
    assert signed_up.header("access-control-allow-origin") == APP
    assert signed_up.header("access-control-allow-credentials") == "true"
    assert browser.get("/get-session", elsewhere).json()["user"]["email"] == email
    assert browser.post("/update-user", {"name": "Ada L."}, elsewhere).status == 200
    foreign = {**elsewhere, "Origin": "https://evil.example"}
    assert browser.post("/update-user", {"name": "Eve"}, foreign).problem == (403, "INVALID_ORIGIN")
