"""Entries for the tests' logs: commands of Ada, sessions, memberships."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from domain.ids import new_id
from domain.membership import Joining, MemberJoined
from domain.organization import PersonalOrganizationFounded
from domain.roles import Role
from domain.session import SessionStarted, Way
from domain.store import Addition, Store, Subject
from domain.store.envelope import ActorKind, CommandRecord, WhereFrom
from tests.people import ADA, NOON

WEEK = timedelta(days=7)
AT_HOME = WhereFrom("192.0.2.1", "Chrome")


def by_ada(*, at: datetime = NOON, session_id: UUID | None = None) -> CommandRecord:
    """Something Ada does from home."""
    return CommandRecord.by_user(ADA, session_id=session_id or new_id(), at=at, where_from=AT_HOME)


def by_the_system(at: datetime = NOON) -> CommandRecord:
    """Something nobody in particular does."""
    return CommandRecord(command_id=new_id(), at=at, actor_kind=ActorKind.SYSTEM)


def started(token: bytes | None = None, *, user_id: UUID = ADA) -> SessionStarted:
    """A device signs in."""
    token_hash = new_id().bytes * 2 if token is None else token
    return SessionStarted(user_id=user_id, token_hash=token_hash, way=Way.PASSWORD, epoch=0, expires_at=NOON + WEEK)


def joined(organization_id: UUID, user_id: UUID) -> MemberJoined:
    """A person becomes a member."""
    return MemberJoined(organization_id=organization_id, user_id=user_id, role=Role.MEMBER, joining=Joining.FOUNDED)


def founded(slug: str, owner_id: UUID = ADA) -> PersonalOrganizationFounded:
    """A person gets their organization."""
    return PersonalOrganizationFounded(name="Ada's Organization", slug=slug, slug_hash=slug.encode(), owner_id=owner_id)


def a_session(store: Store) -> UUID:
    """A session that was started, without anybody's personal data."""
    session_id = new_id()
    store.append(by_the_system(), None, Addition(session_id, 0, [started()]))
    return session_id


def ada_with_a_session(store: Store) -> tuple[Subject, UUID]:
    """Ada, whose key is stored, and a session of hers."""
    subject, session_id = store.new_subject(ADA), new_id()
    store.append(by_ada(session_id=session_id), subject, Addition(session_id, 0, [started()]))
    return store.subject(ADA), session_id
