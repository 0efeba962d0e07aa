"""One connection for as long as there is mail, and a server that wants none from us is left alone for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.deliveries import smtp
from api.deliveries.transport import LastingRefusal
from tests.api.deliveries.handing_over import OTHER, Taking, reason, taken_by, transport_to
from tests.api.deliveries.mail_server import (
    HELLO,
    Line,
    Mailbox,
    Misbehaving,
    answering,
    misbehaving,
)
from tests.api.deliveries.test_mail import MAIL


def test_mails_in_a_row_go_by_one_connection_and_each_is_whole(mailbox: Mailbox) -> None:
    with taken_by(mailbox) as port:
        transport = transport_to(f"smtp://localhost:{port}?tls=off")
        for mail in (MAIL, OTHER, MAIL):
            transport.deliver(mail)
            transport.rest()
    assert mailbox.connections() == 1
    assert [(to, content) for _, to, content, _ in mailbox.taken] == [
        ("bo@example.com", MAIL.content),
        ("cy@example.com", OTHER.content),
        ("bo@example.com", MAIL.content),
    ]


def test_after_one_that_is_refused_the_next_goes_by_the_same_connection(taking: Taking) -> None:
    def behave(line: Line, server: Misbehaving) -> None:
        answering(line, server, RCPT=b"550 no\r\n")

    with misbehaving(behave) as server:
        transport = taking(server)
        assert reason(transport, LastingRefusal) == reason(transport, LastingRefusal, OTHER) == "SMTP 550 at RCPT"
    assert server.connections == 1
    assert [line.split()[0].upper() for line in server.heard] == [b"EHLO", b"MAIL", b"RCPT", b"RSET", b"MAIL", b"RCPT"]


@pytest.mark.parametrize("step", ["RSET", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("said", [b"", b"421 too long idle\r\n"])
def test_a_connection_that_died_meanwhile_is_no_failure_of_the_mail(taking: Taking, step: str, said: bytes) -> None:
    """Wherever nothing of it can have been taken."""

    def behave(line: Line, server: Misbehaving) -> None:
        if server.connections > 1:
            answering(line, server)
            return
        for reply in (b"220 here\r\n", HELLO, b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
            line.says(reply)
            if not reply.startswith(b"354"):
                line.hears()
        line.hears_message()
        line.says(b"250 OK\r\n")
        for verb in ("RSET", "MAIL", "RCPT", "DATA"):
            line.hears()
            if verb == step:
                if said:
                    line.says(said)
                line.hangs_up()
                return
            line.says(b"250 OK\r\n")

    with misbehaving(behave) as server:
        transport = taking(server)
        transport.deliver(MAIL)
        transport.deliver(OTHER)
    assert server.connections == 2
    assert len(server.took) == 1


def test_what_may_have_been_taken_is_not_sent_again_at_once(taking: Taking) -> None:
    """By a connection that took one before."""

    def behave(line: Line, server: Misbehaving) -> None:
        line.says(b"220 here\r\n")
        while heard := line.hears().upper():
            if heard.startswith(b"DATA"):
                line.says(b"354 go on\r\n")
                server.took.append(line.hears_message())
                if len(server.took) == 2:
                    line.hangs_up()
            line.says(HELLO if heard.startswith(b"EHLO") else b"250 OK\r\n")

    with misbehaving(behave) as server:
        transport = taking(server)
        transport.deliver(MAIL)
        assert reason(transport, mail=OTHER) == "SMTP answer lost (disconnected)"
        assert (server.connections, len(server.took)) == (1, 2)


def test_a_connection_is_given_back_after_a_while_without_mail(taking: Taking, monkeypatch: pytest.MonkeyPatch) -> None:
    with misbehaving(answering) as server:
        transport = taking(server)
        transport.deliver(MAIL)
        transport.rest()
        assert b"QUIT" not in [line.strip().upper() for line in server.heard]
        monkeypatch.setattr(smtp, "_KEPT_FOR", 0.0)
        transport.rest()
        assert server.heard[-1].strip().upper() == b"QUIT"
        transport.deliver(OTHER)
        transport.close()
    assert server.connections == 2


def test_a_server_that_lets_nobody_in_is_not_asked_by_every_mail_that_waits() -> None:
    with misbehaving(lambda line, server: answering(line, server, greeting=b"554 no\r\n")) as server:
        transport = transport_to(f"smtp://localhost:{server.port}?tls=off")
        assert {reason(transport) for _ in range(20)} == {"SMTP 554 at the greeting"}
    assert server.connections == 1


def test_a_server_that_takes_none_from_our_sender_is_not_asked_by_every_mail_that_waits() -> None:
    with misbehaving(lambda line, server: answering(line, server, MAIL=b"553 not yours\r\n")) as server:
        transport = transport_to(f"smtp://localhost:{server.port}?tls=off")
        assert {reason(transport) for _ in range(20)} == {"SMTP 553 at MAIL"}
    assert [line.split()[0].upper() for line in server.heard] == [b"EHLO", b"MAIL", b"QUIT"]


def test_of_a_mail_that_is_too_large_the_next_one_knows_nothing() -> None:
    """RFC 1870: that is about its size."""
    answers = [b"552 too large\r\n", b"250 OK\r\n"]

    def behave(line: Line, server: Misbehaving) -> None:
        line.says(b"220 here\r\n")
        while heard := line.hears().upper():
            if heard.startswith(b"DATA"):
                line.says(b"354 go on\r\n")
                server.took.append(line.hears_message())
            said = HELLO if heard.startswith(b"EHLO") else b"250 OK\r\n"
            line.says(answers.pop(0) if heard.startswith(b"MAIL") else said)

    with misbehaving(behave) as server:
        transport = transport_to(f"smtp://localhost:{server.port}?tls=off")
        assert reason(transport, LastingRefusal) == "SMTP 552 at MAIL"
        transport.deliver(OTHER)
    assert (server.connections, len(server.took)) == (1, 1)


def test_a_server_that_cannot_begin_anew_is_called_again(taking: Taking) -> None:
    with misbehaving(lambda line, server: answering(line, server, RSET=b"502 what\r\n")) as server:
        transport = taking(server)
        transport.deliver(MAIL)
        transport.deliver(OTHER)
    assert (server.connections, len(server.took)) == (2, 2)


def test_where_a_server_takes_seven_bits_only_everything_is_encoded(taking: Taking) -> None:
    with misbehaving(lambda line, server: answering(line, server, EHLO=b"250 here\r\n")) as server:
        taking(server).deliver(MAIL)
    [content] = server.took
    assert content == MAIL.in_ascii + b".\r\n"
    assert b"mail from:<no-reply@accounts.example.com>" in [line.strip().lower() for line in server.heard]


def test_lines_that_begin_with_a_dot_arrive(mailbox: Mailbox) -> None:
    mail = replace(MAIL, text=".\n..\n.x\nBo\n.\n", html=".\n")
    with taken_by(mailbox) as port:
        transport_to(f"smtp://localhost:{port}?tls=off").deliver(mail)
    assert [content for _, _, content, _ in mailbox.taken] == [mail.content]
