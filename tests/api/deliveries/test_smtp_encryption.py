"""Mail to a server is encrypted and signed in, or not sent: never in the clear unless that is spelled out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.deliveries.handing_over import SIGNED_IN, reason, silent, taken_by, transport_to
from tests.api.deliveries.mail_server import (
    Certificates,
    Mailbox,
    answering,
    certificates,
    knows_us,
    misbehaving,
)
from tests.api.deliveries.test_mail import MAIL


def test_a_message_arrives_as_it_was_written_encrypted(mailbox: Mailbox, authority: Certificates) -> None:
    """STARTTLS by default, by the system's trust."""
    with taken_by(mailbox, tls_context=authority.context(), require_starttls=True) as port:
        transport_to(f"smtp://localhost:{port}").deliver(MAIL)
    [(sender, recipient, content, _)] = mailbox.taken
    assert (sender, recipient) == ("no-reply@accounts.example.com", "bo@example.com")
    assert content == MAIL.content


def test_it_is_encrypted_from_the_first_byte_where_the_url_says_so(mailbox: Mailbox, authority: Certificates) -> None:
    with taken_by(mailbox, ssl_context=authority.context()) as port:
        transport_to(f"smtps://localhost:{port}").deliver(MAIL)
    assert len(mailbox.taken) == 1


def test_a_server_that_cannot_encrypt_gets_neither_mail_nor_password(mailbox: Mailbox) -> None:
    with misbehaving(answering) as server:
        url = f"smtp://{SIGNED_IN}localhost:{server.port}"
        assert reason(transport_to(url)) == "SMTP none offered at STARTTLS"
    assert [line.split()[0] for line in server.heard] == [b"ehlo"]
    assert server.took == []


def test_a_server_that_nobody_vouches_for_gets_neither(mailbox: Mailbox, tmp_path: Path) -> None:
    unknown = certificates(tmp_path)
    with taken_by(mailbox, tls_context=unknown.context(), authenticator=knows_us) as port:
        assert reason(transport_to(f"smtp://{SIGNED_IN}localhost:{port}")) == "SMTP certificate at TLS"
    with taken_by(mailbox, ssl_context=unknown.context()) as port:
        assert reason(transport_to(f"smtps://localhost:{port}")) == "SMTP certificate at TLS"
    assert mailbox.taken == []


def test_a_server_that_is_vouched_for_by_another_name_gets_nothing(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = certificates(tmp_path, "mail.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
    with taken_by(mailbox, tls_context=other.context()) as port:
        assert reason(transport_to(f"smtp://localhost:{port}")) == "SMTP certificate at TLS"
    assert mailbox.taken == []


def test_what_was_said_before_encryption_is_not_taken_for_said_in_it() -> None:
    """CVE-2011-0411: somebody between both adds an answer behind the server's."""
    with misbehaving(
        lambda line, server: answering(
            line, server, EHLO=b"250-here\r\n250 STARTTLS\r\n", STARTTLS=b"220 go\r\n250 AUTH PLAIN\r\n"
        )
    ) as server:
        assert reason(transport_to(f"smtp://localhost:{server.port}")) == "SMTP garbage at STARTTLS"


def test_who_we_are_is_said_where_the_url_says_it(mailbox: Mailbox, authority: Certificates) -> None:
    with taken_by(mailbox, tls_context=authority.context(), authenticator=knows_us, auth_required=True) as port:
        transport_to(f"smtp://{SIGNED_IN}localhost:{port}").deliver(MAIL)
        assert len(mailbox.taken) == 1
        assert reason(transport_to(f"smtp://ada:hunter2@localhost:{port}")) == "SMTP 535 at AUTH"
        # said at MAIL, and not about the mail: it waits until the operator has mended it
        assert reason(transport_to(f"smtp://localhost:{port}")) == "SMTP 530 at MAIL"


def test_login_does_where_there_is_nothing_better(mailbox: Mailbox, authority: Certificates) -> None:
    with taken_by(
        mailbox, tls_context=authority.context(), authenticator=knows_us, auth_exclude_mechanism=["PLAIN"]
    ) as port:
        transport_to(f"smtp://{SIGNED_IN}localhost:{port}").deliver(MAIL)
    assert len(mailbox.taken) == 1


def test_in_the_clear_only_where_it_is_spelled_out(mailbox: Mailbox) -> None:
    with taken_by(mailbox) as port:
        transport_to(f"smtp://localhost:{port}?tls=off").deliver(MAIL)
    assert len(mailbox.taken) == 1


def test_a_handshake_that_does_not_go_on_is_cut_off_too(authority: Certificates) -> None:
    with misbehaving(silent) as server:
        assert reason(transport_to(f"smtps://localhost:{server.port}", patience=1.0)) == "SMTP timeout at TLS"
