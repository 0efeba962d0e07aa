"""journal: who did what to whom, when and through which session; one entry an event, ids only.

What an entry says in words is rendered when it is read (`activity`), so an erased person's name is nowhere to be found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from psycopg import Connection, RawCursor

from domain.events.catalogue import Event
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
)
from domain.membership import MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
from domain.organization import (
    LogoChanged,
    MetadataChanged,
    OrganizationClosed,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)
from domain.session import (
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
)
from domain.store.connections import Values
from domain.store.log import LogEntry, beginnings
from domain.user import ImageChanged, NameChanged, PasswordChanged, SessionsRevoked, SignedUp
from projections.upkeep.follow import Follower

COLUMNS = {
    "position": "bigint",
    "at": "timestamptz",
    "event": "text",
    "stream_id": "uuid",
    "version": "integer",
    "command_id": "uuid",
    "actor_kind": "text",
    "actor_id": "uuid",
    "session_id": "uuid",
    "person_id": "uuid",
    "organization_id": "uuid",
}
_HOLES = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMNS.values(), 1))
_ENTER = f"INSERT INTO journal ({', '.join(COLUMNS)}) SELECT * FROM unnest({_HOLES}) ON CONFLICT DO NOTHING"


class Concerns(NamedTuple):
    """Whose account an event concerns, and which organization's trail it belongs to."""

    person_id: UUID | None
    organization_id: UUID | None


class NoBeginning(LookupError):
    """A stream's first event cannot be read, and so nobody knows whom the later ones concern."""


def concerns(stream_id: UUID, event: Event) -> Concerns | None:
    """Whom an event concerns, None if it says nothing about that: then the same as the first event of its stream."""
    match event:
        case SignedUp():
            return Concerns(stream_id, None)
        case SessionStarted(user_id=user_id):
            return Concerns(user_id, None)
        case PersonalOrganizationFounded(owner_id=owner_id):
            return Concerns(owner_id, stream_id)
        case OrganizationFounded(owner_id=owner_id):
            return Concerns(owner_id, stream_id)
        case OwnerAdded() | OwnerRemoved() | PersonalOrganizationGivenUp():
            # what it means for the person, their membership says in the same commit
            return Concerns(None, stream_id)
        case OrganizationRenamed() | SlugChanged() | LogoChanged() | MetadataChanged() | OrganizationClosed():
            return Concerns(None, stream_id)
        case MemberJoined(user_id=user_id, organization_id=organization_id):
            return Concerns(user_id, organization_id)
        case SeatTaken() | MemberRoleChanged() | MemberLeft() | MemberRemoved():
            return None
        case InvitationSent(organization_id=organization_id):
            return Concerns(None, organization_id)
        case InvitationResent() | InvitationCanceled() | InvitationExpired():
            return None
        case InvitationAccepted() | InvitationRejected():
            return None
        case NameChanged() | ImageChanged() | PasswordChanged() | SessionsRevoked():
            return None
        case SessionRenewed() | SessionReauthenticated() | SessionMoved() | SessionKept():
            return None
        case OrganizationChosen() | SessionEnded():
            return None
        case _:
            assert_never(event)


def rows(
    connection: Connection[Values], entries: Sequence[LogEntry], known: dict[UUID, Concerns] | None = None
) -> Iterator[tuple[Any, ...]]:
    """The journal's rows for entries of the log, in the order of `COLUMNS`. Raises NoBeginning.

    Whom streams concern is kept in `known`, for who reads on.
    """
    said = [concerns(entry.stream_id, entry.event()) for entry in entries]
    first = {} if known is None else known
    first |= {entry.stream_id: one for entry, one in zip(entries, said, strict=True) if entry.version == 1 and one}
    leaning = {entry.stream_id for entry, one in zip(entries, said, strict=True) if one is None} - first.keys()
    if leaning:
        # asked of the events, not of the journal itself, which so is a function of the log and nothing else
        for stream_id, event in beginnings(connection, list(leaning)).items():
            if (one := concerns(stream_id, event)) is not None:
                first[stream_id] = one
    for entry, own in zip(entries, said, strict=True):
        concerned = own or first.get(entry.stream_id)
        if concerned is None:
            raise NoBeginning
        yield (
            entry.position,
            entry.at,
            entry.name,
            entry.stream_id,
            entry.version,
            entry.command_id,
            entry.actor_kind,
            entry.actor_id,
            entry.session_id,
            *concerned,
        )


def take_in(connection: Connection[Values], entries: Sequence[LogEntry]) -> None:
    """Enter these; what is already there stays as it is."""
    columns = list(map(list, zip(*rows(connection, entries), strict=True)))
    with RawCursor(connection) as cursor:
        cursor.execute(_ENTER, columns, prepare=True)


FOLLOWER = Follower("journal", take_in)
