"""What command functions work with; made once, when the application starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from domain.events.keys import Keyring
from domain.passwords import Hasher, Remembered
from domain.pictures import PATH
from domain.session import Lifetimes
from domain.store import Store

from .lookups import Lookups

P = ParamSpec("P")
T = TypeVar("T")


class EmailVerification(StrEnum):
    """Whether people are asked to prove that an address is theirs when they sign up, and let in before they did."""

    OFF = "off"
    ASKED = "asked"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the operator allows. Limits are None where there is none; lifetimes are from each sending on.

    `key_lifetime` is that of an API key of which nothing else is said.
    """

    invitations: bool = True
    invitation_lifetime: timedelta = timedelta(days=7)
    create_organizations: bool = True
    open_sign_up: bool = True
    reset_lifetime: timedelta = timedelta(hours=1)
    email_verification: EmailVerification = EmailVerification.OFF
    member_limit: int | None = None
    invitation_limit: int | None = None
    key_lifetime: timedelta | None = None
    key_shortest: timedelta = timedelta(days=1)
    key_longest: timedelta = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The store and the look-ups, the keys, the hashing pool, and how long sessions live and how many of a person;
    what else the operator allows; and the address below which pictures are handed out."""

    store: Store
    lookups: Lookups
    keyring: Keyring
    passwords: Hasher
    lifetimes: Lifetimes
    sessions_per_user: int | None = None
    rules: Rules = Rules()
    pictures_at: str = PATH


def hashed_once(command: Callable[Concatenate[Context, P], T]) -> Callable[Concatenate[Context, P], T]:
    """Around a command that may be decided again: it hashes each password once, however often that is."""

    @wraps(command)
    def remembering(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return command(replace(context, passwords=Remembered(context.passwords)), *args, **kwargs)

    return remembering
