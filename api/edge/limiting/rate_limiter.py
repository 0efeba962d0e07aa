"""Limits: how often one address or session may ask, and how often one account may be guessed at (wire.md §5, A14)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from api.edge.known_device import Device
from api.edge.request_context import PICTURES
from domain.commands.lookups import Account, Lookups
from domain.email_address import canonical
from domain.events.keys import Keyring
from domain.refusals import TooManyAttempts, WrongCredentials, WrongPassword
from projections.lists.account_list import ACCOUNT, ACCOUNT_BY_EMAIL
from projections.lists.session_list import LiveSession

from .counters import Counter, Counters, Limit
from .request_counter import RequestCounter
from .wrong_passwords import WINDOW, of_account, of_all_own

_GENERAL = Limit(100, timedelta(seconds=10))
_FEW = Limit(3, timedelta(seconds=10))
_FEW_MAILS = Limit(3, timedelta(seconds=60))
_MANY = Limit(1_000, timedelta(seconds=10))
_BY_PREFIX = {
    "/sign-in": _FEW,
    "/sign-up": _FEW,
    "/change-password": _FEW,
    "/change-email": _FEW,
    "/verify-password": _FEW,  # ours: who stole a session must not guess passwords
    "/delete-user": _FEW,  # nor by this
    "/request-password-reset": _FEW_MAILS,
    "/send-verification-email": _FEW_MAILS,
    "/forget-password": _FEW_MAILS,
    # the same on pages
    "/account/password": _FEW,
    "/account/sessions/new-password": _FEW,
    "/account/delete": _FEW,
    "/account/address": _FEW,
    "/account/verify": _FEW_MAILS,
    "/forgot-password": _FEW_MAILS,
    "/reset-password/": _GENERAL,  # whatever stands behind it
    PICTURES: _MANY,  # all together
}
_UNROUTED = ""
"""The path under which all those are counted that nobody routes: as many as one likes could be made up."""
_OF_ITS_OWN = 10
"""Wrong passwords an hour of one account on one device it knows or in one session, once all others are used up."""
_OF_ALL_OWN = 2
"""How many times that all sessions and devices of one account may have: every sign-in makes another."""
_COUNTERS_KEPT = 10_000
"""Counters whose keys are remembered: to hash one takes longer than all else that is done here for a request."""


class RateLimiter:
    """Counts requests by address or session and by path, and wrong passwords by account; counts nothing if not `on`.

    `count_request` belongs to the event loop.
    """

    def __init__(
        self,
        requests: RequestCounter,
        counters: Counters,
        keyring: Keyring,
        lookups: Lookups,
        *,
        on: bool,
        wrong_passwords: int,
    ) -> None:
        self._requests, self._counters, self._keyring, self._lookups = requests, counters, keyring, lookups
        self.on = on
        self._wrong = Limit(wrong_passwords, WINDOW)
        own = min(wrong_passwords, _OF_ITS_OWN)
        self._own, self._all_own = Limit(own, WINDOW), Limit(_OF_ALL_OWN * own, WINDOW)
        self._counter = lru_cache(_COUNTERS_KEPT)(self._new_counter)

    def count_request(self, whose: str, path: str, *, routed: bool) -> Awaitable[None]:
        """Begin to count a request of an address or a session to a path below the base path; its end is to be awaited.

        That raises TooManyAttempts, or StoreUnavailable. Raises TooManyAttempts at once where that is known already.
        """
        if not self.on:
            return UNCOUNTED
        return self._requests.count(self._counter(whose, path if routed else _shared(path)))

    def _new_counter(self, whose: str, path: str) -> Counter:
        return Counter.of(self._keyring.limit_key("path", whose, path), _BY_PREFIX.get(_shared(path), _GENERAL))

    @contextmanager
    def sign_in_guess(self, address: str, devices: Sequence[Device], now: datetime) -> Iterator[Account | None]:
        """Around the check of a password given for the account with this canonical address, which is looked up.

        In one query, since every sign-in has to wait for both. As `password_guess`.
        """
        email_hash = self._keyring.email_hash(address)
        if not self.on:
            yield self._lookups.account_by_email(email_hash)
            return
        counter = of_account(self._keyring, address, self._wrong)
        wait, row = self._counters.reserve_beside(counter, ACCOUNT_BY_EMAIL, email_hash)
        account, reserved = ACCOUNT.find(row), [counter]
        if wait:
            user_id = None if account is None else account.person.user_id
            reserved = self._own_places(user_id, devices, now, None, wait)
        with self._settling(reserved):
            yield account

    @contextmanager
    def password_guess(self, session: LiveSession, devices: Sequence[Device], now: datetime) -> Iterator[None]:
        """Around the check of a password given through a session: at most `wrong_passwords` an hour may be wrong.

        Of one account, however they are given. The place is taken before the check and given back unless the password
        was wrong, so that many at once cannot overshoot. Where none is left, a device that is known to the account has
        ten of its own, and so has the live session that asks, but all of them together no more than twice that:
        guessing from elsewhere must not lock the owner out. Unknown accounts count alike, so that the answer says
        nothing. Raises TooManyAttempts.
        """
        address = canonical(session.email or "")
        if not self.on or address is None:
            yield
            return
        reserved = [of_account(self._keyring, address, self._wrong)]
        if wait := self._counters.reserve(reserved[0]):
            reserved = self._own_places(session.user_id, devices, now, session, wait)
        with self._settling(reserved):
            yield

    @contextmanager
    def _settling(self, reserved: Sequence[Counter]) -> Iterator[None]:
        wrong = False
        try:
            yield
        except (WrongCredentials, WrongPassword):
            wrong = True
            raise
        finally:
            settle = self._counters.confirm if wrong else self._counters.give_back
            for counter in reserved:
                settle(counter)

    def _own_places(
        self, user_id: UUID | None, devices: Sequence[Device], now: datetime, session: LiveSession | None, wait: int
    ) -> list[Counter]:
        """Reserve one place of what speaks for the owner, and one of all that do. Raises TooManyAttempts."""
        if user_id is None:
            raise TooManyAttempts(wait)
        for key in self._own_keys(user_id, devices, now, session):
            own = Counter.of(key, self._own)
            if own_wait := self._counters.reserve(own):
                wait = min(wait, own_wait)
                continue
            of_all = of_all_own(self._keyring, user_id, self._all_own)
            if all_wait := self._counters.reserve(of_all):
                self._counters.give_back(own)
                raise TooManyAttempts(min(wait, all_wait), user_id)
            return [own, of_all]
        raise TooManyAttempts(wait, user_id)

    def _own_keys(
        self, user_id: UUID, devices: Sequence[Device], now: datetime, session: LiveSession | None
    ) -> Iterator[bytes]:
        """The device before the session: who stole only the session uses nothing up that its owner needs."""
        device = next((device for device in devices if device.knows(user_id, now)), None)
        if device is not None:
            yield self._keyring.limit_key("wrong passwords of a device", user_id.hex, device.name)
        if session is not None:
            yield self._keyring.limit_key("wrong passwords of a session", user_id.hex, session.session_id.hex)

    async def close(self) -> None:
        """Give the connection back."""
        await self._requests.close()


class _Uncounted:
    """Nothing to wait for."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


UNCOUNTED = _Uncounted()
"""The counting of what is not counted."""


def _shared(path: str) -> str:
    """The path under which one is counted that nobody routes: the prefix that limits it."""
    return next((prefix for prefix in _BY_PREFIX if path.startswith(prefix)), _UNROUTED)
