"""Deleting one's account (wire.md §9 `delete-user`, A3, A8): what is asked for, what is answered, what others see."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.api.browser import CLEARED, DEVICE_COOKIE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD
from tests.server import application

DELETED = {"success": True, "message": "User deleted"}
EXPIRED = {"message": "Session expired. Re-authenticate to perform this action.", "code": "SESSION_EXPIRED"}
ONLY_OWNER = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER"


def delete(browser: Browser, **fields: object) -> Answer:
    return browser.post("/delete-user", fields)


def is_gone(browser: Browser, answer: Answer) -> bool:
    """It was answered so, and the browser has no session any more."""
    assert (answer.status, answer.json(), answer.set_cookies) == (200, DELETED, CLEARED)
    return browser.session() is None


@pytest.fixture
def user_id(browser: Browser, email: str) -> UUID:
    """Ada's, signed in at noon."""
    return UUID(browser.sign_up(email).json()["user"]["id"])


def test_with_nothing_given_a_session_of_today_does(browser: Browser, user_id: UUID, email: str) -> None:
    phone = Browser(browser.url)
    phone.sign_in(email)
    assert is_gone(browser, delete(browser))
    # also on the other device, and with the old password
    assert phone.session() is None
    assert phone.post("/sign-out").status == 200
    assert Browser(browser.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")


def test_without_the_password_the_session_must_be_fresh(browser: Browser, user_id: UUID, clock: HandClock) -> None:
    clock.wind(hours=24)
    answer = delete(browser)
    assert (answer.status, answer.json()) == (400, EXPIRED)
    assert delete(browser, password="").problem == (400, "SESSION_EXPIRED")
    assert browser.session() is not None
    browser.post("/verify-password", {"password": PASSWORD})
    assert is_gone(browser, delete(browser))


def test_with_the_password_any_session_does(browser: Browser, user_id: UUID, clock: HandClock) -> None:
    clock.wind(days=6)
    assert is_gone(browser, delete(browser, password=PASSWORD, callbackURL="/goodbye"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"password": "wrong horse 1"}, (400, "INVALID_PASSWORD")),
        ({"password": "x" * 129}, (400, "PASSWORD_TOO_LONG")),
        ({"token": "of no mail"}, (404, "INVALID_TOKEN")),
        ({"token": "of no mail", "password": PASSWORD}, (404, "INVALID_TOKEN")),
        ({"password": 5}, (400, "VALIDATION_ERROR")),
        ({"password": None}, (400, "VALIDATION_ERROR")),
        ({"callbackURL": "https://evil.example/"}, (403, "INVALID_CALLBACK_URL")),
    ],
    ids=str,
)
def test_what_is_refused_changes_nothing(
    browser: Browser, user_id: UUID, module_database: Database, fields: dict[str, object], problem: tuple[int, str]
) -> None:
    before = module_database.value("SELECT count(*) FROM events")
    answer = browser.post("/delete-user", fields)
    assert (answer.problem, answer.set_cookies) == (problem, [])
    assert module_database.value("SELECT count(*) FROM events") == before
    assert browser.session() is not None


@pytest.mark.parametrize("body", [None, [], "text"])
def test_the_body_is_an_object(browser: Browser, user_id: UUID, body: object) -> None:
    assert browser.post("/delete-user", body).problem == (400, "VALIDATION_ERROR")


def test_an_only_owner_is_refused_while_others_are_there(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo)
    answer = delete(ada, password=PASSWORD)
    assert answer.problem == (400, ONLY_OWNER)
    bo.done("leave", organizationId=acme)
    assert is_gone(ada, delete(ada, password=PASSWORD))
    assert bo.does("set-active", organizationId=acme).problem[0] == 403


def test_the_organization_reads_that_a_removed_person_left(
    ada: Person, bo: Person, acme: str, module_database: Database
) -> None:
    ada.takes_in(bo, "admin")
    sent = bo.invites("somebody@example.org")
    assert is_gone(bo, delete(bo))
    caught_up(module_database)
    answer = ada.get(f"/organization/activity?organizationId={acme}")
    first, *earlier = answer.json()["entries"]
    assert first["text"].startswith("A removed person left “")
    assert "A removed person took the invitation of “somebody@example.org” to “" in first["text"]
    assert (first["actor"], first["actorId"], first["ipAddress"]) == ("a removed person", bo.user_id, "")
    assert earlier[0]["text"].startswith("A removed person invited “somebody@example.org”")
    assert bo.email not in answer.content.decode()
    assert sent
    # and is no member any more
    assert list(ada.roles(acme)) == [ada.email]


def test_an_invitation_to_who_is_gone_is_over(ada: Person, bo: Person, acme: str, module_database: Database) -> None:
    sent = ada.invites(bo.email)
    assert is_gone(bo, delete(bo))
    again = Browser(bo.url)
    again.sign_up(bo.email)
    answer = again.post("/organization/accept-invitation", {"invitationId": sent})
    assert answer.problem == (400, "INVITATION_NOT_FOUND")
    [invitation] = ada.told(f"list-invitations?organizationId={acme}")
    assert (invitation["status"], invitation["email"]) == ("rejected", "")
    caught_up(module_database)
    first, *_ = ada.get(f"/organization/activity?organizationId={acme}").json()["entries"]
    assert first["text"].endswith("is over: the account of who was invited was deleted.")
    # whoever has the address now may be invited anew
    assert ada.invites(bo.email)


def test_a_picture_is_gone_with_who_showed_it(browser: Browser, user_id: UUID) -> None:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    browser.post("/update-user", {"image": f"data:image/png;base64,{png}"})
    shown = browser.get("/get-session").json()["user"]["image"].partition("/api/auth")[2]
    assert browser.get(shown).status == 200
    assert is_gone(browser, delete(browser))
    assert browser.get(shown).status == 404


def test_the_browser_is_not_known_to_the_account_any_more_and_to_others_as_before(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    other = f"other.{email}"
    browser.sign_up(other)
    known = browser.cookies[DEVICE_COOKIE]
    delete(browser)
    assert known.split(".")[:1] + known.split(".")[2:] == browser.cookies[DEVICE_COOKIE].split(".")
    browser.sign_in(email)
    answer = delete(browser)
    assert answer.device_cookie == f"{DEVICE_COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


def test_two_clicks_delete_once(browser: Browser, user_id: UUID, module_database: Database) -> None:
    left_over = dict(browser.cookies)
    assert is_gone(browser, delete(browser))
    browser.cookies = left_over
    answer = delete(browser)
    assert (answer.problem, answer.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)
    erased = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'PersonErased'"
    assert module_database.value(erased, user_id) == 1


@pytest.fixture
def guessed(module_database: Database, module_clock: HandClock) -> Iterator[Browser]:
    """At a server that lets four passwords an hour be wrong."""
    settings = settings_for(module_database, rate_limit="on", wrong_passwords=4)
    with application(settings, module_clock) as url:
        yield Browser(url)


def test_wrong_passwords_count_as_guesses_and_what_was_counted_goes_with_the_account(
    guessed: Browser, email: str, module_database: Database, module_clock: HandClock
) -> None:
    guessed.sign_up(email)
    module_database.rows("DELETE FROM rate_limits")
    for _ in range(2):
        assert delete(guessed, password="wrong horse 1").problem == (400, "INVALID_PASSWORD")
    counted = "SELECT max(hits) FROM rate_limits WHERE get_byte(key, 0) = 60"
    assert module_database.value(counted) == 2
    assert is_gone(guessed, delete(guessed, password=PASSWORD))
    assert module_database.value(counted) is None


def test_founding_anew_under_the_old_slug_is_open(ada: Person, bo: Person) -> None:
    slug = new_slug()
    ada.founds(slug)
    assert is_gone(ada, delete(ada))
    assert bo.founds(slug)
