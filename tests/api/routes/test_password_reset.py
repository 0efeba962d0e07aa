"""A forgotten password: the link by mail, and what it opens and ends (wire.md §9, A7)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

NEW = "battery staple 2"
SENT = {"status": True, "message": "If this email exists in our system, check your email for the reset link"}
INVALID = (400, "INVALID_TOKEN")


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, trusted_origins="https://app.example.com")


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    """Where the application answers that leaves mail in a folder."""
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(browser: Browser, email: str) -> Browser:
    """Signed in at noon."""
    assert browser.sign_up(email).status == 200
    return browser


def ask(browser: Browser, email: str, **fields: object) -> Answer:
    return browser.post("/request-password-reset", {"email": email, **fields})


def reset(browser: Browser, token: str, password: str = NEW, **fields: object) -> Answer:
    return browser.post("/reset-password", {"newPassword": password, "token": token, **fields})


def token_for(ada: Browser, email: str, postman: Postman) -> str:
    assert ask(Browser(ada.url), email).status == 200
    return postman.link_to(email).token


def test_who_forgot_the_password_sets_another_one(ada: Browser, email: str, postman: Postman) -> None:
    answer = ask(Browser(ada.url), email, redirectTo="/new-password?from=mail")
    assert (answer.status, answer.json(), answer.all_cookies) == (200, SENT, [])
    link = postman.link_to(email)
    assert link.callback_url == "/new-password?from=mail"
    opened = ada.ask("GET", link.path)
    assert opened.status == 302
    assert opened.header("location") == f"{postman.settings.origin}/new-password?from=mail&token={link.token}"
    done = reset(Browser(ada.url), link.token)
    assert (done.status, done.json(), done.all_cookies) == (200, {"status": True}, [])
    assert Browser(ada.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert Browser(ada.url).sign_in(email, NEW).status == 200


def test_the_answer_for_an_address_that_nobody_has_is_the_same(ada: Browser, email: str, postman: Postman) -> None:
    known, unknown = ask(Browser(ada.url), email), ask(Browser(ada.url), f"nobody.{email}")
    assert (known.status, known.content) == (unknown.status, unknown.content)
    assert sorted(map(str.lower, known.headers.keys())) == sorted(map(str.lower, unknown.headers.keys()))
    assert postman.mails_to(f"nobody.{email}") == []


def test_every_session_ends_with_a_reset(ada: Browser, email: str, postman: Postman) -> None:
    phone = Browser(ada.url)
    phone.sign_in(email)
    token = token_for(ada, email, postman)
    assert ada.session() is not None
    reset(Browser(ada.url), token)
    assert (ada.session(), phone.session()) == (None, None)


def test_keys_of_programs_end_with_a_reset_if_that_is_asked_for(ada: Browser, email: str, postman: Postman) -> None:
    key = ada.post("/api-key/create", {"name": "deploy"}).json()["key"]
    for asked, status in ((False, 200), (True, 401)):
        assert reset(Browser(ada.url), token_for(ada, email, postman), revokeApiKeys=asked).status == 200
        assert ada.ask("GET", f"{BASE}/organization/list", None, {"x-api-key": key}).status == status


def test_a_reset_proves_the_address(ada: Browser, email: str, postman: Postman) -> None:
    assert ada.get("/get-session").json()["user"]["emailVerified"] is False
    reset(Browser(ada.url), token_for(ada, email, postman))
    answer = Browser(ada.url).sign_in(email, NEW)
    assert answer.json()["user"]["emailVerified"] is True


def test_a_link_sets_one_password(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    assert reset(Browser(ada.url), token).status == 200
    assert reset(Browser(ada.url), token, "battery staple 3").problem == INVALID
    assert Browser(ada.url).sign_in(email, NEW).status == 200


def test_of_eight_uses_at_once_one_succeeds(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: reset(Browser(ada.url), token, f"battery staple {n}"), range(8)))
    assert sorted(one.problem for one in answers if one.status != 200) == [INVALID] * 7
    [won] = [number for number, one in enumerate(answers) if one.status == 200]
    assert Browser(ada.url).sign_in(email, f"battery staple {won}").status == 200


def test_only_the_newest_link_opens_anything(ada: Browser, email: str, postman: Postman) -> None:
    first = token_for(ada, email, postman)
    second = token_for(ada, email, postman)
    assert first != second
    assert reset(Browser(ada.url), first).problem == INVALID
    assert reset(Browser(ada.url), second).status == 200


@pytest.mark.parametrize(("seconds", "status"), [(3_599, 200), (3_600, 400)])
def test_a_link_is_good_for_an_hour(
    ada: Browser, email: str, postman: Postman, clock: HandClock, seconds: int, status: int
) -> None:
    token = token_for(ada, email, postman)
    clock.wind(seconds=seconds)
    assert reset(Browser(ada.url), token).status == status


def test_a_password_that_was_changed_meanwhile_ends_the_link(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    assert ada.post("/change-password", {"currentPassword": PASSWORD, "newPassword": NEW}).status == 200
    assert reset(Browser(ada.url), token, "battery staple 3").problem == INVALID


@pytest.mark.parametrize(
    ("password", "code"),
    [("short 1", "PASSWORD_TOO_SHORT"), ("long " * 26, "PASSWORD_TOO_LONG"), ("password1", "PASSWORD_COMPROMISED")],
)
def test_a_password_that_is_refused_uses_nothing_up(
    ada: Browser, email: str, postman: Postman, password: str, code: str
) -> None:
    token = token_for(ada, email, postman)
    assert reset(Browser(ada.url), token, password).problem == (400, code)
    assert reset(Browser(ada.url), token).status == 200


def test_the_token_may_stand_in_the_query(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    assert Browser(ada.url).post(f"/reset-password?token={token}", {"newPassword": NEW}).status == 200


@pytest.mark.parametrize("fields", [{}, {"token": ""}, {"token": "0" * 32}, {"token": "ü" * 900}])
def test_what_is_no_token_opens_nothing(browser: Browser, fields: dict[str, object]) -> None:
    assert browser.post("/reset-password", {"newPassword": NEW, **fields}).problem == INVALID


def test_opening_a_link_uses_nothing_up(ada: Browser, email: str, postman: Postman) -> None:
    ask(Browser(ada.url), email, redirectTo="https://app.example.com/reset")
    link = postman.link_to(email)
    for _ in range(3):
        opened = ada.ask("GET", link.path)
        assert opened.header("location") == f"https://app.example.com/reset?token={link.token}"
        assert opened.header("referrer-policy") == "no-referrer"
        assert opened.content == b""
    assert reset(Browser(ada.url), link.token).status == 200
    assert ada.ask("GET", link.path).header("location") == "https://app.example.com/reset?error=INVALID_TOKEN"


def opened(browser: Browser, token: str, query: str) -> tuple[int, str | None]:
    answer = browser.ask("GET", f"{BASE}/reset-password/{token}{query}")
    return answer.status, answer.header("location")


def test_where_a_link_leads_that_opens_nothing(browser: Browser, postman: Postman) -> None:
    origin = postman.settings.origin
    assert opened(browser, "0" * 32, "?callbackURL=%2Fhere%23top") == (302, f"{origin}/here?error=INVALID_TOKEN#top")
    assert opened(browser, "0" * 32, "?callbackURL=") == (302, f"{origin}{BASE}/error?error=INVALID_TOKEN")
    assert opened(browser, "0" * 32, "")[0] == 400


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_link_leads_to_no_page_we_do_not_trust(browser: Browser, email: str, target: str) -> None:
    answer = browser.ask("GET", f"{BASE}/reset-password/{'0' * 32}?callbackURL={quote(target, safe='')}")
    assert answer.problem == (403, "INVALID_CALLBACK_URL")
    assert ask(browser, email, redirectTo=target).problem == (403, "INVALID_REDIRECT_URL")


def test_nobody_has_a_link_sent_that_is_too_long_to_be_opened(ada: Browser, email: str, postman: Postman) -> None:
    longest = "/" + "é" * 2047
    assert ask(ada, email, redirectTo=longest).status == 200
    link = postman.link_to(email)
    opened = ada.ask("GET", link.path)
    assert opened.header("location") == f"{postman.settings.origin}{quote(longest)}?token={link.token}"
    assert ask(ada, email, redirectTo=longest + "é").problem == (400, "VALIDATION_ERROR")
    assert postman.link_to(email) == link


def test_a_link_to_no_page_leads_to_the_one_the_settings_name(ada: Browser, email: str, postman: Postman) -> None:
    ask(Browser(ada.url), email)
    link = postman.link_to(email)
    assert (
        ada.ask("GET", link.path).header("location") == f"{postman.settings.origin}/reset-password?token={link.token}"
    )


@pytest.mark.parametrize("fields", [{}, {"email": "no address"}, {"email": 5}])
def test_what_is_no_address_is_refused(browser: Browser, fields: dict[str, object]) -> None:
    assert browser.post("/request-password-reset", fields).problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("fields", [{}, {"newPassword": 5}])
def test_what_is_no_password_is_refused(browser: Browser, fields: dict[str, object]) -> None:
    assert browser.post("/reset-password", {"token": "0" * 32, **fields}).problem == (400, "VALIDATION_ERROR")


def test_a_service_without_mail_resets_nothing(module_database: Database, clock: HandClock) -> None:
    with application(settings_for(module_database), clock) as url:
        problem = ask(Browser(url), "ada@example.com").problem
    assert problem == (400, "RESET_PASSWORD_DISABLED")


def test_the_person_reads_of_it_in_their_journal(ada: Browser, email: str, postman: Postman) -> None:
    reset(Browser(ada.url), token_for(ada, email, postman))
    again = Browser(ada.url)
    again.sign_in(email, NEW)
    postman.mails_to(email)
    texts = [entry["text"] for entry in again.get("/activity/list").json()["entries"]]
    assert texts[1:3] == [
        "You set a new password by a link that was sent to your address."
        " All sessions that began with the old password were ended.",
        "Somebody asked for a link to set a new password of your account.",
    ]


def test_a_mailbox_gets_five_links_an_hour_and_nobody_is_told(
    module_database: Database, clock: HandClock, tmp_path: Path, email: str
) -> None:
    limited = settings_for(module_database, mail_folder=tmp_path, rate_limit="on", trusted_proxies="127.0.0.1, ::1")
    with application(limited, clock) as url:
        browser = Browser(url)
        assert browser.sign_up(email).status == 200
        # through another address each time, since each may ask three times a minute
        asked = [
            browser.post("/request-password-reset", {"email": email}, {"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(7)
        ]
    assert {one.status for one in asked} == {200}
    brought = Postman(module_database, limited, clock).mails_to(email)
    # a later one takes the place of those that have not gone out yet
    assert len(brought) == 1
    assert module_links(module_database, email) == 5


def test_a_reset_ends_the_wait_of_an_account_that_was_guessed_at(
    module_database: Database, clock: HandClock, tmp_path: Path, email: str
) -> None:
    settings = settings_for(
        module_database, mail_folder=tmp_path, rate_limit="on", wrong_passwords=2, trusted_proxies="127.0.0.1, ::1"
    )
    with application(settings, clock) as url:
        assert Browser(url).sign_up(email).status == 200
        guesses = [_sign_in_from(number, url, email, f"guessed {number}") for number in range(3)]
        assert [one.status for one in guesses] == [401, 401, 429]
        ask(Browser(url), email)
        postman = Postman(module_database, settings, clock)
        assert reset(Browser(url), postman.link_to(email).token).status == 200
        assert _sign_in_from(9, url, email, NEW).status == 200


def _sign_in_from(number: int, url: str, email: str, password: str) -> Answer:
    fields = {"email": email, "password": password}
    return Browser(url).post("/sign-in/email", fields, {"X-Forwarded-For": f"192.0.2.{number}"})


def module_links(database: Database, email: str) -> object:
    """How often a link was asked for."""
    return database.value(
        "SELECT l.version FROM mailed_link_list l JOIN account_list a USING (user_id)"
        f" WHERE purpose = 'password_reset' AND a.email = '{email}'"
    )
