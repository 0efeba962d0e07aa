"""What the log says of mail that does not leave: each reason once, in words of ours, and when it is over."""

from __future__ import annotations

import pytest

from api.deliveries.sender import Sender
from api.deliveries.smtp import SmtpTransport
from api.deliveries.transport import Channel, TemporaryFailure
from api.deliveries.waiting_log import WaitingLog
from projections.deliveries.due import INVITATION
from projections.deliveries.queue import Queue
from tests.api.deliveries.handing_over import Taking
from tests.api.deliveries.mail_server import Line, Misbehaving, answering, misbehaving
from tests.api.deliveries.test_mail import MAIL
from tests.api.deliveries.test_sender import GOES_ON, made_due
from tests.databases import Database
from tests.inviting import Acme


@pytest.fixture(autouse=True)
def from_info_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "daybook")


def sends_all(database: Database, acme: Acme, transport: SmtpTransport, times: int) -> None:
    """What is due, as if each time its pause were over."""
    queue = Queue(acme.context.store.statements)
    sender = Sender(queue, {INVITATION: Channel(lambda _: MAIL, transport)})
    for _ in range(times):
        database.rows("UPDATE deliveries SET due_at = clock_timestamp() WHERE state = 'waiting'")
        sender.send_due(GOES_ON)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("greeting", "The mail server lets us in no more (SMTP 554 at the greeting)"),
        ("MAIL", "The mail server takes no mail from our sender (see DAYBOOK_MAIL_FROM) (SMTP 554 at MAIL)"),
    ],
)
def test_what_keeps_all_mail_is_told_once_and_when_it_is_over(
    acme: Acme, database: Database, taking: Taking, caplog: pytest.LogCaptureFixture, step: str, told: str
) -> None:
    """What a server says may quote anybody."""

    def behave(line: Line, server: Misbehaving) -> None:
        refused = {step: b"554 not you, bo@example.com\r\n"} if server.connections <= 6 else {}
        answering(line, server, **refused)

    made_due(database, 3)
    with misbehaving(behave) as server:
        sends_all(database, acme, taking(server), times=3)
    assert database.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("sent", 3)]
    assert caplog.messages == [f"{told}: mail waits, and is tried again.", "Mail leaves again."]


def test_what_keeps_single_messages_is_told_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """Others leave in between: it would be told for every one of them."""
    hour = [0.0]
    log = WaitingLog(lambda: hour[0] * 3600)
    for now in (0.0, 0.1, 0.9, 1.0, 1.5):
        hour[0] = now
        log.waits(TemporaryFailure("SMTP 450 at RCPT"))
        log.waits(TemporaryFailure("SMTP 452 at RCPT"))
        log.answered()
    told = [
        f"A message waits (SMTP {code} at RCPT), and is tried again: see `daybook mail list --waiting`."
        for code in (450, 452)
    ]
    assert caplog.messages == told * 2


def test_another_reason_that_keeps_all_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    log = WaitingLog()
    for reason in ("EACCES", "EACCES", "ENOSPC", "ENOSPC"):
        log.waits(TemporaryFailure(reason, "The folder for mail cannot be written to"))
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "The folder for mail cannot be written to (EACCES)",
        "The folder for mail cannot be written to (ENOSPC)",
    ]


def test_a_message_that_nobody_answered_is_no_sign_that_mail_leaves_again(caplog: pytest.LogCaptureFixture) -> None:
    log = WaitingLog()
    log.waits(TemporaryFailure("SMTP 535 at AUTH", "The mail server lets us in no more"))
    log.waits(TemporaryFailure("SMTP timeout at RCPT"))
    log.waits(TemporaryFailure("SMTP 535 at AUTH", "The mail server lets us in no more"))
    assert "Mail leaves again." not in caplog.messages
    assert len(caplog.messages) == 2
    log.answered()
    assert caplog.messages[2:] == ["Mail leaves again."]
