"""Notices about an account: a sign-in from where its person was never seen, and another password."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from api.deliveries.channels import channels, kinds_sent
from api.deliveries.mail import Mail
from api.deliveries.sender import Sender
from api.deliveries.transport import TemporaryFailure
from api.settings import Settings
from domain.commands.principal import record_of
from domain.store import Addition
from domain.store.envelope import CommandRecord, WhereFrom
from domain.user import PasswordChanged, PasswordReset, UserEvent
from projections.deliveries.due import KINDS
from projections.deliveries.queue import Queue
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.inviting import ADAS, AT_HOME, BOS, Acme
from tests.keeping import caught_up
from tests.people import NOON

LATER = NOON + timedelta(hours=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
ABROAD = WhereFrom("81.2.69.160", FIREFOX)
STATES = "SELECT kind, state, reason FROM deliveries ORDER BY first_due_at, kind, version"


class Taken:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.mails = list[Mail]()
        self.away = False

    def deliver(self, message: Mail) -> None:
        if self.away:
            raise TemporaryFailure("away")
        self.mails.append(message)


@pytest.fixture
def taken() -> Taken:
    return Taken()


def sent(acme: Acme, taken: Taken, **settings: str) -> list[Mail]:
    """What is due is sent now."""
    known = Settings.model_validate({"base_url": "https://accounts.example.com", **settings})
    ways = channels(known, acme.context.store, HandClock(), taken)
    assert set(ways) == set(KINDS) == set(kinds_sent(known))
    Sender(Queue(acme.context.store.statements), ways).send_due(threading.Event())
    return taken.mails


def test_a_sign_in_from_where_nobody_was_seen_is_told_with_when_by_what_and_from_where(
    acme: Acme, taken: Taken
) -> None:
    acme.signs_in(ADAS, ABROAD, now=LATER)
    [mail] = sent(acme, taken, sessions_page="https://app.example.com/sessions")
    assert (mail.recipient, mail.subject) == (ADAS, "A new device signed in to your account")
    for said in (
        "When: 2026-03-14 13:00 UTC\n",
        "Device: Firefox 132 on Linux\n",
        "Place: United Kingdom\n",
        "IP address: 81.2.69.160\n",
        "\nhttps://app.example.com/sessions\n",
    ):
        assert said in mail.text
    assert "a href" in mail.html


def test_a_sign_in_from_where_they_were_seen_before_is_not(acme: Acme, taken: Taken) -> None:
    acme.signs_in(ADAS, AT_HOME, now=LATER)
    acme.signs_in(ADAS, WhereFrom("192.0.2.77", "Chrome"), now=LATER + timedelta(minutes=1))
    assert sent(acme, taken) == []
    assert acme.database.rows(STATES) == [("new-device", "dropped", "known device")] * 2


def test_the_second_from_there_is_not(acme: Acme, taken: Taken) -> None:
    """By the mark that the journal gives it: of the first alone."""
    acme.signs_in(ADAS, ABROAD, now=LATER)
    acme.signs_in(ADAS, ABROAD, now=LATER + timedelta(minutes=1))
    assert len(sent(acme, taken)) == 1
    assert sorted(acme.database.rows(STATES)) == [
        ("new-device", "dropped", "known device"),
        ("new-device", "sent", None),
    ]


def test_another_persons_devices_are_not_ones_own(acme: Acme, taken: Taken) -> None:
    acme.signs_up(BOS)
    acme.signs_in(BOS, ABROAD, now=LATER)
    acme.signs_in(ADAS, ABROAD, now=LATER)
    assert sorted(mail.recipient for mail in sent(acme, taken)) == [ADAS, BOS]


def test_nobody_is_told_where_the_operator_wants_it_so(acme: Acme, taken: Taken) -> None:
    acme.signs_in(ADAS, ABROAD, now=LATER)
    acme.changes_password(ADAS)
    assert [mail.subject for mail in sent(acme, taken, new_device_mail="off")] == ["Your password was changed"]
    assert ("new-device", "dropped", "new device mail off") in acme.database.rows(STATES)


def from_network(number: int) -> WhereFrom:
    return WhereFrom(f"198.51.{number}.7", FIREFOX)


def test_who_signs_in_from_ever_new_devices_does_not_flood_whose_account_it_is(acme: Acme, taken: Taken) -> None:
    for number in range(7):
        acme.signs_in(ADAS, from_network(number), now=LATER + timedelta(minutes=number))
    acme.signs_up(BOS)
    acme.signs_in(BOS, ABROAD, now=LATER)
    adas = [mail for mail in sent(acme, taken) if mail.recipient == ADAS]
    assert len(adas) == 5
    assert ["There may be more: of further devices within the hour" in mail.text for mail in adas] == [False] * 4 + [
        True
    ]
    assert len(taken.mails) == 6
    assert acme.database.rows(STATES).count(("new-device", "dropped", "enough in an hour")) == 2
    # each of them stands in the journal all the same
    started = "SELECT count(*) FROM journal WHERE event = 'SessionStarted' AND person_id = %s"
    assert acme.database.value(started, acme.ada) == 8
    acme.database.rows("UPDATE deliveries SET ended_at = ended_at - interval '1 hour' WHERE state = 'sent'")
    acme.signs_in(ADAS, ABROAD, now=LATER + timedelta(hours=2))
    assert [mail.recipient for mail in sent(acme, taken)[6:]] == [ADAS]


def test_a_mail_that_is_tried_again_counts_once(acme: Acme, taken: Taken) -> None:
    acme.signs_in(ADAS, ABROAD, now=LATER)
    for _ in range(3):
        taken.away = True
        assert sent(acme, taken, mails_per_hour="1") == []
        acme.database.rows("UPDATE deliveries SET due_at = now() WHERE state = 'waiting'")
    taken.away = False
    assert len(sent(acme, taken, mails_per_hour="1")) == 1


def test_all_are_told_of_where_nothing_is_limited(acme: Acme, taken: Taken) -> None:
    for number in range(7):
        acme.signs_in(ADAS, from_network(number), now=LATER + timedelta(minutes=number))
    assert len(sent(acme, taken, rate_limit="off")) == 7
    assert not any("There may be more" in mail.text for mail in taken.mails)


def test_who_changes_a_password_again_and_again_sends_no_more_than_that_of_it(acme: Acme, taken: Taken) -> None:
    """By a session, that is: each that a link has set, and an operator, is told."""
    account = acme.context.lookups.account(acme.ada)
    assert account is not None
    events: list[UserEvent] = [PasswordChanged(password_version=version) for version in range(2, 9)]
    for version, event in enumerate([*events, PasswordReset(password_version=9)], 1):
        record = CommandRecord.by_operator(at=NOON) if version == 7 else record_of(acme.by(ADAS))
        acme.context.store.append(record, account.subject, Addition(acme.ada, version, [event]))
    caught_up(acme.database)
    assert len(sent(acme, taken)) == 5 + 2
    assert acme.database.rows(STATES).count(("password-changed", "dropped", "enough in an hour")) == 1


def test_what_a_browser_calls_itself_adds_nothing(acme: Acme, taken: Taken) -> None:
    hostile = "evil.example/login\r\nBcc: cy@example.com <script>alert(1)</script>/1.0"
    acme.signs_in(ADAS, replace(ABROAD, user_agent=hostile), now=LATER)
    [mail] = sent(acme, taken)
    assert b"\r\nBcc" not in mail.content
    assert "evil.example" not in mail.text + mail.html
    assert "<script" not in mail.html


def test_another_password_is_told_to_whose_it_is(acme: Acme, taken: Taken) -> None:
    acme.changes_password(ADAS)
    [mail] = sent(acme, taken)
    assert (mail.recipient, mail.subject) == (ADAS, "Your password was changed")
    assert "When: 2026-03-14 12:00 UTC\nDevice: Chrome\n" in mail.text
    assert "operator" not in mail.text


def test_one_that_an_operator_set_is_told_as_such(acme: Acme, taken: Taken) -> None:
    account = acme.context.lookups.account(acme.ada)
    assert account is not None
    changed = Addition(acme.ada, 1, [PasswordChanged(password_version=2)])
    acme.context.store.append(CommandRecord.by_operator(at=NOON), account.subject, changed)
    caught_up(acme.database)
    [mail] = sent(acme, taken)
    assert "by an operator of the service" in mail.text


@pytest.mark.parametrize("gone", ["ended_at = now()", "email = NULL"])
def test_who_has_no_account_any_more_gets_none(acme: Acme, taken: Taken, gone: str) -> None:
    acme.signs_in(ADAS, ABROAD, now=LATER)
    acme.changes_password(ADAS)
    acme.database.rows(f"UPDATE account_list SET {gone}")
    assert sent(acme, taken) == []
    assert {reason for _, _, reason in acme.database.rows(STATES)} == {"account gone"}


def test_no_row_of_theirs_holds_more_than_ids(acme: Acme, database: Database) -> None:
    acme.signs_in(ADAS, ABROAD, now=LATER)
    acme.changes_password(ADAS)
    rows = database.rows("SELECT d::text FROM deliveries d")
    assert len(rows) == 2
    assert not any(secret in str(rows) for secret in (ADAS, "81.2.69.160", "Firefox"))
