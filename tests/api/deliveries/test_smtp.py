"""Mail handed to a server: a real one, encrypted and not, and those that refuse, stall, hang up or talk nonsense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api.deliveries import smtp
from api.deliveries.mail import Mail
from api.deliveries.smtp import SmtpTransport
from api.deliveries.transport import LastingRefusal, NotDelivered, TemporaryFailure
from api.smtp_url import smtp_server
from tests.api.deliveries.mail_server import (
    HELLO,
    PASSWORD,
    USER,
    Certificates,
    Line,
    Mailbox,
    Misbehaving,
    answering,
    certificates,
    knows_us,
    mail_server,
    misbehaving,
)
from tests.api.deliveries.test_mail import MAIL

OTHER = replace(MAIL, name="invitation.00000000000000000000000000000002.1", recipient="cy@example.com")
SIGNED_IN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """Trusted by this machine, as an operator has it trusted: by OpenSSL's own variable."""
    made = certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    return made


_opened = list[SmtpTransport]()


def close_all() -> None:
    while _opened:
        _opened.pop().close()


@pytest.fixture(autouse=True)
def all_closed() -> Iterator[None]:
    yield
    close_all()


@contextmanager
def taken_by(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A real server; what goes to it is told goodbye before it ends, else its library complains."""
    with mail_server(mailbox, **options) as port:
        try:
            yield port
        finally:
            close_all()


def transport_to(url: str, *, patience: float = 10) -> SmtpTransport:
    _opened.append(SmtpTransport(smtp_server(url), own_name="accounts.example.com", patience=patience))
    return _opened[-1]


def reason(transport: SmtpTransport, kind: type[NotDelivered] = TemporaryFailure, mail: Mail = MAIL) -> str:
    with pytest.raises(NotDelivered) as failure:
        transport.deliver(mail)
    assert type(failure.value) is kind
    return failure.value.reason


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


@pytest.fixture
def taking() -> Iterator[Callable[..., SmtpTransport]]:
    """A transport to a server that answers as it is told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtp, "_AWAY_FOR", 0.0)
        yield lambda server, **options: transport_to(f"smtp://localhost:{server.port}?tls=off", **options)


Taking = Callable[..., SmtpTransport]


@pytest.mark.parametrize(
    ("step", "said", "kind", "why"),
    [
        ("greeting", b"421 busy\r\n", TemporaryFailure, "SMTP 421 at the greeting"),
        ("greeting", b"554 go away bo@example.com\r\n", TemporaryFailure, "SMTP 554 at the greeting"),
        ("EHLO", b"502 what\r\n", TemporaryFailure, "SMTP 502 at EHLO"),
        ("MAIL", b"451 later\r\n", TemporaryFailure, "SMTP 451 at MAIL"),
        ("MAIL", b"530 who are you\r\n", TemporaryFailure, "SMTP 530 at MAIL"),
        ("MAIL", b"552 too large\r\n", LastingRefusal, "SMTP 552 at MAIL"),
        ("RCPT", b"450 greylisted bo@example.com\r\n", TemporaryFailure, "SMTP 450 at RCPT"),
        ("RCPT", b"550-no such user\r\n550 bo@example.com\r\n", LastingRefusal, "SMTP 550 at RCPT"),
        ("DATA", b"451 later\r\n", TemporaryFailure, "SMTP 451 at DATA"),
        ("DATA", b"554 no\r\n", LastingRefusal, "SMTP 554 at DATA"),
        ("content", b"452 full\r\n", TemporaryFailure, "SMTP 452 at the content"),
        ("content", b"554 spam\r\n", LastingRefusal, "SMTP 554 at the content"),
    ],
)
def test_what_a_refusal_means_depends_on_whom_it_is_about(
    taking: Taking, step: str, said: bytes, kind: type[NotDelivered], why: str
) -> None:
    with misbehaving(lambda line, server: answering(line, server, **{step: said})) as server:
        assert reason(taking(server), kind) == why


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_who_hangs_up_before_the_message_was_theirs_is_tried_again(taking: Taking, step: str) -> None:
    with misbehaving(lambda line, server: answering(line, server, **{step: b""})) as server:
        told = "the greeting" if step == "greeting" else step
        assert reason(taking(server)) == f"SMTP disconnected at {told}"
    assert server.took == []


def test_where_the_answer_is_lost_it_is_tried_again_under_the_same_name(taking: Taking) -> None:
    with misbehaving(lambda line, server: answering(line, server, content=b"")) as server:
        transport = taking(server)
        assert reason(transport) == reason(transport) == "SMTP answer lost (disconnected)"
        assert server.connections == 2
    assert len(server.took) == 2
    assert all(b"\r\nMessage-ID: <%s@accounts.example.com>\r\n" % MAIL.name.encode() in one for one in server.took)


def test_who_hangs_up_in_the_middle_of_a_message_leaves_it_open(taking: Taking) -> None:
    def behave(line: Line, server: Misbehaving) -> None:
        for said in (b"220 here\r\n", HELLO, b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
            line.says(said)
            line.hears()
        line.hangs_up()

    with misbehaving(behave) as server:
        assert reason(taking(server)).startswith("SMTP answer lost")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\xff\xfe\r\n",
        b"hello\r\n",
        b"99 x\r\n",
        b"-22 x\r\n",
        b"220\x00\r\n",
        b"220-a\r\n250 b\r\n",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"2" * 100_000,
        b"220-" + b"x" * 100_000,
        b"220-more\r\n" * 10_000,
    ],
)
@pytest.mark.parametrize("step", ["greeting", "EHLO", "RCPT", "content"])
def test_nonsense_is_nothing_but_a_reason_to_try_again(taking: Taking, nonsense: bytes, step: str) -> None:
    with misbehaving(lambda line, server: answering(line, server, **{step: nonsense})) as server:
        why = reason(taking(server))
    at = "the greeting" if step == "greeting" else step
    assert why == ("SMTP answer lost (garbage)" if step == "content" else f"SMTP garbage at {at}")


def endless_banner(line: Line, server: Misbehaving) -> None:
    while True:
        line.says(b"220-welcome\r\n")


def silent(line: Line, server: Misbehaving) -> None:
    line.hears()


def a_byte_at_a_time(line: Line, server: Misbehaving) -> None:
    while True:
        line.says(b"2")
        time.sleep(0.05)


def a_line_at_a_time(line: Line, server: Misbehaving) -> None:
    while True:
        line.says(b"220-x\r\n")
        time.sleep(0.05)


def slow_with_the_content(line: Line, server: Misbehaving) -> None:
    for said in (b"220 here\r\n", HELLO, b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
        line.says(said)
        line.hears()
    time.sleep(30)


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (endless_banner, "SMTP garbage at the greeting"),
        (silent, "SMTP timeout at the greeting"),
        (a_byte_at_a_time, "SMTP timeout at the greeting"),
        (a_line_at_a_time, "SMTP timeout at the greeting"),
        (slow_with_the_content, "SMTP answer lost (timeout)"),
    ],
)
def test_whoever_takes_their_time_has_that_of_one_attempt_and_no_more(
    taking: Taking, behave: Callable[[Line, Misbehaving], None], why: str
) -> None:
    """All steps together: a byte now and then does not begin it anew."""
    with misbehaving(behave) as server:
        began = time.monotonic()
        assert reason(taking(server, patience=1.0)) == why
        assert time.monotonic() - began < 5


def test_a_handshake_that_does_not_go_on_is_cut_off_too(authority: Certificates) -> None:
    with misbehaving(silent) as server:
        assert reason(transport_to(f"smtps://localhost:{server.port}", patience=1.0)) == "SMTP timeout at TLS"


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


def test_what_keeps_all_mail_from_leaving_is_told_once_and_when_it_is_over(
    taking: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    """In words of ours: what a server says may quote anybody."""
    caplog.set_level("INFO", "daybook")

    def behave(line: Line, server: Misbehaving) -> None:
        said = b"220 here\r\n" if server.connections > 3 else b"554 not you, bo@example.com\r\n"
        answering(line, server, greeting=said)

    with misbehaving(behave) as server:
        transport = taking(server)
        for _ in range(3):
            assert reason(transport) == "SMTP 554 at the greeting"
        transport.deliver(MAIL)
    assert caplog.messages == [
        "The mail server lets us in no more (SMTP 554 at the greeting): mail waits, and is tried again.",
        "The mail server takes mail again.",
    ]


def test_a_sender_that_is_refused_is_told_once_until_mail_is_taken(
    taking: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    """It is every mail's, so all of it is given up; what is said of one mail's size or recipient is not told."""
    caplog.set_level("INFO", "daybook")
    answers = [b"553 not yours, bo@example.com\r\n", b"250 OK\r\n", b"552 too large\r\n", b"553 not yours\r\n"]

    def behave(line: Line, server: Misbehaving) -> None:
        answering(line, server, MAIL=answers[server.connections - 1])

    with misbehaving(behave) as server:
        transport = taking(server)
        for _ in range(3):
            assert reason(transport, LastingRefusal) == "SMTP 553 at MAIL"
        transport.close()
        transport.deliver(MAIL)
        for refused in ("SMTP 552 at MAIL", "SMTP 553 at MAIL"):
            transport.close()
            assert reason(transport, LastingRefusal) == refused
    told = (
        "The mail server refuses whom our mail is from (SMTP 553 at MAIL): all of it is given up."
        " Mend DAYBOOK_MAIL_FROM, then call `daybook mail retry --all`."
    )
    assert caplog.messages == [told, told]


def test_nobody_there(taking: Taking) -> None:
    with misbehaving(answering) as server:
        pass
    assert reason(taking(server)) == "SMTP refused at connecting"
    assert reason(transport_to("smtp://nobody.invalid")) == "SMTP no such host at connecting"


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
