"""A message as RFC 5322 has it, read back by the standard library."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from api.deliveries.mail import Mail
from tests.people import NOON

MAIL = Mail(
    name="invitation.00000000000000000000000000000001.1",
    sender="Accounts <no-reply@accounts.example.com>",
    recipient="bo@example.com",
    subject="Invitation to “Analytical Engines”",
    text="Grüße,\n\nhttps://app.example.com/join?invitationId=0123456789abcdef0123456789abcdef&x=" + "y" * 100 + "\n",
    at=NOON,
)


def read(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.to_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def test_it_reads_back_as_it_was_written() -> None:
    message = read(MAIL)
    # a long id may stand on a line of its own, and the library keeps the blank before it
    assert {name: value.strip() for name, value in message.items()} == {
        "From": "Accounts <no-reply@accounts.example.com>",
        "To": "bo@example.com",
        "Subject": "Invitation to “Analytical Engines”",
        "Date": "Sat, 14 Mar 2026 12:00:00 +0000",
        "Message-ID": "<invitation.00000000000000000000000000000001.1@accounts.example.com>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "8bit",
        "MIME-Version": "1.0",
    }
    assert message.get_content() == MAIL.text.replace("\n", "\r\n")


def test_its_head_is_ascii_and_its_links_are_whole() -> None:
    """RFC 5322 §2.1.1 and §2.2: CRLF, no line longer than 998; who reads the file can follow a link from there."""
    content = MAIL.to_bytes()
    head, _, body = content.partition(b"\r\n\r\n")
    assert head.isascii()
    assert body == MAIL.text.replace("\n", "\r\n").encode()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998


MORE = "x@example.com\r\nBcc: cy@example.com"


@pytest.mark.parametrize(
    "mail", [replace(MAIL, sender=MORE), replace(MAIL, recipient=MORE), replace(MAIL, subject=MORE)]
)
def test_nobody_adds_a_header(mail: Mail) -> None:
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        mail.to_bytes()


@pytest.mark.parametrize("sender", ["no-reply@accounts.example.com", "Accounts <no-reply@accounts.example.com>"])
def test_its_id_is_of_the_senders_domain(sender: str) -> None:
    message_id = read(replace(MAIL, sender=sender))["Message-ID"].strip()
    assert message_id == "<invitation.00000000000000000000000000000001.1@accounts.example.com>"
