"""The official JavaScript client without cookies: the token of `set-auth-token` as a bearer (wire.md §8, bearer)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.conftest import HandClock, settings_for
from tests.clients.conftest import SINGLE_PAGE_APP
from tests.clients.javascript import Application, JavaScript, Outcome, Step, call, signs_in, signs_up
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

ANOTHER = "battery staple 2"
DONE = {"status": True}
_numbers = count(1)


@pytest.fixture
def email() -> str:
    """An address without an account."""
    return f"ada.bearer{next(_numbers)}@example.com"


@pytest.fixture(params=[None, SINGLE_PAGE_APP], ids=["on its own page", "on a page elsewhere"])
def laptop(javascript: JavaScript, email: str, request: pytest.FixtureRequest) -> Iterator[Application]:
    """Ada's laptop, which keeps no cookies, signed in to a new account; it shows who is signed in."""
    with javascript.application(page=request.param, bearer=True) as laptop:
        assert laptop.take(signs_up(email)).error is None
        laptop.store("useSession", filled=True)
        yield laptop


@pytest.fixture
def phone(javascript: JavaScript, laptop: Application, email: str) -> Iterator[Application]:
    """Ada's phone, which keeps none either, signed in as well."""
    with javascript.application(bearer=True) as phone:
        assert phone.take(signs_in(email)).error is None
        yield phone


def test_a_client_without_cookies_does_all_that_one_with_them_does(
    laptop: Application, phone: Application, email: str
) -> None:
    shown = laptop.call("getSession")
    assert shown.data["user"]["email"] == email
    assert sent_no_cookie(shown)
    assert laptop.call("listAccounts").data[0]["providerId"] == "credential"
    assert laptop.call("updateUser", name="Ada King").data == DONE
    assert laptop.refetched()["user"]["name"] == "Ada King"
    listed = laptop.call("listSessions")
    assert [session["current"] for session in listed.data] == [True, False]
    assert sent_no_cookie(listed)

    assert laptop.call("revokeSession", token=listed.data[1]["token"]).data == DONE

    assert laptop.refetched()["session"]["id"] == shown.data["session"]["id"]
    assert phone.call("getSession").data is None
    assert phone.call("listSessions").error["code"] == "UNAUTHORIZED"


def test_a_password_change_that_revokes_hands_out_a_token_with_which_the_client_goes_on(
    laptop: Application, phone: Application, email: str
) -> None:
    before = laptop.call("getSession").data["session"]
    changed = laptop.call("changePassword", currentPassword=PASSWORD, newPassword=ANOTHER, revokeOtherSessions=True)

    assert changed.error is None
    after = laptop.refetched()
    assert after["user"]["email"] == email
    assert after["session"]["id"] != before["id"]
    assert phone.call("getSession").data is None


@pytest.mark.parametrize("method", ["revokeSessions", "signOut"])
def test_a_client_whose_session_is_ended_shows_nobody(laptop: Application, method: str) -> None:
    assert laptop.call(method).error is None

    assert laptop.refetched() is None
    assert laptop.call("listSessions").error["code"] == "UNAUTHORIZED"


def test_the_other_devices_are_revoked_and_this_token_goes_on(laptop: Application, phone: Application) -> None:
    before = laptop.call("getSession").data["session"]

    assert laptop.call("revokeOtherSessions").data == DONE

    assert laptop.refetched()["session"]["id"] == before["id"]
    assert phone.call("getSession").data is None


def test_each_form_of_the_token_is_taken_from_an_application_that_keeps_it_itself(
    javascript: JavaScript, email: str
) -> None:
    with javascript.application(bearer=True) as phone:
        signed_up = phone.take(signs_up(email))
        bare, signed = signed_up.data["token"], phone.call("getSession").exchanges[0]["sent"]["authorization"]
    signed = signed.removeprefix("Bearer ")
    assert signed.startswith(f"{bare}.")

    with javascript.application() as nobodys:
        for token in (bare, signed, quote(signed, safe="")):
            shown = nobodys.take(with_bearer("getSession", token))
            assert shown.data["user"]["email"] == email
            assert sent_no_cookie(shown)


def test_what_is_listed_is_no_token(javascript: JavaScript, laptop: Application) -> None:
    listed = laptop.call("listSessions").data[0]
    with javascript.application() as nobodys:
        for handle in (listed["token"], listed["id"]):
            assert nobodys.take(with_bearer("getSession", handle)).data is None
            refused = nobodys.take(with_bearer("listSessions", handle))
            assert (refused.error["status"], refused.error["code"]) == (401, "UNAUTHORIZED")


def test_a_token_that_is_used_lasts(database: Database, program: Path, email: str) -> None:
    clock = HandClock()
    with (
        application(settings_for(database), clock) as url,
        JavaScript(program, url).application(bearer=True) as phone,
    ):
        phone.take(signs_up(email))
        for _ in range(3):
            clock.wind(days=6)
            assert phone.call("getSession").data["user"]["email"] == email
        clock.wind(days=7)
        assert phone.call("getSession").data is None


def with_bearer(method: str, token: str) -> Step:
    """A call by an application that sends a token itself."""
    return call(method, fetchOptions={"auth": {"type": "Bearer", "token": token}})


def sent_no_cookie(outcome: Outcome) -> bool:
    """Whether each request carried a token, and no cookie."""
    return all(
        "cookie" not in exchange["sent"] and "authorization" in exchange["sent"] for exchange in outcome.exchanges
    )
