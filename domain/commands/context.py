"""What command functions work with; made once, when the application starts."""

from __future__ import annotations

from dataclasses import dataclass

from domain.events.keys import Keyring
from domain.passwords import Passwords
from domain.session import Lifetimes
from domain.store import Store

from .lookups import Lookups


@dataclass(frozen=True, kw_only=True)
class Context:
    """The store and the look-ups, the keys, the hashing pool, and how long sessions live and how many of a person."""

    store: Store
    lookups: Lookups
    keyring: Keyring
    passwords: Passwords
    lifetimes: Lifetimes
    sessions_per_user: int | None = None
