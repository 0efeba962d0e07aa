"""Proving an address: by a link at sign-up, asked for or required, and by whatever else went there by mail (A4, §9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

VERIFY = "Verify your address"
DONE = (200, {"status": True, "user": None})
NOT_VERIFIED = (403, "EMAIL_NOT_VERIFIED")


@pytest.fixture(scope="module")
def asking(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    """Of the application that lets people in before they have verified their address."""
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification="asked")


@pytest.fixture(scope="module")
def requiring(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    """Of the one that does not."""
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification="required")


@pytest.fixture(scope="module")
def url(asking: Postman) -> Iterator[str]:
    with serving(asking) as url:
        yield url


@pytest.fixture(scope="module")
def strict_url(requiring: Postman) -> Iterator[str]:
    with serving(requiring) as url:
        yield url


@pytest.fixture
def strict(strict_url: str, clock: HandClock) -> Browser:
    """A device nobody is signed in on, where addresses have to be verified first."""
    return Browser(strict_url)


def verified(browser: Browser, token: str) -> tuple[int, Any]:
    answer = browser.ask("GET", f"{BASE}/verify-email?token={token}")
    return answer.status, answer.json()


def ask(browser: Browser, email: str, **fields: object) -> Answer:
    return browser.post("/send-verification-email", {"email": email, **fields})


def is_verified(browser: Browser) -> object:
    return browser.get("/get-session").json()["user"]["emailVerified"]


def test_who_signs_up_gets_a_link_and_is_let_in_meanwhile(browser: Browser, email: str, asking: Postman) -> None:
    assert browser.sign_up(email, callbackURL="/welcome").json()["token"]
    assert is_verified(browser) is False
    link = asking.link_to(email)
    assert link.callback_url == "/welcome"
    opened = browser.ask("GET", link.route)
    assert (opened.status, opened.header("location")) == (302, f"{asking.settings.origin}/welcome")
    assert is_verified(browser) is True


def test_a_link_without_a_page_answers_what_it_did(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    assert verified(browser, asking.link_to(email).token) == DONE
    assert is_verified(browser) is True


def test_a_link_that_a_mail_program_opened_first_answers_the_person_alike(
    browser: Browser, email: str, asking: Postman
) -> None:
    browser.sign_up(email)
    token = asking.link_to(email).token
    assert [verified(browser, token) for _ in range(3)] == [DONE] * 3


def test_another_link_can_be_asked_for_and_takes_the_place_of_the_first(
    browser: Browser, email: str, asking: Postman
) -> None:
    browser.sign_up(email)
    first = asking.link_to(email)
    answer = ask(Browser(browser.url), email, callbackURL="/verified")
    assert (answer.status, answer.json()) == (200, {"status": True})
    second = asking.link_to(email)
    assert second.callback_url == "/verified"
    assert verified(browser, first.token) == (401, {"message": "Invalid token", "code": "INVALID_TOKEN"})
    assert verified(browser, second.token) == DONE


def test_nobody_is_told_whether_an_address_has_an_account(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    known, unknown = ask(Browser(browser.url), email), ask(Browser(browser.url), f"nobody.{email}")
    assert (known.status, known.content) == (unknown.status, unknown.content) == (200, b'{"status":true}')
    assert asking.mails_to(f"nobody.{email}") == []


def test_who_is_signed_in_is_told_what_is_wrong(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    assert ask(browser, f"nobody.{email}").problem == (400, "EMAIL_MISMATCH")
    assert ask(browser, email.upper()).status == 200
    verified(browser, asking.link_to(email).token)
    assert ask(browser, email).problem == (400, "EMAIL_ALREADY_VERIFIED")


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [(3_599, DONE), (3_600, (401, {"message": "Token expired", "code": "TOKEN_EXPIRED"}))],
)
def test_a_link_is_good_for_an_hour(
    browser: Browser, email: str, asking: Postman, clock: HandClock, seconds: int, answer: tuple[int, Any]
) -> None:
    browser.sign_up(email)
    token = asking.link_to(email).token
    clock.wind(seconds=seconds)
    assert verified(browser, token) == answer


def test_a_link_that_does_nothing_says_so_to_its_page(browser: Browser, asking: Postman) -> None:
    answer = browser.ask("GET", f"{BASE}/verify-email?token={'0' * 32}&callbackURL=%2Fwelcome%3Fa%3Db")
    assert (answer.status, answer.header("location")) == (
        302,
        f"{asking.settings.origin}/welcome?a=b&error=INVALID_TOKEN",
    )


def test_a_link_leads_to_no_page_we_do_not_trust(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    token = asking.link_to(email).token
    answer = browser.ask("GET", f"{BASE}/verify-email?token={token}&callbackURL=https%3A%2F%2Fevil.example%2F")
    assert answer.problem == (403, "INVALID_CALLBACK_URL")
    assert is_verified(browser) is False


@pytest.mark.parametrize("query", ["", "?callbackURL=/", "?token=a&token=b"])
def test_a_link_without_one_token_is_refused(browser: Browser, query: str) -> None:
    assert browser.ask("GET", f"{BASE}/verify-email{query}").problem == (400, "VALIDATION_ERROR")


def test_a_link_for_another_purpose_verifies_nothing(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    Browser(browser.url).post("/request-password-reset", {"email": email})
    token = asking.link_to(email, "password-reset").token
    assert verified(browser, token)[0] == 401
    assert is_verified(browser) is False


def test_a_service_that_verifies_nothing_sends_no_link(module_database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(module_database), clock) as url:
        assert ask(Browser(url), email).problem == (400, "VERIFICATION_EMAIL_NOT_ENABLED")


def test_who_has_to_verify_the_address_first_is_let_in_after_it(
    strict: Browser, email: str, requiring: Postman
) -> None:
    answer = strict.sign_up(email)
    assert (answer.status, answer.json()["token"], answer.all_cookies) == (200, None, [])
    assert strict.sign_in(email).problem == NOT_VERIFIED
    assert verified(strict, requiring.link_to(email).token) == DONE
    assert strict.sign_in(email).status == 200
    assert strict.session()["activeOrganizationId"] is not None


def test_who_signs_in_too_early_gets_another_link(strict: Browser, email: str, requiring: Postman) -> None:
    strict.sign_up(email)
    first = requiring.link_to(email)
    assert strict.sign_in(email, callbackURL="/in").problem == NOT_VERIFIED
    second = requiring.link_to(email)
    assert first.token != second.token
    assert second.callback_url == "/in"


def test_a_wrong_password_gets_neither_a_link_nor_another_answer(
    strict: Browser, email: str, requiring: Postman
) -> None:
    strict.sign_up(email)
    before = requiring.subjects_to(email)
    assert strict.sign_in(email, "guessed 123").problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert requiring.subjects_to(email) == before


@pytest.mark.parametrize("image", [{}, {"image": "/ada.png"}, {"image": "data:image/gif;base64,R0lGODlhAQABAAAAACw="}])
def test_a_sign_up_with_a_taken_address_looks_like_any_other(
    strict: Browser, email: str, requiring: Postman, image: dict[str, str], module_database: Database
) -> None:
    def answer(to: str) -> Answer:
        return Browser(strict.url).sign_up(to, name="Bo", password="battery staple 2", **image)

    strict.sign_up(email)
    first = requiring.mails_to(email)
    account = f"SELECT user_id, name, image, email_verified, password_version FROM account_list WHERE email = '{email}'"
    before = module_database.rows(account)
    taken, free = answer(email), answer(f"free.{email}")
    assert (taken.status, taken.all_cookies) == (free.status, free.all_cookies) == (200, [])
    assert sorted(map(str.lower, taken.headers.keys())) == sorted(map(str.lower, free.headers.keys()))
    told, alike = taken.json(), free.json()
    assert told["user"].pop("id") != alike["user"].pop("id")
    assert alike["user"].pop("email") == f"free.{email}"
    assert told["user"].pop("email") == email
    assert told == alike
    assert module_database.rows(account) == before
    assert len(requiring.mails_to(email)) == len(first) + 1
    assert strict.sign_in(email, "battery staple 2").problem == (401, "INVALID_EMAIL_OR_PASSWORD")


def test_an_invitation_that_came_by_mail_proves_the_address(
    strict_url: str, clock: HandClock, email: str, requiring: Postman, url: str
) -> None:
    ada = Person(url, "Ada")
    ada.founds(new_slug())
    ada.invites(email)
    link = requiring.mails_to(email)[-1].get_body(("plain",))
    assert link is not None
    invitation_id = link.get_content().partition("invitationId=")[2].split()[0]
    bo = Browser(strict_url)
    answer = bo.sign_up(email, name="Bo", callbackURL=f"/join?invitationId={invitation_id}")
    assert answer.json()["token"]
    assert is_verified(bo) is True
    assert bo.session()["activeOrganizationId"] == ada.active


def invited_by(ada: Person, email: str, postman: Postman) -> tuple[str, str]:
    """The id that who invites sees, and the one in the mail."""
    copied = ada.invites(email)
    body = postman.mails_to(email, "invitation")[-1].get_body(("plain",))
    assert body is not None
    return copied, body.get_content().partition("invitationId=")[2].split()[0]


def test_an_invitation_that_its_sender_handed_over_proves_nothing_and_joins_once_the_address_is_verified(
    strict_url: str, clock: HandClock, email: str, url: str, requiring: Postman
) -> None:
    ada = Person(url, "Ada")
    acme = ada.founds(new_slug())
    invitation_id = ada.invites(email)
    bo = Browser(strict_url)
    answer = bo.sign_up(email, name="Bo", callbackURL=f"/join?invitationId={invitation_id}")
    assert (answer.status, answer.json()["token"]) == (200, None)
    assert bo.sign_in(email, PASSWORD).problem == NOT_VERIFIED
    assert list(ada.roles()) == [ada.email]
    assert verified(bo, requiring.link_to(email, "email-verification").token) == DONE
    assert bo.sign_in(email, PASSWORD).status == 200
    assert bo.post("/organization/accept-invitation", {"invitationId": invitation_id}).status == 200
    assert ada.roles() == {ada.email: "owner", email: "member"}
    assert bo.session()["activeOrganizationId"] == acme


def test_who_invited_learns_of_no_account_by_the_id_they_see(
    strict_url: str, clock: HandClock, email: str, url: str, requiring: Postman
) -> None:
    ada = Person(url, "Ada")
    ada.founds(new_slug())
    addresses = [email, f"free.{email}"]
    Browser(url).sign_up(email, name="Bo")
    ids = [invited_by(ada, address, requiring) for address in addresses]

    def exists(invitation_id: str) -> object:
        return Browser(strict_url).get(f"/invitation/check?id={invitation_id}").json()["userExists"]

    assert [exists(copied) for copied, _ in ids] == [False, False]
    # who has the mail has the address
    assert [exists(mailed) for _, mailed in ids] == [True, False]
    told = []
    for address, (copied, _) in zip(addresses, ids, strict=True):
        link = f"/join?invitationId={copied}"
        answer = Browser(strict_url).sign_up(address, name="Bo", password="battery staple 2", callbackURL=link)
        user = answer.json()["user"]
        del user["id"], user["email"]
        told.append((answer.status, answer.json()["token"], user, answer.all_cookies, ada.roles()))
    assert told[0] == told[1]


def test_an_invitation_that_is_over_opens_no_account_where_addresses_are_verified_first(
    strict_url: str, clock: HandClock, email: str, url: str
) -> None:
    ada = Person(url, "Ada")
    ada.founds(new_slug())
    invitation_id = ada.invites(email)
    ada.done("cancel-invitation", invitationId=invitation_id)
    answer = Browser(strict_url).sign_up(email, callbackURL=f"/join?invitationId={invitation_id}")
    assert answer.problem == (400, "INVITATION_NOT_FOUND")


def test_to_accept_what_came_by_mail_proves_the_address_too(browser: Browser, email: str, asking: Postman) -> None:
    browser.sign_up(email)
    ada = Person(browser.url, "Ada")
    ada.founds(new_slug())
    ada.invites(email)
    body = asking.mails_to(email, "invitation")[-1].get_body(("plain",))
    assert body is not None
    invitation_id = body.get_content().partition("invitationId=")[2].split()[0]
    assert len(invitation_id) == 64
    assert browser.get(f"/organization/get-invitation?id={invitation_id}").status == 200
    assert browser.post("/organization/accept-invitation", {"invitationId": invitation_id}).status == 200
    assert is_verified(browser) is True


def test_a_service_that_cannot_send_mail_verifies_nothing(module_database: Database) -> None:
    with pytest.raises(ValueError, match="needs a way for mail to leave"):
        settings_for(module_database, email_verification="required")
