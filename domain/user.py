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
    PASSWORD_RESET = "password_reset"  # noqa: S105  the same


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
class LanguageChosen:
    """A person reads pages in another language (its code, BCP 47)."""

    language: Personal


@dataclass(frozen=True, kw_only=True)
class PasswordChanged:
    """A person who knew the password chose another one, or an operator set one."""

    password_version: int


@dataclass(frozen=True, kw_only=True)
class PasswordReset:
    """Who reads what is sent to the account's address chose another password, without knowing the one before."""

    password_version: int


@dataclass(frozen=True, kw_only=True)
class EmailVerified:
    """The account's address is the person's: they brought a secret that went there by mail, and nowhere else."""


@dataclass(frozen=True, kw_only=True)
class EmailContested:
    """Somebody wanted to open another account with the address, which was not proved to be this account's person's.

    Either may be its holder, and a link to verify it says nothing of who chose the password: only a new one does that
    is set by what goes there.
    """


@dataclass(frozen=True, kw_only=True)
class EmailChanged:
    """A person has another address, which they proved to be theirs; or an operator knows it to be."""

    email: Personal
    email_hash: bytes


@dataclass(frozen=True, kw_only=True)
class EmailRestored:
    """A person has back the address they had before it was changed: that was not them."""

    email: Personal
    email_hash: bytes


@dataclass(frozen=True, kw_only=True)
class SessionsRevoked:
    """All sessions of the account ended, but for one that keeps up in the same commit.

    However many there are: each remembers the epoch it began in, and only those of the newest one live.
    """

    epoch: int
    reason: Revocation


@dataclass(frozen=True, kw_only=True)
class ApiKeysRevoked:
    """All API keys of the account ended at once, and any that is being made: by an epoch, as its sessions do."""

    epoch: int


@dataclass(frozen=True, kw_only=True)
class AccountUnlocked:
    """The wrong passwords that were given for an account count no more: who knows the right one is let in again."""


@dataclass(frozen=True, kw_only=True)
class PersonErased:
    """A person's account was deleted: it is closed with all its sessions, and what was personal is gone for good.

    One event, since neither half happens without the other (docs/decisions/0049-erasure.md).
    """

    epoch: int


UserEvent = (
    SignedUp
    | NameChanged
    | ImageChanged
    | LanguageChosen
    | PasswordChanged
    | PasswordReset
    | EmailVerified
    | EmailContested
    | EmailChanged
    | EmailRestored
    | SessionsRevoked
    | ApiKeysRevoked
    | AccountUnlocked
    | PersonErased
)


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. Its sessions are streams of their own; its password hash lives outside the history."""

    email_hash: bytes
    password_version: int
    session_epoch: int = 0
    key_epoch: int = 0
    email_verified: bool = False
    email_contested: bool = False
    closed: bool = False

    @staticmethod
    def sign_up(
        *, email: str, name: str, image: str | None, email_hash: bytes, verified: bool = False
    ) -> list[UserEvent]:
        """Open the account. `email` is canonical; `email_hash` its keyed hash, by which it is found and kept unique.

        `verified` if it is proved to be the person's already.
        """
        opened = SignedUp(email=email, name=name, image=image, email_hash=email_hash, password_version=1)
        return [opened, EmailVerified()] if verified else [opened]

    def rename(self, name: str, *, before: str | None) -> list[UserEvent]:
        """Go by another name; nothing if it is the one `before`."""
        return [] if name == before else [NameChanged(name=name)]

    def show(self, image: str | None, *, before: str | None) -> list[UserEvent]:
        """Show another image, or none; nothing if it is the one `before`."""
        return [] if image == before else [ImageChanged(image=image)]

    def read_in(self, language: str, *, before: str | None) -> list[UserEvent]:
        """Read pages in another language; nothing if it is the one `before`."""
        return [] if language == before else [LanguageChosen(language=language)]

    def change_password(self, *, revoking: bool, ending_keys: bool = False) -> list[UserEvent]:
        """Make the next password version the current one; `revoking` ends all sessions begun with older ones, and
        `ending_keys` all API keys.
        """
        changed: list[UserEvent] = [PasswordChanged(password_version=self.password_version + 1)]
        changed += self.revoke_sessions(Revocation.PASSWORD_CHANGED) if revoking else []
        return changed + (self.revoke_keys() if ending_keys else [])

    def reset_password(self, *, ending_keys: bool = False) -> list[UserEvent]:
        """Make the next password version the current one, by a link that went to the account's address.

        That proves the address, and ends all sessions (wire.md A7); `ending_keys` all API keys too.
        """
        reset: list[UserEvent] = [PasswordReset(password_version=self.password_version + 1)]
        reset += [*self.revoke_sessions(Revocation.PASSWORD_RESET), *self.verify_email()]
        return reset + (self.revoke_keys() if ending_keys else [])

    def verify_email(self) -> list[UserEvent]:
        """The address is the person's; nothing if that is known."""
        return [] if self.email_verified else [EmailVerified()]

    def contest_email(self) -> list[UserEvent]:
        """Another account was to be opened with the address; nothing if that is known, or the address is proved."""
        return [] if self.email_verified or self.email_contested else [EmailContested()]

    def change_email(self, email: str, *, email_hash: bytes) -> list[UserEvent]:
        """Have another address, that is proved to be the person's; nothing if it is the one they have."""
        return [] if email_hash == self.email_hash else [EmailChanged(email=email, email_hash=email_hash)]

    def restore_email(self, email: str, *, email_hash: bytes) -> list[UserEvent]:
        """Have the address of before again; nothing if it is the one they have."""
        return [] if email_hash == self.email_hash else [EmailRestored(email=email, email_hash=email_hash)]

    def revoke_sessions(self, reason: Revocation) -> list[UserEvent]:
        """End every session there is, and any that a sign-in on its way may still commit."""
        return [SessionsRevoked(epoch=self.session_epoch + 1, reason=reason)]

    def revoke_keys(self) -> list[UserEvent]:
        """End every API key there is, and any that is being made."""
        return [ApiKeysRevoked(epoch=self.key_epoch + 1)]

    def unlock(self) -> list[UserEvent]:
        """Count the wrong passwords given for it no more; how many there were stands elsewhere."""
        return [AccountUnlocked()]

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
        case NameChanged() | ImageChanged() | LanguageChosen() | AccountUnlocked():
            return state
        case PasswordChanged(password_version=password_version) | PasswordReset(password_version=password_version):
            return replace(state, password_version=password_version)
        case EmailVerified():
            return replace(state, email_verified=True, email_contested=False)
        case EmailContested():
            return replace(state, email_contested=True)
        case EmailChanged(email_hash=email_hash) | EmailRestored(email_hash=email_hash):
            return replace(state, email_hash=email_hash, email_verified=True, email_contested=False)
        case SessionsRevoked(epoch=epoch):
            return replace(state, session_epoch=epoch)
        case ApiKeysRevoked(epoch=epoch):
            return replace(state, key_epoch=epoch)
        case PersonErased(epoch=epoch):
            return replace(state, session_epoch=epoch, closed=True)
        case _:
            assert_never(event)
