"""The counters of limits that count for one person or for their address: what an erasure takes away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from domain.events.keys import Keyring

from .mail_brake import mail_counters
from .wrong_passwords import guess_counters


def counters_of(keyring: Keyring, user_id: UUID, addresses: Sequence[str]) -> list[bytes]:
    """Their keys. Those of a device, of a session or of one person's messages to another last for two hours more."""
    return list(_keys(keyring, user_id, addresses))


def _keys(keyring: Keyring, user_id: UUID, addresses: Sequence[str]) -> Iterator[bytes]:
    for address in addresses:
        yield from guess_counters(keyring, user_id, address)
        yield from mail_counters(keyring, user_id, address)
