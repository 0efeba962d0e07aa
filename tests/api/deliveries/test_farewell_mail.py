"""The last message to who was erased: sent from a row that dies with it; and files about them that lie around."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from api.deliveries.channels import channels, transport
from api.deliveries.erased_files import remove_of_erased
from api.deliveries.sender import Sender
from domain.commands.email import request_email_change, verify_email
from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from domain.mailed_link import Purpose
from projections.deliveries import ended, farewells
from projections.deliveries.queue import Queue
from tests.api.conftest import settings_for
from tests.api.dumps import dump, found
from tests.databases import Database
from tests.domain.commands.going import ADAS, BOS, CYS, THEIRS, Town
from tests.keeping import caught_up
from tests.lived import context_over
from tests.lived_by_mail import mailed

KEPT = "SELECT count(*) FROM farewells"
GOES_ON = threading.Event()


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    with context_over(database) as context:
        yield Town(context, database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def send(town: Town, folder: Path) -> None:
    """All that is due."""
    caught_up(town.database)
    settings = settings_for(
        town.database, mail_folder=folder, mail_from="no-reply@example.net", invitation_page="https://app.example.com/"
    )
    store = town.context.store
    with transport(settings) as way:
        sending = channels(settings, store, lambda: town.now, way)
        while Sender(Queue(store.statements), sending).send_due(GOES_ON):
            pass


def files(folder: Path) -> list[str]:
    """The kinds of the messages there, in the order of their names."""
    return [file.name.partition(".")[0] for file in sorted(folder.glob("*.eml"))]


def test_who_deleted_their_account_is_told_and_then_the_address_is_nowhere(town: Town, folder: Path) -> None:
    ada = town.signs_up(ADAS, "Ada Lovelace")
    town.goes(ada)
    assert town.database.value(KEPT) == 1
    send(town, folder)
    [mail] = folder.glob("*.eml")
    assert mail.name == f"account-deleted.{ada.hex}.2.eml"
    written = mail.read_text()
    assert f"To: {ADAS}\n" in written
    assert "Subject: Your account was deleted\n" in written
    assert "Lovelace" not in written
    assert town.database.value(KEPT) == 0
    assert town.database.rows("SELECT state, reason FROM deliveries") == [("sent", None)]


def test_until_it_is_sent_the_address_is_sealed(town: Town, cluster: object) -> None:
    town.goes(town.signs_up(ADAS, "Ada"))
    assert found([ADAS], dump(town.database, cluster)) == []  # type: ignore[arg-type]
    [[user_id, version, sealed]] = town.database.rows("SELECT stream_id, version, sealed FROM farewells")
    opened = town.context.keyring.open_address(sealed, stream_id=user_id, version=version)
    assert opened == ADAS


@pytest.mark.parametrize("end", ["sent", "dropped", "give_up"])
def test_however_a_delivery_ends_the_address_goes_with_it(town: Town, end: str) -> None:
    town.goes(town.signs_up(ADAS, "Ada"))
    caught_up(town.database)
    queue = Queue(town.context.store.statements)
    [delivery] = queue.lease(["account-deleted"], lease=town.database.value("SELECT gen_random_uuid()"), limit=1)
    assert queue.sent(delivery) if end == "sent" else getattr(queue, end)(delivery, "a reason")
    assert town.database.value(KEPT) == 0


def test_what_nobody_can_send_is_dropped_with_the_address_and_no_address_is_kept_for_longer(town: Town) -> None:
    for email in (ADAS, BOS):
        town.goes(town.signs_up(email, "Somebody"))
    caught_up(town.database)
    statements = town.context.store.statements
    town.database.rows(
        "UPDATE deliveries SET due_at = due_at - interval '4 days'"
        " WHERE stream_id = (SELECT stream_id FROM farewells ORDER BY stream_id LIMIT 1)"
    )
    assert (ended.drop_unsent(statements, []), farewells.forget(statements)) == (1, 0)
    assert town.database.value(KEPT) == 1
    town.database.rows("UPDATE farewells SET written_at = written_at - interval '3 days'")
    assert farewells.forget(statements) == 1
    assert town.database.value(KEPT) == 0


def test_once_the_address_is_not_kept_any_more_nothing_is_sent(town: Town, folder: Path) -> None:
    town.goes(town.signs_up(ADAS, "Ada"))
    town.database.rows("UPDATE farewells SET written_at = written_at - interval '3 days'")
    send(town, folder)
    assert files(folder) == []
    assert town.database.rows("SELECT state, reason FROM deliveries") == [("dropped", "address gone")]


def test_who_is_erased_again_after_a_restore_is_not_told_again(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    erase_person(town.context, Operator(at=town.now), user_id=ada, certificate="{}")
    assert town.database.value(KEPT) == 0


def test_invitations_that_are_due_to_who_was_erased_and_from_them_are_not_sent(town: Town, folder: Path) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    acme = town.founds(bo, "Acme", "acme")
    town.takes_in(bo, acme, ada, "admin")
    town.invites(ada, acme, CYS)
    town.invites(bo, town.founds(bo, "Works", "works"), ADAS)
    town.goes(ada)
    send(town, folder)
    assert files(folder) == ["account-deleted"]


def test_files_about_who_was_erased_go_and_those_about_others_stay(town: Town, folder: Path) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    acme, works = town.founds(bo, "Acme", "acme"), town.founds(bo, "Works", "works")
    town.invites(bo, acme, CYS)
    town.takes_in(bo, acme, ada, "admin")
    town.invites(ada, acme, "dee@example.com")
    town.invites(bo, works, ADAS)
    send(town, folder)
    (folder / "something.else.eml").write_text("of nobody")
    # the accepted one was not sent: its place was taken by then
    assert files(folder) == ["invitation", "invitation", "invitation", "something"]
    statements = town.context.store.statements
    assert remove_of_erased(folder, statements, now=town.now) == 0
    town.goes(ada)
    send(town, folder)
    assert remove_of_erased(folder, statements, now=town.now) == 2
    assert files(folder) == ["account-deleted", "invitation", "something"]
    [left] = folder.glob("invitation.*")
    assert f"To: {CYS}" in left.read_text()
    [farewell] = folder.glob("account-deleted.*")
    written = (town.now - timedelta(days=3)).timestamp()
    os.utime(farewell, (written, written))
    assert remove_of_erased(folder, statements, now=town.now) == 1
    assert found([ADAS], b"".join(file.read_bytes() for file in folder.iterdir())) == []


def test_a_message_to_an_address_of_before_goes_like_the_other(town: Town, folder: Path) -> None:
    ada = town.signs_up(ADAS, "Ada")
    request_email_change(town.context, town.by(ada), email="new@example.net", callback_url="")
    link = mailed(town.context, ada, Purpose.EMAIL_CHANGE)
    verify_email(town.context, link=link, now=town.now, where_from=THEIRS)
    town.goes(ada)
    send(town, folder)
    assert town.database.value(KEPT) == 0
    left = sorted(folder.glob("account-deleted.*"))
    recipients = sorted(message_from_bytes(file.read_bytes())["To"] for file in left)
    assert recipients == [ADAS, "new@example.net"]
    statements = town.context.store.statements
    remove_of_erased(folder, statements, now=town.now)
    assert sorted(folder.glob("account-deleted.*")) == left
    for file in left:
        written = (town.now - timedelta(days=3)).timestamp()
        os.utime(file, (written, written))
    assert remove_of_erased(folder, statements, now=town.now) == 2
    assert found([ADAS, "new@example.net"], b"".join(file.read_bytes() for file in folder.iterdir())) == []
