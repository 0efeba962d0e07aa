"""Who gives a command, and by what: one type for all there are.

Another way to act, such as a service account, is one more variant of `Principal`: how the log names it,
how its rows are read and what it takes to be fresh are then type errors here until they are said, and so is every
command that was written for a session only (docs/decisions/0040-one-principal.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from domain.api_key import ApiKey
from domain.key_refusals import InvalidKey, NotByKey, ScopeMissing
from domain.refusals import SessionOver
from domain.roles import Permissions
from domain.scopes import permissions_of
from domain.session import Session
from domain.store import Loaded, StreamQuery, Subject
from domain.store.envelope import CommandRecord, WhereFrom
from domain.user import User

from .context import Context
from .queries import the_account, the_key, the_session


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonBySession:
    """A person through one of their sessions; `where_from` is None for where the session is known to be used."""

    user_id: UUID
    session_id: UUID
    at: datetime
    where_from: WhereFrom | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonByKey:
    """A program that acts for a person, by one of their API keys."""

    user_id: UUID
    api_key_id: UUID
    at: datetime
    where_from: WhereFrom


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


Person = PersonBySession | PersonByKey
"""Who may have rights in an organization. Commands that take one of its variants instead are closed to the others."""
Principal = Person | PersonWithoutSession | Somebody | Operator | System
"""Who gives a command, and when."""


def record_of(principal: Principal) -> CommandRecord:
    """A command as the log names who gave it, by what, when and from where: of one append."""
    match principal:
        case PersonBySession(user_id=user_id, session_id=session_id, at=at, where_from=where_from):
            return CommandRecord.by_user(user_id, session_id=session_id, at=at, where_from=where_from)
        case PersonByKey(user_id=user_id, api_key_id=api_key_id, at=at, where_from=where_from):
            return CommandRecord.by_key(user_id, api_key_id=api_key_id, at=at, where_from=where_from)
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

    def reaches(self, _organization_id: UUID) -> bool:
        """Whether they may act in this organization, if they belong to it."""
        return True

    def require_whole(self) -> None:
        """They may do all that the person may."""

    def require_fresh(self, context: Context) -> None:
        """The person must have proved who they are a short while ago (wire.md A3). Raises SessionNotFresh, SessionOver.

        When they did is looked up after the session was read; its row is among the guards of every command, so both are
        of one moment or nothing is written.
        """
        if not context.lifetimes.fresh:
            return
        authenticated_at = context.lookups.authenticated_at(self.session.stream_id)
        if authenticated_at is None:
            raise SessionOver
        context.lifetimes.require_fresh(authenticated_at=authenticated_at, now=self.principal.at)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedByKey:
    """A person and the key by which a program acts for them, as both stand in the log."""

    principal: PersonByKey
    key: Loaded[ApiKey]
    user: Loaded[User]

    @property
    def subject(self) -> Subject:
        """The person's key."""
        assert self.user.subject is not None, "accounts have keys"
        return self.user.subject

    @property
    def at_most(self) -> Permissions | None:
        """What the key's scopes leave of what the person may in organizations; None if all."""
        scopes = self.key.state.scopes
        return None if scopes is None else permissions_of(scopes)

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read: a key that ended can do nothing any more."""
        return [self.key, self.user]

    def reaches(self, organization_id: UUID) -> bool:
        """Whether the key is for this organization too."""
        return self.key.state.organization_id in (None, organization_id)

    def require_whole(self) -> None:
        """The key may do all that the person may. Raises ScopeMissing."""
        if self.key.state.scopes is not None or self.key.state.organization_id is not None:
            raise ScopeMissing

    def require_fresh(self, _context: Context) -> None:
        """A program proves nobody. Raises NotByKey."""
        raise NotByKey


LoadedPerson = LoadedBySession | LoadedByKey
"""Of each variant of `Person`, what commands are decided on: rows, guards, freshness, and what it may at most."""


def load_principal(
    context: Context, principal: Person, *beside: StreamQuery[Any]
) -> tuple[LoadedPerson, list[Loaded[Any] | None]]:
    """Who gives a command, if they still may; and other streams, read with it.

    Raises SessionOver, or of a key InvalidKey, KeyDisabled, KeyExpired.
    """
    match principal:
        case PersonBySession():
            return load_by_session(context, principal, *beside)
        case PersonByKey():
            return load_by_key(context, principal, *beside)
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


def load_by_key(
    context: Context, principal: PersonByKey, *beside: StreamQuery[Any]
) -> tuple[LoadedByKey, list[Loaded[Any] | None]]:
    """For whom a program gives a command by a key that lives; and other streams, read with it.

    Raises InvalidKey, KeyDisabled, KeyExpired.
    """
    key, user, *others = context.store.find(the_key(principal.api_key_id), the_account(principal.user_id), *beside)
    if key is None or user is None or user.state.closed or key.state.user_id != principal.user_id:
        raise InvalidKey
    key.state.require_life(epoch=user.state.key_epoch, now=principal.at)
    return LoadedByKey(principal=principal, key=key, user=user), others
