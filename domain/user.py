"""User: a person with an account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from .personal import Personal


class Revocation(StrEnum):
    """Why all sessions of an account were ended at once."""

    EVERYWHERE = "everywhere"
    OTHERS = "others"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  the word that is stored, no secret


@dataclass(frozen=True, kw_only=True)
class SignedUp:
    """A person opened an account with an e-mail address and a password."""

    email: Personal
    name: Personal
    image: Personal
    email_hash: bytes
    password_version: int


@dataclass(frozen=True, kw_only=True)
class NameChanged:
    """A person goes by another name."""

    name: Personal


@dataclass(frozen=True, kw_only=True)
class ImageChanged:
    """A person shows another image, or none."""

    image: Personal


@dataclass(frozen=True, kw_only=True)
class PasswordChanged:
    """A person who knew the password chose another one."""

    password_version: int


@dataclass(frozen=True, kw_only=True)
class SessionsRevoked:
    """All sessions of the account ended, but for one that keeps up in the same commit.

    However many there are: each remembers the epoch it began in, and only those of the newest one live.
    """

    epoch: int
    reason: Revocation


@dataclass(frozen=True, kw_only=True)
class PersonErased:
    """A person's account was deleted: it is closed with all its sessions, and what was personal is gone for good.

    One event, since neither half happens without the other (docs/decisions/0047-erasure.md).
    """

    epoch: int


UserEvent = SignedUp | NameChanged | ImageChanged | PasswordChanged | SessionsRevoked | PersonErased


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. Its sessions are streams of their own; its password hash lives outside the history."""

    email_hash: bytes
    password_version: int
    session_epoch: int = 0
    closed: bool = False

    @staticmethod
    def sign_up(*, email: str, name: str, image: str | None, email_hash: bytes) -> list[UserEvent]:
        """Open the account. `email` is canonical; `email_hash` its keyed hash, by which it is found and kept unique."""
        return [SignedUp(email=email, name=name, image=image, email_hash=email_hash, password_version=1)]

    def rename(self, name: str, *, before: str | None) -> list[UserEvent]:
        """Go by another name; nothing if it is the one `before`."""
        return [] if name == before else [NameChanged(name=name)]

    def show(self, image: str | None, *, before: str | None) -> list[UserEvent]:
        """Show another image, or none; nothing if it is the one `before`."""
        return [] if image == before else [ImageChanged(image=image)]

    def change_password(self, *, revoking: bool) -> list[UserEvent]:
        """Make the next password version the current one; `revoking` ends all sessions begun with older ones."""
        changed: list[UserEvent] = [PasswordChanged(password_version=self.password_version + 1)]
        return changed + (self.revoke_sessions(Revocation.PASSWORD_CHANGED) if revoking else [])

    def revoke_sessions(self, reason: Revocation) -> list[UserEvent]:
        """End every session there is, and any that a sign-in on its way may still commit."""
        return [SessionsRevoked(epoch=self.session_epoch + 1, reason=reason)]

    def erase(self) -> list[UserEvent]:
        """Close the account, with every session there is or is on its way; nothing if that was done before."""
        return [] if self.closed else [PersonErased(epoch=self.session_epoch + 1)]


def evolve(state: User | None, event: UserEvent) -> User:
    """What the account is after one more event."""
    match event:
        case SignedUp(email_hash=email_hash, password_version=password_version):
            return User(email_hash=email_hash, password_version=password_version)
    assert state is not None, "an account begins with SignedUp"
    match event:
        case NameChanged() | ImageChanged():
            return state
        case PasswordChanged(password_version=password_version):
            return replace(state, password_version=password_version)
        case SessionsRevoked(epoch=epoch):
            return replace(state, session_epoch=epoch)
        case PersonErased(epoch=epoch):
            return replace(state, session_epoch=epoch, closed=True)
        case _:
            assert_never(event)
