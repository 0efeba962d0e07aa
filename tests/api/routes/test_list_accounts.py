"""What a person signs in with (wire.md §9): where user interfaces learn whether there is a password to change."""

from __future__ import annotations

from uuid import UUID

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.people import PASSWORD


def test_a_password_is_one_account_with_the_id_of_its_person(browser: Browser, email: str, clock: HandClock) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    clock.wind(hours=1)
    answer = browser.get("/list-accounts")
    assert (answer.status, answer.set_cookies) == (200, [])
    assert answer.json() == [
        {
            "id": user_id,
            "accountId": user_id,
            "providerId": "credential",
            "userId": user_id,
            "createdAt": "2026-03-14T12:00:00.000Z",
            "updatedAt": "2026-03-14T12:00:00.000Z",
            "scopes": [],
        }
    ]


def test_a_changed_password_shows_by_its_date_and_nothing_else_does(
    browser: Browser, email: str, clock: HandClock
) -> None:
    browser.sign_up(email)
    [before] = browser.get("/list-accounts").json()
    clock.wind(hours=1)
    browser.post("/update-user", {"name": "Ada King"})
    browser.post("/verify-password", {"password": PASSWORD})
    assert browser.get("/list-accounts").json() == [before]
    browser.post("/change-password", {"currentPassword": PASSWORD, "newPassword": "battery staple 2"})
    assert browser.get("/list-accounts").json() == [{**before, "updatedAt": "2026-03-14T13:00:00.000Z"}]


def test_nothing_of_the_password_is_in_it(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    said = browser.get("/list-accounts").content.decode()
    assert PASSWORD not in said
    assert "argon2" not in said


def test_who_has_no_password_has_no_account_of_that_kind(
    browser: Browser, email: str, module_database: Database
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    module_database.rows("DELETE FROM credentials WHERE user_id = %s", UUID(user_id))
    assert browser.get("/list-accounts").json() == []


def test_what_is_no_password_is_none_to_sign_in_with_nor_to_change(
    browser: Browser, email: str, module_database: Database
) -> None:
    user_id = UUID(browser.sign_up(email).json()["user"]["id"])
    beside = (
        "INSERT INTO credentials (user_id, kind, id, password_version, hash)"
        " SELECT user_id, 'app', 'one', password_version, hash FROM credentials WHERE user_id = %s"
    )
    module_database.rows(beside, user_id)
    change = {"currentPassword": PASSWORD, "newPassword": "battery staple 2"}
    assert browser.post("/change-password", change).status == 200
    phone = Browser(browser.url)
    assert phone.sign_in(email, PASSWORD).status == 401
    assert phone.sign_in(email, "battery staple 2").status == 200
    module_database.rows("DELETE FROM credentials WHERE user_id = %s AND kind = 'password'", user_id)
    assert phone.get("/list-accounts").json() == []
    assert phone.post("/verify-password", {"password": PASSWORD}).problem == (400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
    assert phone.sign_in(email, PASSWORD).status == 401


def test_of_others_nobody_learns_anything(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    other = Browser(browser.url)
    other_id = other.sign_up(f"bo.{email}", name="Bo").json()["user"]["id"]
    assert [one["userId"] for one in other.get("/list-accounts").json()] == [other_id]
    assert [one["userId"] for one in browser.get("/list-accounts").json()] != [other_id]
