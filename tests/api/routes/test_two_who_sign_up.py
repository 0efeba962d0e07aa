"""Two sign up with one address, which is one of theirs: who was first does not get in by what the other opens (A41)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from domain import clock as system_clock
from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.server import application

MALLORYS, VERAS, NEWEST = "battery staple 1", "battery staple 2", "battery staple 3"
NOT_VERIFIED = (403, "EMAIL_NOT_VERIFIED")
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")
VOID = (401, "INVALID_TOKEN")
ON_HIS_PHONE = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}


@pytest.fixture(scope="module", params=["required", "asked"])
def postman(
    request: pytest.FixtureRequest,
    module_database: Database,
    module_clock: HandClock,
    tmp_path_factory: pytest.TempPathFactory,
) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification=request.param)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def required(postman: Postman) -> bool:
    return postman.settings.email_verification == "required"


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def opened(url: str, token: str) -> tuple[int, str | None]:
    return Browser(url).ask("GET", f"{BASE}/verify-email?token={token}").problem


def second_sign_up(url: str, email: str, *, required: bool) -> None:
    answer = Browser(url).sign_up(email, name="Vera", password=VERAS)
    assert answer.status == (200 if required else 422)


def signs_up_and_in(url: str, email: str, postman: Postman, *, required: bool) -> str:
    """Mallory opens it, Vera wants to, and Mallory tries to get in; the first link that she got."""
    Browser(url).sign_up(email, name="Mallory", password=MALLORYS)
    first = postman.link_to(email).token
    second_sign_up(url, email, required=required)
    if required:
        assert Browser(url).sign_in(email, MALLORYS).problem == NOT_VERIFIED
    else:
        assert asked(url, email).status == 200
    return first


def asked(url: str, email: str) -> Answer:
    return Browser(url).post("/send-verification-email", {"email": email, "callbackURL": "/in"})


def test_who_sends_the_same_form_twice_is_one_person_and_verifies_by_opening_the_link(
    browser: Browser, email: str, postman: Postman, *, required: bool
) -> None:
    for status in (200, 200 if required else 422):
        assert Browser(browser.url).sign_up(email, name="Vera", password=VERAS).status == status
        # else the second link takes the place of one that is not out yet
        postman.all_mails()
    assert len(postman.mails_to(email, "sign-up-attempt")) == 0
    assert len(postman.mails_to(email, "email-verification")) == (2 if required else 1)
    assert opened(browser.url, postman.link_to(email, "email-verification").token)[0] == 200
    assert Browser(browser.url).sign_in(email, VERAS).status == 200


def test_what_she_opens_does_not_let_him_in(browser: Browser, email: str, postman: Postman, *, required: bool) -> None:
    first = signs_up_and_in(browser.url, email, postman, required=required)
    assert opened(browser.url, first) == VOID
    assert len(postman.mails_to(email, "email-verification")) == 1
    # the last that she got is no link that proves anything by being opened
    newest = postman.link_to(email, "password-reset").token
    assert opened(browser.url, newest) == VOID
    if required:
        assert Browser(browser.url).sign_in(email, MALLORYS).problem == NOT_VERIFIED
    newest = postman.link_to(email, "password-reset").token
    reset = Browser(browser.url).post("/reset-password", {"token": newest, "newPassword": NEWEST})
    assert reset.status == 200
    assert Browser(browser.url).sign_in(email, MALLORYS).problem == WRONG
    vera = Browser(browser.url)
    assert vera.sign_in(email, NEWEST).status == 200
    assert vera.get("/get-session").json()["user"]["emailVerified"] is True


def test_who_is_in_already_is_out_with_the_reset(
    browser: Browser, email: str, postman: Postman, *, required: bool
) -> None:
    if not required:
        mallory = Browser(browser.url)
        mallory.sign_up(email, name="Mallory", password=MALLORYS)
        second_sign_up(browser.url, email, required=required)
        assert mallory.post("/send-verification-email", {"email": email}).status == 200
        token = postman.link_to(email, "password-reset").token
        assert Browser(browser.url).post("/reset-password", {"token": token, "newPassword": NEWEST}).status == 200
        assert mallory.session() is None


def test_the_mails_say_what_happened_and_what_helps(
    browser: Browser, email: str, postman: Postman, *, required: bool
) -> None:
    Browser(browser.url).post("/sign-up/email", {"name": "M", "email": email, "password": MALLORYS}, ON_HIS_PHONE)
    [first] = postman.mails_to(email, "email-verification")
    assert "Device: Firefox 132 on Linux\n" in text_of(first)
    assert "When: 2026-03-14 12:00" in text_of(first)
    second_sign_up(browser.url, email, required=required)
    notices = postman.mails_to(email, "sign-up-attempt")
    assert ["have a new password sent to you" in text_of(one) for one in notices] == [True] * required
    assert ["links to confirm it that we sent before work no more" in text_of(one) for one in notices] == [
        True
    ] * required
    asked(browser.url, email)
    [reset] = postman.mails_to(email, "password-reset")
    assert "More than one account was to be opened" in text_of(reset)


def test_a_link_asked_for_later_says_from_where_the_account_was_opened_and_not_who_asked(
    browser: Browser, email: str, postman: Postman, clock: HandClock
) -> None:
    Browser(browser.url).post("/sign-up/email", {"name": "M", "email": email, "password": MALLORYS}, ON_HIS_PHONE)
    clock.wind(days=1)
    asked(browser.url, email)
    newest = postman.mails_to(email, "email-verification")[-1]
    assert "Device: Firefox 132 on Linux\n" in text_of(newest)
    assert "When: 2026-03-14 12:00" in text_of(newest)


def test_to_ask_for_a_verification_answers_as_ever(
    browser: Browser, email: str, postman: Postman, *, required: bool
) -> None:
    signs_up_and_in(browser.url, email, postman, required=required)
    contested, unknown = asked(browser.url, email), asked(browser.url, f"nobody.{email}")
    assert (contested.status, contested.content) == (unknown.status, unknown.content) == (200, b'{"status":true}')


def test_an_invitation_that_she_got_by_mail_contests_it_too(
    browser: Browser, email: str, postman: Postman, *, required: bool
) -> None:
    Browser(browser.url).sign_up(email, name="Mallory", password=MALLORYS)
    first = postman.link_to(email, "email-verification").token
    with application(settings_for(postman.database, mail_folder=postman.settings.mail_folder), postman.clock) as url:
        ada = Person(url, "Ada")
        ada.founds(new_slug())
        ada.invites(email)
    invitation_id = text_of(postman.mails_to(email, "invitation")[-1]).partition("invitationId=")[2].split()[0]
    answer = Browser(browser.url).sign_up(email, password=VERAS, callbackURL=f"/join?invitationId={invitation_id}")
    assert answer.problem == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    assert opened(browser.url, first) == VOID


def test_whom_no_more_may_be_told_contests_it_all_the_same(
    module_database: Database, tmp_path: Path, email: str, *, required: bool
) -> None:
    if required:
        settings = settings_for(
            module_database,
            mail_folder=tmp_path,
            email_verification="required",
            rate_limit="on",
            mails_per_hour=1,
            trusted_proxies="127.0.0.1, ::1",
        )
        with application(settings, system_clock.now) as url:
            postman = Postman(module_database, settings, system_clock.now)
            # whatever stands behind a + is the same mailbox
            name, _, host = email.partition("@")
            for number, address in enumerate([f"{name}+1@{host}", f"{name}+1@{host}", email, email]):
                fields = {"name": "M", "email": address, "password": f"{MALLORYS} {number}"}
                forwarded = {"X-Forwarded-For": f"192.0.2.{number}"}
                assert Browser(url).post("/sign-up/email", fields, forwarded).status == 200
            assert len(postman.all_mails("sign-up-attempt")) == 1
            token = postman.link_to(email, "email-verification").token if postman.mails_to(email) else ""
            assert opened(url, token or "0" * 32) == VOID
            [[contested]] = module_database.rows(f"SELECT email_contested FROM account_list WHERE email = '{email}'")
            assert contested is True
