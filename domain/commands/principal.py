"""The session through which a person acts, and their account, as they stand in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.refusals import SessionOver
from domain.session import Session
from domain.store import Loaded, StreamQuery, Subject
from domain.store.envelope import CommandRecord
from domain.user import User

from .context import Context
from .queries import the_account, the_session


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who gives a command: the session it came through and their account, as both stand in the log."""

    session: Loaded[Session]
    user: Loaded[User]

    @property
    def subject(self) -> Subject:
        """Their key."""
        assert self.user.subject is not None, "accounts have keys"
        return self.user.subject

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read: a revoked session can do nothing any more."""
        return [self.session, self.user]


def load_principal(
    context: Context, command: CommandRecord, *beside: StreamQuery[Any]
) -> tuple[Principal, list[Loaded[Any] | None]]:
    """Who gives a command through a session that lives; and other streams, read with it. Raises SessionOver."""
    user_id, session_id = actor(command), through(command)
    session, user, *others = context.store.find(the_session(session_id), the_account(user_id), *beside)
    if session is None or user is None or session.state.user_id != user_id:
        raise SessionOver
    # when it started matters only where there is a longest life
    seen = context.lookups.last_seen(session_id) if context.lifetimes.longest else None
    session.state.require_life(
        epoch=user.state.session_epoch,
        started_at=command.at if seen is None else seen.started_at,
        lifetimes=context.lifetimes,
        now=command.at,
    )
    return Principal(session=session, user=user), others


def actor(command: CommandRecord) -> UUID:
    """The person who gave a command."""
    assert command.actor_id is not None, "given by a person"
    return command.actor_id


def through(command: CommandRecord) -> UUID:
    """The session through which a person gave a command."""
    assert command.session_id is not None, "given through a session"
    return command.session_id
