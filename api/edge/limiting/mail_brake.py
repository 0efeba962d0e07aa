"""A brake on messages that people need not have asked for: how many somebody may have sent, and an address may get.

An hour begins with the first one that counts. It is not begun anew by each, as that of guesses is: who invites a few
people all day long must not run into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from domain.commands.invitation import Admit
from domain.events.keys import Keyring
from domain.mailed_link import Purpose
from domain.refusals import Refusal, TooManyAttempts

from .counters import Counter, Counters, Limit

_HOUR = timedelta(hours=1)
_TO_ONE = Limit(5, _HOUR)
"""Of one person to one mailbox: a first message and four that are asked for again."""
_TO_A_MAILBOX = Limit(20, _HOUR)
"""Of all people to one: whatever stands behind a `+` in its address, it is the same mailbox (RFC 5233)."""


class MailBrake:
    """Counts nothing if not `on`. `per_hour` is how many messages one person may have sent, to whomever; `of_a_kind`
    how many of one kind an address gets, whoever asks.
    """

    def __init__(self, counters: Counters, keyring: Keyring, *, on: bool, per_hour: int, of_a_kind: int) -> None:
        self._counters, self._keyring = counters, keyring
        self._on, self._of_one, self._of_a_kind = on, Limit(per_hour, _HOUR), Limit(of_a_kind, _HOUR)

    def admits(self, kind: Purpose, address: str) -> bool:
        """Whether this canonical address may get one more message of a kind that anybody may ask for. It counts then.

        Whether somebody has the address does not matter, and who asks is not told.
        """
        if not self._on:
            return True
        mailbox = _mailbox(address)
        of_a_kind = Counter.of(_mails_of_a_kind(self._keyring, kind, mailbox), self._of_a_kind)
        return not self._counters.reserve_all(of_a_kind, self._of_all(mailbox))

    @contextmanager
    def sending(self, user_id: UUID) -> Iterator[Admit]:
        """Around a command by which this person may have a message sent: asks the brake when it has decided so.

        A place is taken then, once, however often it is decided again, and given back if the command is refused after
        all. Whatever else goes wrong may have happened, and counts.
        """
        taken: list[Counter] = []

        def admit(address: str) -> None:
            if taken or not self._on:
                return
            counters = self._counters_of(user_id, address)
            if wait := self._counters.reserve_all(*counters):
                raise TooManyAttempts(wait)
            taken.extend(counters)

        try:
            yield admit
        except Refusal:
            for counter in taken:
                self._counters.give_back(counter)
            raise

    def _counters_of(self, user_id: UUID, address: str) -> list[Counter]:
        mailbox = _mailbox(address)
        return [
            Counter.of(self._keyring.limit_key("mail", user_id.hex, mailbox), _TO_ONE),
            Counter.of(_mails_of(self._keyring, user_id), self._of_one),
            self._of_all(mailbox),
        ]

    def _of_all(self, mailbox: str) -> Counter:
        return Counter.of(_mails_to(self._keyring, mailbox), _TO_A_MAILBOX)


def mail_counters(keyring: Keyring, user_id: UUID, address: str) -> list[bytes]:
    """The keys of the counters of messages that this person had sent, and that went to this canonical address."""
    mailbox = _mailbox(address)
    of_kinds = [_mails_of_a_kind(keyring, kind, mailbox) for kind in Purpose]
    hashed = (_mails_of(keyring, user_id), _mails_to(keyring, mailbox), *of_kinds)
    return [Counter.of(one, Limit(0, _HOUR)).key for one in hashed]


def _mailbox(address: str) -> str:
    local, _, host = address.partition("@")
    # one that begins with it is a telephone's number, and no part of a name
    return f"{local.partition('+')[0] or local}@{host}"


def _mails_of(keyring: Keyring, user_id: UUID) -> bytes:
    return keyring.limit_key("mail", user_id.hex)


def _mails_to(keyring: Keyring, mailbox: str) -> bytes:
    return keyring.limit_key("mail to", mailbox)


def _mails_of_a_kind(keyring: Keyring, kind: Purpose, mailbox: str) -> bytes:
    return keyring.limit_key("mail of a kind", kind, mailbox)
