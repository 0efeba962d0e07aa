"""Session: one signed-in device, renewable until it is ended or runs out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .refusals import SessionOver


class Way(StrEnum):
    """By which way a session was signed in."""

    PASSWORD = "password"  # noqa: S105  the word that is stored, no secret


class EndReason(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, kw_only=True)
class SessionStarted:
    """A person signed in on a device. Where from stands on the command that caused it."""

    user_id: UUID
    token_hash: bytes
    way: Way
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionRenewed:
    """The device came back in time and got a fresh lifetime."""

    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrganizationChosen:
    """The person turned to an organization on this device."""

    organization_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class SessionEnded:
    """The device was signed out."""

    reason: EndReason


SessionEvent = SessionStarted | SessionRenewed | OrganizationChosen | SessionEnded


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How long sessions live: `full` from each renewal, `brief` if not remembered, renewed at most once per `refresh`.

    wire.md §8: 7 days, 1 day, 1 day.
    """

    full: timedelta = timedelta(days=7)
    brief: timedelta = timedelta(days=1)
    refresh: timedelta = timedelta(days=1)

    def due(self, *, expires_at: datetime, now: datetime) -> bool:
        """Whether the refresh window has passed since the session that expires then was last extended."""
        return now >= expires_at - self.full + self.refresh


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in device of one person.

    It lives if it has not ended, its epoch is still its account's, and it has not run out. The epoch is compared where
    the account is at hand: in the session check, and again by whoever reads committed state.
    """

    user_id: UUID
    expires_at: datetime
    ended: bool = False

    @staticmethod
    def start(
        *,
        user_id: UUID,
        token_hash: bytes,
        way: Way,
        epoch: int,
        lifetime: timedelta,
        organization_id: UUID | None,
        now: datetime,
    ) -> list[SessionEvent]:
        """Sign a device in, turned to `organization_id`."""
        started = SessionStarted(
            user_id=user_id, token_hash=token_hash, way=way, epoch=epoch, expires_at=now + lifetime
        )
        if organization_id is None:
            return [started]
        return [started, OrganizationChosen(organization_id=organization_id)]

    def renew(self, *, lifetimes: Lifetimes, now: datetime) -> list[SessionEvent]:
        """Extend a session whose refresh window has passed; nothing inside the window. Raises SessionOver."""
        if self.ended or now >= self.expires_at:
            raise SessionOver
        if not lifetimes.due(expires_at=self.expires_at, now=now):
            return []
        return [SessionRenewed(expires_at=now + lifetimes.full)]

    def end(self, *, reason: EndReason) -> list[SessionEvent]:
        """Sign the device out; nothing if it already is."""
        return [] if self.ended else [SessionEnded(reason=reason)]


def evolve(state: Session | None, event: SessionEvent) -> Session:
    """What the session is after one more event."""
    match event:
        case SessionStarted(user_id=user_id, expires_at=expires_at):
            return Session(user_id=user_id, expires_at=expires_at)
    assert state is not None, "a session begins with SessionStarted"
    match event:
        case SessionRenewed(expires_at=expires_at):
            return replace(state, expires_at=expires_at)
        case OrganizationChosen():
            return state
        case SessionEnded():
            return replace(state, ended=True)
        case _:
            assert_never(event)
