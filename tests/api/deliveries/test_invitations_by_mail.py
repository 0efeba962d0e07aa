"""Invitations by mail, from the call to the file in the folder, through a server that runs as it is run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.api.browser import Browser
from tests.api.deliveries.test_mail import BODY_AND_COPY, HEADERS
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database
from tests.faults.test_background_process import within
from tests.server import Server, served

LEFT_BEHIND = ".daybook-left"
STREAM = "SELECT stream_id FROM log ORDER BY position LIMIT 1"
PAGE = "https://app.example.com/join"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With what a killed sender left there years ago."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / LEFT_BEHIND).write_text("To: bo@example.com")
    os.utime(folder / LEFT_BEHIND, (0, 0))
    return folder


@pytest.fixture(scope="module")
def server(module_database: Database, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "WORKERS": 1,
        "MAIL_FOLDER": folder,
        "MAIL_FROM": "Accounts <no-reply@accounts.example.com>",
        "INVITATION_PAGE": PAGE,
    }
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, settings) as server:
        yield server
    written = log.read_text()
    assert "ERROR" not in written
    assert "invitationId" not in written


@pytest.fixture
def ada(server: Server) -> Person:
    ada = Person(server.url, "Ada")
    ada.founds(f"acme-{time.monotonic_ns()}")
    return ada


def mail_to(email: str, folder: Path, *, number: int = 1) -> list[EmailMessage]:
    """The messages to an address, once there are so many; in the order of their dates."""
    deadline = time.monotonic() + 20
    while True:
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in folder.glob("*.eml")]
        theirs = [one for one in found if isinstance(one, EmailMessage) and one["To"] == email]
        if len(theirs) >= number:
            return sorted(theirs, key=lambda one: one["Date"].datetime)
        assert time.monotonic() < deadline, f"{len(theirs)} messages to {email}"
        time.sleep(0.05)


def text_in(message: EmailMessage) -> str:
    """The part for those who read text."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_in(message: EmailMessage) -> str:
    [line] = [line for line in text_in(message).splitlines() if line.startswith(PAGE)]
    return str(line)


def test_who_is_invited_gets_a_message_whose_link_lets_them_in(server: Server, ada: Person, folder: Path) -> None:
    email = new_email()
    ada.invites(email)
    [message] = mail_to(email, folder)
    assert message["From"] == "Accounts <no-reply@accounts.example.com>"
    bo = Browser(server.url)
    assert bo.sign_up(email, name="Bo", callbackURL=link_in(message).replace(PAGE, "/join")).status == 200
    assert bo.session()["activeOrganizationId"] == ada.active


def test_who_is_invited_again_gets_another(ada: Person, folder: Path) -> None:
    email = new_email()
    ada.invites(email)
    mail_to(email, folder)
    ada.invites(email, resend=True)
    first, second = mail_to(email, folder, number=2)
    assert link_in(first) == link_in(second)
    assert first["Message-ID"] != second["Message-ID"]


def test_what_a_killed_sender_left_behind_is_removed(server: Server, folder: Path) -> None:
    within(20, lambda: not (folder / LEFT_BEHIND).exists())


def test_an_organizations_name_adds_nothing_to_the_message(ada: Person, folder: Path) -> None:
    ada.done("update", data={"name": BODY_AND_COPY})
    email = new_email()
    ada.invites(email)
    [message] = mail_to(email, folder)
    assert message.keys() == HEADERS
    shown = BODY_AND_COPY.replace("v1@y.zz", "v1@y[.]zz").replace("http:", "http[:]").replace("evil.zz", "evil[.]zz")
    assert text_in(message).startswith(f"{ada.email} invites you to join “{shown}” (role: member).")
    raw = next(file.read_bytes() for file in folder.glob("*.eml") if email.encode() in file.read_bytes())
    subject = raw.partition(b"\r\nSubject: ")[2].partition(b"\r\nDate: ")[0].decode().split("\r\n ")
    assert "".join(text.decode() for [(text, _)] in map(decode_header, subject)) == f"Invitation to “{shown}”"


def test_what_waits_is_in_the_numbers_for_who_watches(server: Server, ada: Person, module_database: Database) -> None:
    module_database.rows(
        "INSERT INTO deliveries (kind, stream_id, version, state, ended_at, reason)"
        f" VALUES ('invitation', ({STREAM}), 9, 'given_up', now(), 'ENOSPC')"
    )
    with server.client() as client:
        numbers = client.get("/metrics").text
    module_database.rows("DELETE FROM deliveries WHERE version = 9")
    assert 'daybook_deliveries_given_up{kind="invitation"} 1.0' in numbers
    assert 'daybook_deliveries_waiting{kind="invitation"} ' in numbers
    assert 'daybook_deliveries_waiting_seconds{kind="invitation"} ' in numbers


def test_whether_mail_leaves_is_told_to_who_watches_and_keeps_nobody_from_being_served(
    server: Server, ada: Person, folder: Path, module_database: Database
) -> None:
    email = new_email()
    ada.invites(email)
    mail_to(email, folder)
    waiting = (
        "INSERT INTO deliveries (kind, stream_id, version, first_due_at, due_at) VALUES ('invitation', ({}), 8, {})"
    )
    module_database.rows(waiting.format(STREAM, "now() - interval '10 min', now() + interval '10 min'"))
    with server.client() as client:
        # some left a moment ago: one that waits is no sign that none does
        within(20, lambda: client.get("/readyz").json()["mail"]["status"] == "ok")
        module_database.rows("UPDATE deliveries SET ended_at = now() - interval '6 min' WHERE state = 'sent'")
        answer = client.get("/readyz")
        module_database.rows("DELETE FROM deliveries WHERE version = 8")
        assert client.get("/readyz").json()["mail"] == {"status": "ok", "secondsWaiting": 0.0}
    assert (answer.status_code, answer.json()["ready"], answer.json()["mail"]["status"]) == (200, True, "degraded")
    assert 600 <= answer.json()["mail"]["secondsWaiting"] < 700


def test_that_all_mail_was_given_up_of_late_is_told_to_who_watches(server: Server, module_database: Database) -> None:
    given_up = (
        "INSERT INTO deliveries (kind, stream_id, version, state, ended_at, reason)"
        " VALUES ('invitation', gen_random_uuid(), {}, 'given_up', now() + interval '1 s', 'SMTP 554 at DATA')"
    )
    told = []
    with server.client() as client:
        for number in range(3):
            module_database.rows(given_up.format(100 + number))
            told.append(client.get("/readyz").json()["mail"]["status"])
    module_database.rows("DELETE FROM deliveries WHERE version >= 100")
    assert told == ["ok", "ok", "degraded"]
