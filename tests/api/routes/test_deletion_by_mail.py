"""Deleting an account by a link that goes to its address, where the operator wants it so (wire.md §9)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from domain import clock as system_clock
from tests.api.browser import BASE, CLEARED, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

SENT = {"success": True, "message": "Verification email sent"}
GONE = {"success": True, "message": "User deleted"}
INVALID = (404, "INVALID_TOKEN")


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, deletion_by_mail="on")


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    """Where the application answers that deletes by mail only."""
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(browser: Browser, email: str) -> Browser:
    """Signed in at noon."""
    assert browser.sign_up(email).status == 200
    return browser


def token_for(ada: Browser, email: str, postman: Postman, **fields: object) -> str:
    answer = ada.post("/delete-user", fields)
    assert (answer.status, answer.json(), answer.set_cookies) == (200, SENT, [])
    return postman.link_to(email).token


def confirm(browser: Browser, token: str, query: str = "") -> tuple[int, str | None]:
    answer = browser.get(f"/delete-user/callback?token={token}{query}")
    return answer.problem


def test_the_account_goes_with_the_link_and_not_before(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman, callbackURL="/goodbye")
    assert ada.session() is not None
    link = postman.link_to(email)
    assert link.callback_url == "/goodbye"
    answer = ada.get(link.path.removeprefix(BASE))
    assert (answer.status, answer.header("location")) == (302, f"{postman.settings.origin}/goodbye")
    assert answer.set_cookies == CLEARED
    assert Browser(ada.url).sign_in(email).status == 401
    assert Browser(ada.url).sign_up(email).status == 200
    assert confirm(ada, token) == (404, "FAILED_TO_GET_USER_INFO")


def test_the_link_may_be_brought_as_a_body_too(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    answer = ada.post("/delete-user", {"token": token})
    assert (answer.status, answer.json(), answer.set_cookies) == (200, GONE, CLEARED)


def test_without_a_page_the_answer_says_what_was_done(ada: Browser, email: str, postman: Postman) -> None:
    answer = ada.get(f"/delete-user/callback?token={token_for(ada, email, postman)}")
    assert (answer.status, answer.json()) == (200, GONE)


def test_a_mail_program_that_opens_the_link_deletes_nothing(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    assert confirm(Browser(ada.url), token) == (404, "FAILED_TO_GET_USER_INFO")
    assert ada.session() is not None


def test_anothers_link_deletes_nobody(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    bo = Browser(ada.url)
    bo.sign_up(f"bo.{email}", name="Bo")
    assert confirm(bo, token) == INVALID
    assert bo.post("/delete-user", {"token": token}).problem == INVALID
    assert (ada.session() is None, bo.session() is None) == (False, False)


def test_only_the_newest_link_deletes_and_none_for_anything_else(ada: Browser, email: str, postman: Postman) -> None:
    first = token_for(ada, email, postman)
    second = token_for(ada, email, postman)
    assert confirm(ada, first) == INVALID
    Browser(ada.url).post("/request-password-reset", {"email": email})
    assert confirm(ada, postman.link_to(email, "password-reset").token) == INVALID
    assert confirm(ada, second) == (200, None)


@pytest.mark.parametrize(("hours", "answer"), [(23.99, (200, None)), (24, INVALID)])
def test_a_link_is_good_for_a_day(
    ada: Browser, email: str, postman: Postman, clock: HandClock, hours: float, answer: tuple[int, str | None]
) -> None:
    token = token_for(ada, email, postman)
    clock.wind(hours=hours)
    assert confirm(ada, token) == answer


def test_a_link_of_before_everybody_was_signed_out_deletes_nothing(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    ada.post("/revoke-sessions")
    again = Browser(ada.url)
    again.sign_in(email)
    assert confirm(again, token) == INVALID


def test_a_wrong_password_sends_no_link_and_a_right_one_does(ada: Browser, email: str, postman: Postman) -> None:
    assert ada.post("/delete-user", {"password": "guessed 123"}).problem == (400, "INVALID_PASSWORD")
    assert postman.mails_to(email) == []
    token_for(ada, email, postman, password=PASSWORD)


def test_a_wrong_password_is_no_message_and_is_still_wrong_when_there_were_enough(
    module_database: Database, tmp_path: Path, email: str
) -> None:
    settings = settings_for(
        module_database, mail_folder=tmp_path, deletion_by_mail="on", rate_limit="on", mails_per_hour=1
    )
    with application(settings, system_clock.now) as url:
        postman = Postman(module_database, settings, system_clock.now)
        ada = Browser(url)
        ada.sign_up(email)
        wrong = {"password": "guessed 123"}
        assert ada.post("/delete-user", wrong).problem == (400, "INVALID_PASSWORD")
        assert ada.post("/delete-user", {"password": PASSWORD}).json() == SENT
        assert len(postman.mails_to(email)) == 1
        assert ada.post("/delete-user", wrong).problem == (400, "INVALID_PASSWORD")


def test_who_alone_owns_what_others_belong_to_stays(ada: Browser, email: str, postman: Postman) -> None:
    owner, bo = Person(ada.url, "Owner"), Person(ada.url, "Bo")
    organization_id = owner.founds(new_slug())
    owner.takes_in(bo)
    assert organization_id == owner.active
    owner.post("/delete-user", {})
    token = postman.link_to(owner.email).token
    assert confirm(owner, token) == (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")


def test_a_link_leads_to_no_page_we_do_not_trust(ada: Browser, email: str, postman: Postman) -> None:
    token = token_for(ada, email, postman)
    target = quote("https://evil.example/", safe="")
    assert confirm(ada, token, f"&callbackURL={target}") == (403, "INVALID_CALLBACK_URL")
    assert ada.session() is not None


def test_a_service_that_cannot_send_mail_deletes_by_none(module_database: Database) -> None:
    with pytest.raises(ValueError, match="DAYBOOK_DELETION_BY_MAIL needs a way for mail to leave"):
        settings_for(module_database, deletion_by_mail="on")


def moved(ada: Browser, email: str, new: str, postman: Postman) -> None:
    """The account has another address, by a link that went there."""
    assert ada.post("/change-email", {"newEmail": new}).status == 200
    assert ada.get(postman.link_to(new, "email-change-confirmation").route.removeprefix(BASE)).status in (200, 302)


def test_a_thief_who_changed_the_address_does_not_get_the_link(ada: Browser, email: str, postman: Postman) -> None:
    thiefs = f"thief.{email}"
    moved(ada, email, thiefs, postman)
    answer = ada.post("/delete-user", {})
    assert (answer.status, answer.json()) == (200, {**SENT, "sentToFormerAddress": True})
    assert postman.mails_to(thiefs, "account-deletion") == []
    [mail] = postman.mails_to(email, "account-deletion")
    assert thiefs in str(mail.get_body(("plain",)))
    undo = postman.link_to(email, "email-change-notice")
    restored = Browser(ada.url).post("/reset-password", {"token": undo.token, "newPassword": "battery staple 2"})
    assert restored.status == 200
    again = Browser(ada.url)
    assert again.sign_in(email, "battery staple 2").status == 200
    # what the thief asked for is over, also for who reads it
    assert confirm(again, postman.link_to(email, "account-deletion").token) == INVALID


def test_who_asks_meanwhile_reads_where_it_went(ada: Browser, email: str, postman: Postman) -> None:
    moved(ada, email, f"new.{email}", postman)
    ada.post("/delete-user", {})
    postman.mails_to(email)
    newest = ada.get("/activity/list").json()["entries"][0]
    assert newest["text"] == (
        "You asked for a link to delete your account. It went to your address of before, since the change can still be"
        " undone."
    )


def test_who_lost_the_mailbox_of_before_deletes_by_the_new_one_after_three_days(
    ada: Browser, email: str, postman: Postman, clock: HandClock
) -> None:
    new = f"new.{email}"
    moved(ada, email, new, postman)
    clock.wind(hours=72)
    assert ada.post("/delete-user", {}).json() == SENT
    assert confirm(ada, postman.link_to(new, "account-deletion").token) == (200, None)
    assert len(postman.mails_to(new, "account-deleted")) == 1
    assert postman.mails_to(email, "account-deleted") == []


def test_who_could_still_have_it_back_is_told_that_the_account_is_gone(
    ada: Browser, email: str, postman: Postman
) -> None:
    new = f"new.{email}"
    moved(ada, email, new, postman)
    ada.post("/delete-user", {})
    assert confirm(ada, postman.link_to(email, "account-deletion").token) == (200, None)
    for address in (email, new):
        assert [str(one["Subject"]) for one in postman.mails_to(address, "account-deleted")] == [
            "Your account was deleted"
        ]
