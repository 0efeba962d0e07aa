"""The session through which a person acts, and their account, as they stand in the book."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.events.catalogue import SESSION, USER
from domain.refusals import SessionOver
from domain.session import Session
from domain.store import Loaded
from domain.store.envelope import Command
from domain.user import User

from .context import Context


def acting(context: Context, session_id: UUID, *, now: datetime) -> tuple[Loaded[Session], Loaded[User]]:
    """A session that lives, and its account. Raises SessionOver: a revoked one can do nothing any more.

    What is appended guards or changes both, so that they still stand as they were read here.
    """
    session = context.store.load(SESSION, session_id)
    user = context.store.load(USER, session.state.user_id)
    seen = context.lookups.last_seen(session_id)
    if seen is None:
        raise SessionOver
    session.state.require_life(
        epoch=user.state.session_epoch, started_at=seen.started_at, lifetimes=context.lifetimes, now=now
    )
    return session, user


def actor(command: Command) -> UUID:
    """The person who gave a command."""
    assert command.actor_id is not None, "given by a person"
    return command.actor_id


def through(command: Command) -> UUID:
    """The session through which a person gave a command."""
    assert command.session_id is not None, "given through a session"
    return command.session_id
