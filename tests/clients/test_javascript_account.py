"""A person's own account through the official JavaScript client: password, name and image (wire.md §9, A3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import HandClock, settings_for
from tests.clients.javascript import CLOSE_BROWSER, Application, JavaScript, dated, signs_in, signs_up
from tests.databases import Database
from tests.people import NOON, PASSWORD
from tests.pictures import data_url, png
from tests.server import application

ANOTHER = "battery staple 2"
DONE = {"status": True}
INVALID_PASSWORD = {
    "message": "Invalid password",
    "code": "INVALID_PASSWORD",
    "status": 400,
    "statusText": "Bad Request",
}
_numbers = count(1)


@pytest.fixture
def email() -> str:
    """An address without an account."""
    return f"ada.account{next(_numbers)}@example.com"


@pytest.fixture
def laptop(javascript: JavaScript, email: str) -> Iterator[Application]:
    """Ada's laptop, signed in to a new account; it shows who is signed in."""
    with javascript.application() as laptop:
        assert laptop.take(signs_up(email)).error is None
        laptop.store("useSession", filled=True)
        yield laptop


@pytest.fixture
def phone(javascript: JavaScript, laptop: Application, email: str) -> Iterator[Application]:
    """Ada's phone, signed in as well."""
    with javascript.application() as phone:
        assert phone.take(signs_in(email)).error is None
        yield phone


def test_a_password_is_changed_and_both_devices_stay_signed_in(
    laptop: Application, phone: Application, email: str
) -> None:
    before = laptop.call("getSession").data
    changed = laptop.call("changePassword", currentPassword=PASSWORD, newPassword=ANOTHER)

    assert changed.error is None
    assert changed.data == {"token": None, "user": before["user"]}
    assert laptop.refetched() == before
    assert phone.call("getSession").data["user"]["email"] == email
    assert phone.take(signs_in(email)).error["code"] == "INVALID_EMAIL_OR_PASSWORD"
    assert phone.take(signs_in(email, ANOTHER)).error is None


def test_a_password_change_that_revokes_leaves_this_browser_signed_in_to_another_session(
    laptop: Application, phone: Application
) -> None:
    before = laptop.call("getSession").data
    changed = laptop.call("changePassword", currentPassword=PASSWORD, newPassword=ANOTHER, revokeOtherSessions=True)

    assert changed.error is None
    assert changed.data["token"] not in (None, before["session"]["token"])
    assert changed.data["user"] == before["user"]
    after = laptop.refetched()
    assert after["user"] == before["user"]
    assert after["session"]["id"] != before["session"]["id"]
    assert after["session"]["expiresAt"] - after["session"]["createdAt"] == timedelta(days=7)
    assert [session["id"] for session in laptop.call("listSessions").data] == [after["session"]["id"]]
    assert phone.call("getSession").data is None


def test_a_browser_that_was_not_to_be_remembered_is_not_after_a_password_change_either(
    javascript: JavaScript, laptop: Application, email: str
) -> None:
    with javascript.application() as borrowed:
        borrowed.call("signIn.email", email=email, password=PASSWORD, rememberMe=False)
        borrowed.call("changePassword", currentPassword=PASSWORD, newPassword=ANOTHER, revokeOtherSessions=True)
        assert borrowed.call("getSession").data["user"]["email"] == email

        borrowed.take(CLOSE_BROWSER)

        assert borrowed.call("getSession").data is None


def test_a_wrong_current_password_is_an_error_that_leaves_the_session_alone(laptop: Application, email: str) -> None:
    refused = laptop.call("changePassword", currentPassword="wrong horse 1", newPassword=ANOTHER)

    assert (refused.data, refused.error) == (None, INVALID_PASSWORD)
    assert laptop.call("getSession").data["user"]["email"] == email
    assert laptop.take(signs_in(email)).error is None


@pytest.mark.parametrize(("new", "code"), [("short 1", "PASSWORD_TOO_SHORT"), ("x" * 129, "PASSWORD_TOO_LONG")])
def test_a_password_of_a_length_we_do_not_take_is_an_error(laptop: Application, new: str, code: str) -> None:
    refused = laptop.call("changePassword", currentPassword=PASSWORD, newPassword=new)

    assert (refused.error["status"], refused.error["code"]) == (400, code)


def test_another_name_and_image_show_in_the_session_store(laptop: Application) -> None:
    assert laptop.call("updateUser", name="Ada King", image="https://x.io/ada.png").data == DONE
    shown = laptop.refetched()["user"]
    assert (shown["name"], shown["image"]) == ("Ada King", "https://x.io/ada.png")

    assert laptop.call("updateUser", image=None).data == DONE
    shown = laptop.refetched()["user"]
    assert (shown["name"], shown["image"]) == ("Ada King", None)


def test_an_avatar_may_be_a_picture_itself_as_ui_kits_send_it(laptop: Application) -> None:
    assert laptop.call("updateUser", image=data_url(png())).data == DONE
    shown = laptop.refetched()["user"]["image"]
    assert "/api/auth/picture/" in shown
    assert httpx.get(shown).content == png()


def test_what_cannot_be_updated_is_an_error_with_a_message_to_show(laptop: Application) -> None:
    address = laptop.call("updateUser", email="bo@example.com")
    nothing = laptop.call("updateUser", hair="red")
    malformed = laptop.call("updateUser", name=5)

    assert (address.error["status"], address.error["code"]) == (400, "EMAIL_CAN_NOT_BE_UPDATED")
    assert nothing.error == {"message": "No fields to update", "status": 400, "statusText": "Bad Request"}
    assert (malformed.error["status"], malformed.error["code"]) == (400, "VALIDATION_ERROR")


def test_the_accounts_are_one_with_a_password_and_the_dates_it_was_set_and_changed(laptop: Application) -> None:
    user = laptop.call("getSession").data["user"]
    before = laptop.call("listAccounts")
    laptop.call("changePassword", currentPassword=PASSWORD, newPassword=ANOTHER)
    laptop.refetched()
    after = laptop.call("listAccounts")

    for outcome in (before, after):
        [account] = outcome.data
        assert outcome.data == dated(outcome.raw)
        assert (account["providerId"], account["accountId"], account["scopes"]) == ("credential", user["id"], [])
    assert before.data[0]["createdAt"] == before.data[0]["updatedAt"] == user["createdAt"]
    assert after.data[0]["createdAt"] == user["createdAt"] < after.data[0]["updatedAt"]


@pytest.fixture
def clock() -> HandClock:
    """It is noon."""
    return HandClock()


@pytest.fixture
def by_the_clock(database: Database, clock: HandClock, program: Path) -> Iterator[JavaScript]:
    """The client on pages of a server that lives by the clock, and asks for a password before it takes another one."""
    with application(settings_for(database, fresh_calls="change-password"), clock) as url:
        yield JavaScript(program, url)


def test_a_session_that_is_not_fresh_is_an_error_until_the_password_is_confirmed(
    by_the_clock: JavaScript, clock: HandClock, email: str
) -> None:
    passwords = {"currentPassword": PASSWORD, "newPassword": ANOTHER}
    with by_the_clock.application() as laptop:
        laptop.take(signs_up(email))
        clock.wind(days=1)

        refused = laptop.call("changePassword", **passwords)
        assert (refused.error["status"], refused.error["code"]) == (403, "SESSION_NOT_FRESH")
        assert laptop.call("verifyPassword", password="wrong horse 1").error == INVALID_PASSWORD
        assert laptop.call("verifyPassword", password=PASSWORD).data == DONE
        assert laptop.call("getSession").data["session"]["authenticatedAt"] == clock.now
        assert laptop.call("changePassword", **passwords).error is None


def test_a_session_that_is_used_lasts_and_one_that_is_not_ends_for_the_client_too(
    by_the_clock: JavaScript, clock: HandClock, email: str
) -> None:
    with by_the_clock.application() as laptop:
        laptop.take(signs_up(email))
        clock.wind(days=6)
        assert laptop.call("listAccounts").error is None
        assert laptop.call("getSession").data["session"]["expiresAt"] == NOON + timedelta(days=13)
        clock.wind(days=7)
        ended = laptop.call("listAccounts")
        assert (ended.error["status"], ended.error["code"]) == (401, "UNAUTHORIZED")
        assert laptop.call("getSession").data is None


def test_too_many_wrong_passwords_are_an_error_that_says_how_long_to_wait(
    database: Database, clock: HandClock, program: Path, email: str
) -> None:
    with (
        application(settings_for(database, rate_limit="on"), clock) as url,
        JavaScript(program, url).application() as laptop,
    ):
        laptop.take(signs_up(email))
        refused = [
            laptop.call("changePassword", currentPassword="wrong horse 1", newPassword=ANOTHER) for _ in range(4)
        ]

        assert [outcome.error["status"] for outcome in refused] == [400, 400, 400, 429]
        assert refused[-1].error["message"] == "Too many requests. Please try again later."
        assert laptop.call("getSession").data["user"]["email"] == email


def test_a_deleted_account_is_gone_for_both_devices_and_its_address_is_free(
    laptop: Application, phone: Application, email: str
) -> None:
    refused = laptop.call("deleteUser", password=ANOTHER)
    assert refused.error == INVALID_PASSWORD
    deleted = laptop.call("deleteUser", password=PASSWORD)

    assert (deleted.error, deleted.data) == (None, {"success": True, "message": "User deleted"})
    assert laptop.refetched() is None
    assert phone.call("getSession").data is None
    assert phone.take(signs_in(email)).error["code"] == "INVALID_EMAIL_OR_PASSWORD"
    assert phone.take(signs_up(email)).error is None


def test_a_fresh_session_deletes_its_account_without_the_password(laptop: Application) -> None:
    assert laptop.call("deleteUser").data == {"success": True, "message": "User deleted"}
    assert laptop.refetched() is None
