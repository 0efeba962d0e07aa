"""A life over HTTP at a server that runs as it is run, and its end: then neither database nor log know of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.browser import Browser
from tests.api.dumps import dump, found
from tests.api.routes.fellows import Person
from tests.databases import Database
from tests.faults.test_background_process import within
from tests.people import PASSWORD
from tests.pictures import data_url, png
from tests.server import Server, served

HER_BROWSER = "Mozilla/5.0 (Analytical Engine; rv:77) Enchantress/1843"
HER_NAME, HER_ADDRESS = "Augusta Ada Byron", "augusta.ada@lovelace.example"
HER_IMAGE, HER_COMPANY = "https://lovelace.example/augusta.png", "Byron & Daughter"
WORDS = [HER_BROWSER, HER_NAME, HER_ADDRESS, HER_IMAGE, HER_COMPANY, "byron-and-daughter", "203.0.113.99"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mail"
    folder.mkdir()
    return folder


@pytest.fixture
def server(database: Database, folder: Path, tmp_path: Path) -> Iterator[Server]:
    settings = {
        "DATABASE_URL": database.application_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "WORKERS": 1,
        "TRUSTED_PROXIES": "127.0.0.1,::1",
        "MAIL_FOLDER": folder,
        "MAIL_FROM": "no-reply@example.net",
        "INVITATION_PAGE": "https://app.example.com/join",
        "RATE_LIMIT": "on",
    }
    with served(tmp_path / "log", settings) as server:
        yield server


class Ada(Browser):
    """From where, and with what, only she comes."""

    def ask(self, method, target, body=None, headers=None):  # type: ignore[no-untyped-def]  # noqa: ANN
        hers = {"User-Agent": HER_BROWSER, "X-Forwarded-For": "203.0.113.99"}
        return super().ask(method, target, body, {**hers, **(headers or {})})


def test_no_word_of_who_left_is_anywhere(
    server: Server, database: Database, folder: Path, cluster: EmbeddedPostgres
) -> None:
    ada, bo = Ada(server.url), Person(server.url, "Bo")
    ada.post("/sign-up/email", {"name": HER_NAME, "email": HER_ADDRESS, "password": PASSWORD, "image": HER_IMAGE})
    assert ada.post("/organization/create", {"name": HER_COMPANY, "slug": "byron-and-daughter"}).status == 200
    bo.founds("acme")
    sent = bo.invites(HER_ADDRESS)
    assert ada.post("/organization/accept-invitation", {"invitationId": sent}).status == 200
    bo.founds("works")
    assert bo.invites(HER_ADDRESS)
    assert ada.post("/verify-password", {"password": "wrong horse 1"}).status == 400
    assert ada.post("/update-user", {"image": data_url(png())}).status == 200
    within(20, lambda: bool(list(folder.glob("invitation.*.eml"))))
    within(20, lambda: database.value("SELECT count(*) FROM attempts WHERE sealed IS NOT NULL") == 1)
    spelled = [one for word in WORDS for one in (word, word.lower(), word.upper())]
    assert {HER_BROWSER, HER_NAME, HER_ADDRESS, HER_COMPANY} <= set(found(spelled, dump(database, cluster)))

    assert ada.post("/delete-user", {"password": PASSWORD}).status == 200

    def is_told() -> bool:
        told = [file for file in folder.glob("account-deleted.*.eml") if HER_ADDRESS in file.read_text()]
        return bool(told) and database.value("SELECT count(*) FROM farewells") == 0

    within(20, is_told)
    # what was noted before the end, and is written a moment later
    time.sleep(1)
    assert found(spelled, dump(database, cluster)) == []
    assert found(spelled, server.log.read_bytes()) == []
    assert bo.get("/organization/list").status == 200
