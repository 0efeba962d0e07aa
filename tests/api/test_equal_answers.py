"""Who asks learns nothing of accounts from an answer: body and header names are equal, had or not (wire.md A4, §9)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.mailbox import Postman
from tests.databases import Database
from tests.pictures import data_url, png
from tests.server import application

PER_MAILBOX = 5
MADE_UP = ("id", "email", "createdAt", "updatedAt")
"""Of a person: what may differ from one sign-up to the next, since it does from one new person to the next."""


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    settings = settings_for(
        module_database,
        email_verification="required",
        mail_folder=tmp_path_factory.mktemp("mail"),
        rate_limit="on",
        trusted_proxies="127.0.0.1, ::1",
    )
    return Postman(module_database, settings, module_clock)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    """Where the application answers that wants addresses verified."""
    with application(postman.settings, postman.clock) as url:
        postman.settings = postman.settings.model_copy(update={"port": int(url.rpartition(":")[2])})
        yield url


class Stranger(Browser):
    """Each of their requests comes from another address, so that no limit of an address has a say."""

    asked = 0

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        Stranger.asked += 1
        from_here = {"X-Forwarded-For": f"198.51.{Stranger.asked // 250}.{Stranger.asked % 250}"}
        return super().post(path, fields, {**from_here, **(headers or {})})


@pytest.fixture
def stranger(url: str, clock: HandClock) -> Stranger:
    return Stranger(url)


@pytest.fixture
def unverified(stranger: Stranger, email: str) -> str:
    """The address of an account that was not verified."""
    assert stranger.sign_up(email).status == 200
    return email


@pytest.fixture
def verified(stranger: Stranger, postman: Postman, email: str) -> str:
    """The address of an account that was."""
    address = f"verified.{email}"
    assert stranger.sign_up(address).status == 200
    verify(stranger, postman, address)
    return address


def verify(browser: Browser, postman: Postman, email: str) -> None:
    token = postman.link_to(email).token
    assert browser.ask("GET", f"{BASE}/verify-email?token={token}").status == 200


def shape(answer: Answer) -> tuple[int, bytes, list[str]]:
    """Status, body and the names of all headers, in order."""
    return answer.status, answer.content, [name.lower() for name in answer.headers]


def shape_of_a_person(answer: Answer) -> tuple[int, Any, list[str]]:
    """The same, with what is made up for each left out, but for its form."""
    body = answer.json()
    user = body["user"]
    made_up = {name: len(user[name]) for name in MADE_UP if name != "email"}
    return answer.status, json.dumps({**body, "user": {**user, "email": "", **made_up}}), shape(answer)[2]


@pytest.mark.parametrize("path", ["/request-password-reset", "/send-verification-email"])
def test_a_request_for_a_link_is_answered_alike(stranger: Stranger, unverified: str, verified: str, path: str) -> None:
    nobody = f"nobody.{unverified}"
    asked = [unverified, verified, nobody, unverified.upper(), f"NOBODY.{unverified}"]
    assert len({str(shape(stranger.post(path, {"email": email}))) for email in asked}) == 1


@pytest.mark.parametrize("path", ["/request-password-reset", "/send-verification-email"])
def test_a_mailbox_that_gets_no_more_is_answered_alike(stranger: Stranger, unverified: str, path: str) -> None:
    for email in (unverified, f"nobody.{unverified}"):
        answers = [stranger.post(path, {"email": email}) for _ in range(PER_MAILBOX + 1)]
        assert len({str(shape(answer)) for answer in answers}) == 1
        assert answers[0].status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": ""},
        {"image": "https://x.io/a.png", "rememberMe": False, "callbackURL": "/welcome"},
        {"image": data_url(png())},
    ],
    ids=lambda fields: ",".join(fields) or "plain",
)
def test_a_sign_up_is_answered_alike(
    stranger: Stranger, unverified: str, verified: str, fields: dict[str, object]
) -> None:
    emails = [unverified, verified, f"nobody.{unverified}", verified.upper()]
    answers = [stranger.sign_up(email, **fields) for email in emails]
    assert [answer.json()["user"]["email"] for answer in answers] == [email.lower() for email in emails]
    assert len({answer.json()["user"]["id"] for answer in answers}) == len(emails)
    assert len({str(shape_of_a_person(answer)) for answer in answers}) == 1
    assert answers[0].status == 200
    assert answers[0].all_cookies == []


@pytest.mark.parametrize("password", ["short 1", "long " * 26, "password1", 5])
def test_a_sign_up_that_is_refused_is_refused_alike(stranger: Stranger, verified: str, password: object) -> None:
    answers = [stranger.sign_up(email, password=password) for email in (verified, f"nobody.{verified}")]
    assert answers[0].status == 400
    assert len({str(shape(answer)) for answer in answers}) == 1


def test_a_change_of_address_is_answered_alike_whoever_has_it(
    stranger: Stranger, postman: Postman, verified: str, url: str
) -> None:
    bo, cy = f"bo.{verified}", f"cy.{verified}"
    for email in (bo, cy):
        stranger.sign_up(email)
        verify(stranger, postman, email)
    ada, cys = Stranger(url), Stranger(url)
    assert (ada.sign_in(verified).status, cys.sign_in(cy).status) == (200, 200)
    # which nobody else can have for a while: they could want it back
    assert cys.post("/change-email", {"newEmail": f"new.{cy}"}).status == 200
    verify(stranger, postman, f"new.{cy}")
    asked = [bo, cy, f"new.{cy}", f"nobody.{verified}", bo.upper()]
    answers = [ada.post("/change-email", {"newEmail": email}) for email in asked]
    assert len({str(shape(answer)) for answer in answers}) == 1
    assert answers[0].status == 200
