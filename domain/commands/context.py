"""What command functions work with; made once, when the application starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain.events.keys import Keyring
from domain.passwords import Passwords
from domain.session import Lifetimes
from domain.store import Store

from .lookups import Lookups


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the operator allows. Limits are None where there is none; `invitation_lifetime` from each sending on."""

    invitations: bool = True
    invitation_lifetime: timedelta = timedelta(days=7)
    create_organizations: bool = True
    open_sign_up: bool = True
    member_limit: int | None = None
    invitation_limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Context:
    """The store and the look-ups, the keys, the hashing pool, and how long sessions live and how many of a person;
    and what else the operator allows."""

    store: Store
    lookups: Lookups
    keyring: Keyring
    passwords: Passwords
    lifetimes: Lifetimes
    sessions_per_user: int | None = None
    rules: Rules = Rules()
