"""The devices a person is signed in on, as the official JavaScript client shows and signs them out (wire.md §9, A1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import count

import pytest

from tests.clients.javascript import Application, JavaScript, Outcome, dated, signs_in, signs_up

DATES = {"createdAt", "updatedAt", "expiresAt", "authenticatedAt", "lastActiveAt"}
DONE = {"status": True}
_numbers = count(1)


@pytest.fixture
def devices(javascript: JavaScript) -> Iterator[tuple[Application, Application]]:
    """Ada's laptop and her phone, signed in to a new account; both show who is signed in."""
    email = f"ada.devices{next(_numbers)}@example.com"
    with ExitStack() as stack:
        laptop, phone = (stack.enter_context(javascript.application()) for _ in range(2))
        assert laptop.take(signs_up(email)).error is None
        assert phone.take(signs_in(email)).error is None
        for device in (laptop, phone):
            assert device.store("useSession", filled=True).data["user"]["email"] == email
        yield laptop, phone


def test_the_devices_are_listed_with_this_one_first_and_every_date_a_date(
    devices: tuple[Application, Application],
) -> None:
    laptop, phone = devices
    on_laptop, on_phone = laptop.call("listSessions"), phone.call("listSessions")

    assert on_laptop.error is None
    assert on_laptop.data == dated(on_laptop.raw)
    for session in on_laptop.data:
        assert {name for name, value in session.items() if isinstance(value, datetime)} == DATES
    assert [session["current"] for session in on_laptop.data] == [True, False]
    assert [session["id"] for session in on_laptop.data] == [session["id"] for session in reversed(on_phone.data)]
    shown = laptop.call("getSession").data["session"]
    assert {name: on_laptop.data[0][name] for name in shown} == shown


def test_a_device_is_revoked_by_the_token_it_is_listed_with(devices: tuple[Application, Application]) -> None:
    laptop, phone = devices
    before = laptop.call("getSession").data
    other = laptop.call("listSessions").data[1]

    assert answer(laptop.call("revokeSession", token=other["token"])) == (DONE, None)

    assert laptop.refetched() == before
    assert [session["id"] for session in laptop.call("listSessions").data] == [before["session"]["id"]]
    assert_signed_out(phone)


def test_revoking_this_device_empties_the_session_store(devices: tuple[Application, Application]) -> None:
    laptop, phone = devices
    mine = laptop.call("listSessions").data[0]

    assert answer(laptop.call("revokeSession", token=mine["token"])) == (DONE, None)

    assert laptop.refetched() is None
    assert_signed_out(laptop)
    assert [session["current"] for session in phone.call("listSessions").data] == [True]


def test_the_other_devices_are_revoked_and_this_one_goes_on(devices: tuple[Application, Application]) -> None:
    laptop, phone = devices
    before = laptop.call("getSession").data

    assert answer(laptop.call("revokeOtherSessions")) == (DONE, None)

    after = laptop.refetched()
    assert after["session"]["id"] == before["session"]["id"]
    assert after["user"] == before["user"]
    assert_signed_out(phone)


def test_all_devices_are_revoked_this_one_too(devices: tuple[Application, Application]) -> None:
    laptop, phone = devices

    assert answer(laptop.call("revokeSessions")) == (DONE, None)

    assert laptop.refetched() is None
    assert_signed_out(laptop)
    assert_signed_out(phone)


def test_signing_out_leaves_the_other_device_alone(devices: tuple[Application, Application]) -> None:
    laptop, phone = devices

    assert answer(laptop.call("signOut")) == ({"success": True}, None)

    assert laptop.refetched() is None
    assert phone.call("getSession").data["session"] is not None


def test_a_token_nobody_has_and_that_of_somebody_else_revoke_nothing(
    devices: tuple[Application, Application], javascript: JavaScript
) -> None:
    laptop, _ = devices
    with javascript.application() as bos:
        secret = bos.take(signs_up(f"bo{next(_numbers)}@example.com", name="Bo")).data["token"]
        handle = bos.call("getSession").data["session"]["token"]

        for token in (handle, secret, "nobody", ""):
            assert answer(laptop.call("revokeSession", token=token)) == (DONE, None)

        assert bos.call("getSession").data["user"]["name"] == "Bo"


def test_a_malformed_token_is_an_error_with_a_message_to_show(devices: tuple[Application, Application]) -> None:
    laptop, _ = devices
    refused = laptop.call("revokeSession", token=5)

    assert refused.data is None
    assert (refused.error["status"], refused.error["code"]) == (400, "VALIDATION_ERROR")
    assert "token" in refused.error["message"]


def test_signed_out_every_call_about_devices_is_the_same_error(javascript: JavaScript) -> None:
    error = {"message": "Unauthorized", "code": "UNAUTHORIZED", "status": 401, "statusText": "Unauthorized"}
    with javascript.application() as nobodys:
        for outcome in (
            nobodys.call("listSessions"),
            nobodys.call("revokeSession", token="nobody"),
            nobodys.call("revokeSessions"),
            nobodys.call("revokeOtherSessions"),
            nobodys.call("listAccounts"),
            nobodys.call("updateUser", name="Ada"),
        ):
            assert answer(outcome) == (None, error)


def answer(outcome: Outcome) -> tuple[object, object]:
    """What the client gave."""
    return outcome.data, outcome.error


def assert_signed_out(device: Application) -> None:
    """It has no session any more, and does not even show a cookie of one after it was told so."""
    assert answer(device.call("getSession")) == (None, None)
    refused = device.call("listSessions")
    assert (refused.error["status"], refused.error["code"]) == (401, "UNAUTHORIZED")
    [asked] = [exchange for exchange in refused.exchanges if exchange["path"] == "/api/auth/list-sessions"]
    assert "session" not in asked["sent"].get("cookie", "")
