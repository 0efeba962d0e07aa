"""User: a person with an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from .personal import Personal


@dataclass(frozen=True, kw_only=True)
class SignedUp:
    """A person opened an account with an e-mail address and a password."""

    email: Personal
    name: Personal
    image: Personal
    email_hash: bytes
    password_version: int


UserEvent = SignedUp


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. Its sessions are streams of their own; its password hash lives outside the history."""

    email_hash: bytes
    password_version: int

    @staticmethod
    def sign_up(*, email: str, name: str, image: str | None, email_hash: bytes) -> list[UserEvent]:
        """Open the account. `email` is canonical; `email_hash` its keyed hash, by which it is found and kept unique."""
        return [SignedUp(email=email, name=name, image=image, email_hash=email_hash, password_version=1)]


def evolve(state: User | None, event: UserEvent) -> User:
    """What the account is after one more event."""
    match event:
        case SignedUp(email_hash=email_hash, password_version=password_version):
            return User(email_hash=email_hash, password_version=password_version)
        case _:
            assert_never(event)
