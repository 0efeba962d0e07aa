"""Who gives a command, and by what: one type for all there are.

Another way to act, such as an API key or a service account, is one more variant of `Principal`: how the log names it,
how its rows are read and what it takes to be fresh are then type errors here until they are said, and so is every
command that was written for a session only (docs/decisions/0040-one-principal.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from domain.refusals import SessionOver
from domain.roles import Permissions
from domain.session import Session
from domain.store import Loaded, StreamQuery, Subject
from domain.store.envelope import CommandRecord, WhereFrom
from domain.user import User

from .context import Context
from .queries import the_account, the_session


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonBySession:
    """A person through one of their sessions; `where_from` is None for where the session is known to be used."""

    user_id: UUID
    session_id: UUID
    at: datetime
    where_from: WhereFrom | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonWithoutSession:
    """A person by a link that went to their address and nowhere else, or who opens an account that lets nobody in."""

    user_id: UUID
    at: datetime
    where_from: WhereFrom


@dataclass(frozen=True, kw_only=True, slots=True)
class Somebody:
    """Anybody: who asks for a link that goes to whoever has an address need not be that person."""

    at: datetime
    where_from: WhereFrom


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """Whoever runs the service, at the command line."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """Nobody: what happens by itself, such as the end of something that has run out."""

    at: datetime


Person = PersonBySession
"""Who may have rights in an organization. Commands that take one of its variants instead are closed to the others."""
Principal = Person | PersonWithoutSession | Somebody | Operator | System
"""Who gives a command, and when."""


def record_of(principal: Principal) -> CommandRecord:
    """A command as the log names who gave it, by what, when and from where: of one append."""
    match principal:
        case PersonBySession(user_id=user_id, session_id=session_id, at=at, where_from=where_from):
            return CommandRecord.by_user(user_id, session_id=session_id, at=at, where_from=where_from)
        case PersonWithoutSession(user_id=user_id, at=at, where_from=where_from):
            return CommandRecord.by_user(user_id, session_id=None, at=at, where_from=where_from)
        case Somebody(at=at, where_from=where_from):
            return CommandRecord.by_somebody(at=at, where_from=where_from)
        case Operator(at=at):
            return CommandRecord.by_operator(at=at)
        case System(at=at):
            return CommandRecord.by_system(at=at)
        case _:
            assert_never(principal)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedBySession:
    """A person and the session they act through, as both stand in the log.

    `at_most` narrows what they may in organizations: None if it is all that their roles allow.
    """

    principal: PersonBySession
    session: Loaded[Session]
    user: Loaded[User]
    at_most: Permissions | None = None

    @property
    def subject(self) -> Subject:
        """The person's key."""
        assert self.user.subject is not None, "accounts have keys"
        return self.user.subject

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read: a revoked session can do nothing any more."""
        return [self.session, self.user]

    def require_fresh(self, context: Context) -> None:
        """The person must have proved who they are a short while ago (wire.md A3). Raises SessionNotFresh, SessionOver.

        When they did is looked up after the session was read; its row is among the guards of every command, so both are
        of one moment or nothing is written.
        """
        authenticated_at = context.lookups.authenticated_at(self.session.stream_id)
        if authenticated_at is None:
            raise SessionOver
        context.lifetimes.require_fresh(authenticated_at=authenticated_at, now=self.principal.at)


LoadedPerson = LoadedBySession
"""Of each variant of `Person`, what commands are decided on: rows, guards, freshness, and what it may at most."""


def load_principal(
    context: Context, principal: Person, *beside: StreamQuery[Any]
) -> tuple[LoadedPerson, list[Loaded[Any] | None]]:
    """Who gives a command, if they still may; and other streams, read with it. Raises SessionOver."""
    match principal:
        case PersonBySession():
            return load_by_session(context, principal, *beside)
        case _:
            assert_never(principal)


def load_by_session(
    context: Context, principal: PersonBySession, *beside: StreamQuery[Any]
) -> tuple[LoadedBySession, list[Loaded[Any] | None]]:
    """Who gives a command through a session that lives; and other streams, read with it. Raises SessionOver."""
    session, user, *others = context.store.find(
        the_session(principal.session_id), the_account(principal.user_id), *beside
    )
    if session is None or user is None or session.state.user_id != principal.user_id:
        raise SessionOver
    # when it started matters only where there is a longest life
    seen = context.lookups.last_seen(principal.session_id) if context.lifetimes.longest else None
    session.state.require_life(
        epoch=user.state.session_epoch,
        started_at=principal.at if seen is None else seen.started_at,
        lifetimes=context.lifetimes,
        now=principal.at,
    )
    return LoadedBySession(principal=principal, session=session, user=user), others
