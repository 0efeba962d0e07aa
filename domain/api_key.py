"""ApiKey: a secret by which a program acts as a person, within what the person allowed it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .key_refusals import InvalidKey, KeyDisabled, KeyExpired, KeyRotated
from .personal import Personal
from .scopes import Scopes

_USES_RECORDED_EVERY = timedelta(minutes=15)


class KeyEnd(StrEnum):
    """Why a key ended."""

    DELETED = "deleted"
    REPORTED = "reported"


@dataclass(frozen=True, kw_only=True)
class ApiKeyMade:
    """A person made a key for a program. Of its secret only the hash is kept, and `start`, by which it is told from
    others.

    `scopes` are what it may do of what they may, None if all; `organization_id` the only organization it reaches, None
    if it reaches all of theirs. It takes the place of the key `instead_of`, if that is still good for a while.
    """

    user_id: UUID
    epoch: int
    key_hash: bytes
    start: Personal
    prefix: Personal
    name: Personal
    metadata: Personal
    scopes: Scopes | None = None
    organization_id: UUID | None = None
    expires_at: datetime | None = None
    instead_of: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ApiKeyRenamed:
    """A key goes by another name."""

    name: Personal


@dataclass(frozen=True, kw_only=True)
class ApiKeyMetadataChanged:
    """What is noted of a key (JSON text) is something else, or nothing."""

    metadata: Personal


@dataclass(frozen=True, kw_only=True)
class ApiKeyEnabled:
    """A key lets in again."""


@dataclass(frozen=True, kw_only=True)
class ApiKeyDisabled:
    """A key lets nobody in until it is enabled."""


@dataclass(frozen=True, kw_only=True)
class ApiKeyLifetimeChanged:
    """A key is good until another moment, or for ever."""

    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ApiKeyRotated:
    """Another key took this one's place. Until then it is good still, so that programs can be given the new one."""

    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApiKeyUsed:
    """A key was used for the first time, or from another address or by another program than was known; its command says
    from where. Told once in a quarter of an hour at most.
    """


@dataclass(frozen=True, kw_only=True)
class ApiKeyEnded:
    """A key opens nothing any more, for this reason; by whom stands on the command."""

    reason: KeyEnd


ApiKeyEvent = (
    ApiKeyMade
    | ApiKeyRenamed
    | ApiKeyMetadataChanged
    | ApiKeyEnabled
    | ApiKeyDisabled
    | ApiKeyLifetimeChanged
    | ApiKeyRotated
    | ApiKeyUsed
    | ApiKeyEnded
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeySeen:
    """From where a key was last known to be used, and when that was recorded; None if it never was, or is erased."""

    ip_address: str | None
    user_agent: str | None
    at: datetime | None

    def news(self, *, ip_address: str, user_agent: str, now: datetime) -> bool:
        """Whether a use from there is worth recording: the first, or one from elsewhere a while after the last."""
        if self.at is None:
            return True
        elsewhere = (bool(ip_address) and ip_address != self.ip_address) or (
            bool(user_agent) and user_agent != self.user_agent
        )
        return elsewhere and now - self.at >= _USES_RECORDED_EVERY


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key. It lives if it has not ended, is enabled, has not run out, and its epoch is still its owner's."""

    user_id: UUID
    epoch: int
    scopes: Scopes | None = None
    organization_id: UUID | None = None
    expires_at: datetime | None = None
    enabled: bool = True
    rotated: bool = False
    ended: bool = False

    def rename(self, name: str, *, before: str | None) -> list[ApiKeyEvent]:
        """Go by another name; nothing if it is the one `before`."""
        return [] if name == before else [ApiKeyRenamed(name=name)]

    def annotate(self, metadata: str | None, *, before: str | None) -> list[ApiKeyEvent]:
        """Note something else of it; nothing if that is what is noted `before`."""
        return [] if metadata == before else [ApiKeyMetadataChanged(metadata=metadata)]

    def enable(self) -> list[ApiKeyEvent]:
        """Let in again; nothing if it does."""
        return [] if self.enabled else [ApiKeyEnabled()]

    def disable(self) -> list[ApiKeyEvent]:
        """Let nobody in; nothing if it does not."""
        return [ApiKeyDisabled()] if self.enabled else []

    def limit(self, expires_at: datetime | None) -> list[ApiKeyEvent]:
        """Be good until then, None for ever; nothing if it is."""
        return [] if expires_at == self.expires_at else [ApiKeyLifetimeChanged(expires_at=expires_at)]

    def rotate(self, *, until: datetime) -> list[ApiKeyEvent]:
        """Leave its place to another; good until then, or until it ends anyway. Raises KeyRotated if it did."""
        if self.rotated:
            raise KeyRotated
        return [ApiKeyRotated(expires_at=until if self.expires_at is None else min(until, self.expires_at))]

    def use(self, *, seen: KeySeen, ip_address: str, user_agent: str, now: datetime) -> list[ApiKeyEvent]:
        """What using it makes known; mostly nothing."""
        return [ApiKeyUsed()] if seen.news(ip_address=ip_address, user_agent=user_agent, now=now) else []

    def end(self, *, reason: KeyEnd) -> list[ApiKeyEvent]:
        """Open nothing any more; nothing if it does not."""
        return [] if self.ended else [ApiKeyEnded(reason=reason)]

    def require_life(self, *, epoch: int, now: datetime) -> None:
        """It lets in, in its owner's `epoch`. Raises InvalidKey, KeyDisabled, KeyExpired, in this order."""
        lives = not self.ended and self.epoch == epoch
        require_open(lives=lives, enabled=self.enabled, expires_at=self.expires_at, now=now)


def require_open(*, lives: bool, enabled: bool, expires_at: datetime | None, now: datetime) -> None:
    """A key that is so lets in; it `lives` in its owner's epoch. Raises InvalidKey, KeyDisabled, KeyExpired, in this
    order.
    """
    if not lives:
        raise InvalidKey
    if not enabled:
        raise KeyDisabled
    if expires_at is not None and now >= expires_at:
        raise KeyExpired


def evolve(state: ApiKey | None, event: ApiKeyEvent) -> ApiKey:
    """What the key is after one more event."""
    match event:
        case ApiKeyMade() as made:
            return ApiKey(
                user_id=made.user_id,
                epoch=made.epoch,
                scopes=made.scopes,
                organization_id=made.organization_id,
                expires_at=made.expires_at,
            )
    assert state is not None, "a key begins with ApiKeyMade"
    match event:
        case ApiKeyRenamed() | ApiKeyMetadataChanged() | ApiKeyUsed():
            return state
        case ApiKeyEnabled():
            return replace(state, enabled=True)
        case ApiKeyDisabled():
            return replace(state, enabled=False)
        case ApiKeyLifetimeChanged(expires_at=expires_at):
            return replace(state, expires_at=expires_at)
        case ApiKeyRotated(expires_at=expires_at):
            return replace(state, expires_at=expires_at, rotated=True)
        case ApiKeyEnded():
            return replace(state, ended=True)
        case _:
            assert_never(event)
