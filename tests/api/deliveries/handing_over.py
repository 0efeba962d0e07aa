"""Transports to mail servers, real and misbehaving, as tests of handing mail over use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from api.deliveries.mail import Mail
from api.deliveries.smtp import SmtpTransport
from api.deliveries.transport import NotDelivered, TemporaryFailure
from api.smtp_url import smtp_server
from tests.api.deliveries.mail_server import PASSWORD, USER, Line, Mailbox, Misbehaving, mail_server
from tests.api.deliveries.test_mail import MAIL

OTHER = replace(MAIL, name="invitation.00000000000000000000000000000002.1", recipient="cy@example.com")
SIGNED_IN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"
Taking = Callable[..., SmtpTransport]
"""A transport to a server that answers as it is told."""

_opened = list[SmtpTransport]()


def close_all() -> None:
    while _opened:
        _opened.pop().close()


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


def silent(line: Line, server: Misbehaving) -> None:
    line.hears()
