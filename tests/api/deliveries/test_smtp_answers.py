"""What a mail server's answer means for a mail: sent, given up or tried again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from api.deliveries.transport import LastingRefusal, NotDelivered, TemporaryFailure
from tests.api.deliveries.handing_over import Taking, reason, silent, transport_to
from tests.api.deliveries.mail_server import (
    HELLO,
    Line,
    Misbehaving,
    answering,
    misbehaving,
)
from tests.api.deliveries.test_mail import MAIL


@pytest.mark.parametrize(
    ("step", "said", "kind", "why"),
    [
        ("greeting", b"421 busy\r\n", TemporaryFailure, "SMTP 421 at the greeting"),
        ("greeting", b"554 go away bo@example.com\r\n", TemporaryFailure, "SMTP 554 at the greeting"),
        ("EHLO", b"502 what\r\n", TemporaryFailure, "SMTP 502 at EHLO"),
        ("MAIL", b"451 later\r\n", TemporaryFailure, "SMTP 451 at MAIL"),
        ("MAIL", b"530 who are you\r\n", TemporaryFailure, "SMTP 530 at MAIL"),
        ("MAIL", b"550 not from you\r\n", TemporaryFailure, "SMTP 550 at MAIL"),
        ("MAIL", b"553 not from no-reply@accounts.example.com\r\n", TemporaryFailure, "SMTP 553 at MAIL"),
        ("MAIL", b"554 blocked\r\n", TemporaryFailure, "SMTP 554 at MAIL"),
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


def test_nobody_there(taking: Taking) -> None:
    with misbehaving(answering) as server:
        pass
    assert reason(taking(server)) == "SMTP refused at connecting"
    assert reason(transport_to("smtp://nobody.invalid")) == "SMTP no such host at connecting"
