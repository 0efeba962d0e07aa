"""Counters of wrong passwords: which there are for an account, and forgetting them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from domain.events.keys import Keyring

from .counters import Counter, Counters, Limit

WINDOW = timedelta(hours=1)
_WHATEVER = Limit(1, WINDOW)


def of_account(keyring: Keyring, address: str, limit: Limit) -> Counter:
    """All that are given for the account with this canonical address, from wherever."""
    return Counter.of(keyring.limit_key("wrong passwords", address), limit)


def of_all_own(keyring: Keyring, user_id: UUID, limit: Limit) -> Counter:
    """Those beyond, which devices and sessions of a person have of their own, all together."""
    return Counter.of(keyring.limit_key("wrong passwords of its own", user_id.hex), limit)


def forget_wrong_passwords(counters: Counters, keyring: Keyring, *, address: str, user_id: UUID) -> bool:
    """Let an account be guessed at as if nobody had; whether anybody had.

    The ten of one device or one session stay counted: whoever used them up has those of the account again.
    """
    return counters.clear(of_account(keyring, address, _WHATEVER), of_all_own(keyring, user_id, _WHATEVER))


def guess_counters(keyring: Keyring, user_id: UUID, address: str) -> list[bytes]:
    """The keys of the counters of wrong passwords of an account with this canonical address."""
    return [of_account(keyring, address, _WHATEVER).key, of_all_own(keyring, user_id, _WHATEVER).key]
