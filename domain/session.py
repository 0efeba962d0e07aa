"""Session: one signed-in device, renewable until it is ended or runs out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .refusals import SessionNotFresh, SessionOver

UNSET: timedelta = timedelta(0)
"""A time of `Lifetimes` that is switched off."""
_READS_MOVE_EVERY = timedelta(hours=1)


class Way(StrEnum):
    """By which way a person proved to be who they are."""

    PASSWORD = "password"  # noqa: S105  the word that is stored, no secret


class EndReason(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"
    CROWDED_OUT = "crowded_out"


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
class SessionReauthenticated:
    """The person proved again who they are: what is sensitive is open to the session for a while."""

    way: Way


@dataclass(frozen=True, kw_only=True)
class SessionMoved:
    """The session was used from another address or browser than before: from where stands on its command."""


@dataclass(frozen=True, kw_only=True)
class SessionKept:
    """All other sessions of the account were ended and this one goes on, in the account's new epoch."""

    epoch: int


@dataclass(frozen=True, kw_only=True)
class OrganizationChosen:
    """The person turned to an organization on this device."""

    organization_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class SessionEnded:
    """The device was signed out, for this reason; by whom stands on the command."""

    reason: EndReason


SessionEvent = (
    SessionStarted
    | SessionRenewed
    | SessionReauthenticated
    | SessionMoved
    | SessionKept
    | OrganizationChosen
    | SessionEnded
)


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How long sessions live: `full` from each renewal, `brief` if not remembered, renewed at most once per `refresh`.

    `fresh` is how long an authentication opens what is sensitive, `longest` how long a session may live in all,
    however much it is used; both may be `UNSET`. wire.md §8: 7 days, 1 day, 1 day, 1 day, unset.
    """

    full: timedelta = timedelta(days=7)
    brief: timedelta = timedelta(days=1)
    refresh: timedelta = timedelta(days=1)
    fresh: timedelta = timedelta(days=1)
    longest: timedelta = UNSET

    def end(self, *, started_at: datetime, expires_at: datetime) -> datetime:
        """When a session is over: at the very instant it runs out, or earlier if it has lived for too long by then."""
        return min(expires_at, started_at + self.longest) if self.longest else expires_at

    def started_after(self, now: datetime) -> datetime | None:
        """When a session must have started to have any life left; None if that does not matter."""
        return now - self.longest if self.longest else None

    def renewed(self, *, started_at: datetime, expires_at: datetime, now: datetime) -> datetime | None:
        """Until when using the session now extends it; None within the refresh window, and where nothing is gained."""
        if now < expires_at - self.full + self.refresh:
            return None
        gained = self.end(started_at=started_at, expires_at=now + self.full)
        return now + self.full if gained > self.end(started_at=started_at, expires_at=expires_at) else None

    def require_fresh(self, *, authenticated_at: datetime, now: datetime) -> None:
        """What is sensitive needs an authentication less than `fresh` ago (wire.md A3). Raises SessionNotFresh."""
        if self.fresh and now - authenticated_at >= self.fresh:
            raise SessionNotFresh


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """From where a session was last seen, since when; and when it started. Personal, so its list knows, not its state.

    Empty texts are unknown, None is erased.
    """

    ip_address: str | None
    user_agent: str | None
    at: datetime
    started_at: datetime

    def moved(self, *, ip_address: str, user_agent: str, reading: bool, now: datetime) -> bool:
        """Whether to record that it is used from another address or browser; one that is unknown is not another.

        A command says so at once, `reading` at most once an hour.
        """
        elsewhere = bool(ip_address) and ip_address != self.ip_address
        other = bool(user_agent) and user_agent != self.user_agent
        return (elsewhere or other) and (not reading or now - self.at >= _READS_MOVE_EVERY)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in device of one person.

    It lives if it has not ended, its epoch is still its account's, and it has not run out. The epoch is compared where
    the account is at hand: in the session check, and again by whoever reads committed state.
    """

    user_id: UUID
    epoch: int
    expires_at: datetime
    organization_id: UUID | None = None
    ended: bool = False

    @staticmethod
    def start(
        *,
        user_id: UUID,
        token_hash: bytes,
        way: Way,
        epoch: int,
        expires_at: datetime,
        organization_id: UUID | None,
    ) -> list[SessionEvent]:
        """Sign a device in, turned to `organization_id`."""
        started = SessionStarted(user_id=user_id, token_hash=token_hash, way=way, epoch=epoch, expires_at=expires_at)
        if organization_id is None:
            return [started]
        return [started, OrganizationChosen(organization_id=organization_id)]

    def use(
        self, *, seen: Seen, moved: bool, extending: bool, lifetimes: Lifetimes, now: datetime
    ) -> list[SessionEvent]:
        """What using the session makes known: that it goes on (if `extending`), that it `moved`. Raises SessionOver.

        Nothing within the refresh window, and from where it was last seen.
        """
        if self.ended or self.over(started_at=seen.started_at, lifetimes=lifetimes, now=now):
            raise SessionOver
        events: list[SessionEvent] = []
        if extending:
            extended = lifetimes.renewed(started_at=seen.started_at, expires_at=self.expires_at, now=now)
            events += [] if extended is None else [SessionRenewed(expires_at=extended)]
        return [*events, SessionMoved()] if moved else events

    def choose(self, organization_id: UUID | None) -> list[SessionEvent]:
        """Turn to an organization, or to none; nothing if it is the same. Raises SessionOver if it was ended."""
        if self.ended:
            raise SessionOver
        chosen = organization_id == self.organization_id
        return [] if chosen else [OrganizationChosen(organization_id=organization_id)]

    def reauthenticate(self, *, way: Way) -> list[SessionEvent]:
        """The person proved again who they are. Asked of a session that lives."""
        return [SessionReauthenticated(way=way)]

    def keep(self, *, epoch: int) -> list[SessionEvent]:
        """Go on in the account's new epoch, in which no other does. Asked of a session that lives."""
        return [SessionKept(epoch=epoch)]

    def end(self, *, reason: EndReason) -> list[SessionEvent]:
        """Sign the device out; nothing if it already is."""
        return [] if self.ended else [SessionEnded(reason=reason)]

    def expire(self, *, started_at: datetime, lifetimes: Lifetimes, now: datetime) -> list[SessionEvent]:
        """Note that the session has run out; nothing if it has not, or was ended before."""
        over = self.over(started_at=started_at, lifetimes=lifetimes, now=now)
        return self.end(reason=EndReason.EXPIRED) if over else []

    def over(self, *, started_at: datetime, lifetimes: Lifetimes, now: datetime) -> bool:
        """Whether the session has run out."""
        return now >= lifetimes.end(started_at=started_at, expires_at=self.expires_at)

    def require_life(self, *, epoch: int, started_at: datetime, lifetimes: Lifetimes, now: datetime) -> None:
        """What a session does beyond being used takes one that lives in the account's `epoch`. Raises SessionOver."""
        if self.ended or self.epoch != epoch or self.over(started_at=started_at, lifetimes=lifetimes, now=now):
            raise SessionOver


def evolve(state: Session | None, event: SessionEvent) -> Session:
    """What the session is after one more event."""
    match event:
        case SessionStarted(user_id=user_id, epoch=epoch, expires_at=expires_at):
            return Session(user_id=user_id, epoch=epoch, expires_at=expires_at)
    assert state is not None, "a session begins with SessionStarted"
    match event:
        case SessionRenewed(expires_at=expires_at):
            return replace(state, expires_at=expires_at)
        case SessionReauthenticated() | SessionMoved():
            return state
        case OrganizationChosen(organization_id=organization_id):
            return replace(state, organization_id=organization_id)
        case SessionKept(epoch=epoch):
            return replace(state, epoch=epoch)
        case SessionEnded():
            return replace(state, ended=True)
        case _:
            assert_never(event)
