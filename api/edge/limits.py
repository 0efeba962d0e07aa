"""Limits: how often one address may ask, and how often one account may be guessed at (wire.md §5, A14)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from domain.commands.lookups import Lookups
from domain.email_address import canonical
from domain.events.keys import Keyring
from domain.refusals import TooManyAttempts, WrongCredentials
from domain.store.rate_limits import Limit, RateLimits

_BY_PREFIX = {
    "/sign-in": Limit(3, timedelta(seconds=10)),
    "/sign-up": Limit(3, timedelta(seconds=10)),
}
_ROUTED = {"/sign-in/email", "/sign-up/email"}
FAILED_SIGN_INS = Limit(100, timedelta(hours=1))
_NOBODY = UUID(int=0)


class Limits:
    """Counts requests by address and path, and failed sign-ins by account; counts nothing if not `on`."""

    def __init__(self, counters: RateLimits, keyring: Keyring, lookups: Lookups, *, on: bool) -> None:
        self._counters, self._keyring, self._lookups, self._on = counters, keyring, lookups, on

    def limit_for(self, path: str) -> Limit | None:
        """The limit on a path below the base path, also on an unknown one."""
        if not self._on:
            return None
        return next((limit for prefix, limit in _BY_PREFIX.items() if path.startswith(prefix)), None)

    def admit(self, ip_address: str, path: str, limit: Limit) -> None:
        """Let one more request in from there. Raises TooManyAttempts."""
        # paths nobody routes share one counter: as many as one likes could be made up
        counted = path if path in _ROUTED else next(prefix for prefix in _BY_PREFIX if path.startswith(prefix))
        wait = self._counters.hit(self._keyring.limit_key("path", ip_address, counted), limit)
        if wait:
            raise TooManyAttempts(wait)

    @contextmanager
    def guessing(self, email: str, ip_address: str) -> Iterator[None]:
        """Around the check of a password: at most 100 an hour of one account may turn out wrong.

        The place is taken before the check and given back unless the password was wrong, so that many at once cannot
        overshoot. An address the account has signed in from before is let in all the same: guessing from elsewhere must
        not lock its owner out. Unknown accounts count alike, so that the answer says nothing. Raises TooManyAttempts.
        """
        address = canonical(email)
        if not self._on or address is None:
            yield
            return
        key = self._keyring.limit_key("failed sign-ins", address)
        wait = self._counters.reserve(key, FAILED_SIGN_INS)
        if wait:
            self._require_known(address, ip_address, wait)
        wrong = False
        try:
            yield
        except WrongCredentials:
            wrong = True
            raise
        finally:
            if not wait:
                settle = self._counters.confirm if wrong else self._counters.give_back
                settle(key)

    def _require_known(self, address: str, ip_address: str, wait: int) -> None:
        account = self._lookups.account_by_email(self._keyring.email_hash(address))
        user_id = None if account is None else account.person.user_id
        # asked of nobody too, so that the time it takes says nothing either
        if not self._lookups.signed_in_from(user_id or _NOBODY, ip_address):
            raise TooManyAttempts(wait, user_id)
