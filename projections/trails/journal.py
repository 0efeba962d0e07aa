"""journal: who did what to whom, when and through which session; one entry an event, ids and versions only.

What an entry says in words is rendered when it is read (`narrator`), so an erased person's name is nowhere to be found.
With whom and what it names stands how far their streams had come, so that a later name cannot rewrite it
(docs/decisions/0022-names-as-they-were.md). What says nothing to anybody is no entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection, RawCursor

from domain.api_key import ApiKeyMade
from domain.events.catalogue import NAME_BY_EVENT, Event
from domain.invitation import InvitationSent
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    PasswordResetRequested,
    SignUpAttempted,
)
from domain.membership import MemberJoined
from domain.organization import (
    OrganizationErased,
    OrganizationEvent,
    OrganizationFounded,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
)
from domain.session import OrganizationChosen, SessionRenewed, SessionStarted
from domain.store.connections import Values
from domain.store.log import BEFORE_THE_FIRST, LogEntry, beginnings
from domain.user import SignedUp

from .follower import Follower

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
    "actor_version": "integer",
    "person_version": "integer",
    "organization_version": "integer",
    "api_key_id": "uuid",
    "api_key_version": "integer",
}
_HOLES = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMNS.values(), 1))
_RENEWED, _CHOSEN = NAME_BY_EVENT[SessionRenewed], NAME_BY_EVENT[OrganizationChosen]
_VERSIONS = """
SELECT named.id, (SELECT version FROM log WHERE stream_id = named.id AND position < $2::bigint
                   ORDER BY version DESC LIMIT 1)
  FROM unnest($1::uuid[]) AS named (id)
"""
_ENTER = f"INSERT INTO journal ({', '.join(COLUMNS)}) SELECT * FROM unnest({_HOLES}) ON CONFLICT DO NOTHING"


class Concerns(NamedTuple):
    """Whose account an event concerns, and which organization's trail it belongs to."""

    person_id: UUID | None
    organization_id: UUID | None


class Known:
    """What reading on from entry to entry makes known: whom streams concern, and how far streams of names had come.

    The versions hold just before the position `next`, since a reader may leave some of the log out.
    """

    def __init__(self) -> None:
        self.concerns: dict[UUID, Concerns] = {}
        self.versions: dict[UUID, int | None] = {}
        self.next = BEFORE_THE_FIRST

    def forget(self) -> None:
        """Begin anew, at whatever position."""
        self.concerns.clear()
        self.versions.clear()
        self.next = BEFORE_THE_FIRST

    def __len__(self) -> int:
        return len(self.concerns) + len(self.versions)


class NoBeginning(LookupError):
    """A stream's first event cannot be read, and so nobody knows whom the later ones concern."""


def concerns(stream_id: UUID, event: Event) -> Concerns | None:
    """Whom an event concerns, None if it says nothing about that: then the same as the first event of its stream.

    What else happens to an organization than who founds or owns it is in its trail, and concerns nobody's account.
    """
    match event:
        case SignedUp():
            return Concerns(stream_id, None)
        case SessionStarted(user_id=user_id):
            return Concerns(user_id, None)
        case PasswordResetRequested(user_id=user_id) | EmailVerificationRequested(user_id=user_id):
            return Concerns(user_id, None)
        case EmailChangeRequested(user_id=user_id) | EmailChangeUndoOffered(user_id=user_id):
            return Concerns(user_id, None)
        case SignUpAttempted(user_id=user_id) | AccountDeletionRequested(user_id=user_id):
            return Concerns(user_id, None)
        case PersonalOrganizationFounded(owner_id=owner_id) | OrganizationFounded(owner_id=owner_id):
            return Concerns(owner_id, stream_id)
        case OwnerAdded(user_id=user_id) | OwnerRemoved(user_id=user_id) | PersonalOrganizationGivenUp(user_id=user_id):
            return Concerns(user_id, stream_id)
        case OrganizationErased(user_id=user_id):
            return Concerns(user_id, stream_id)
        case MemberJoined(user_id=user_id, organization_id=organization_id):
            return Concerns(user_id, organization_id)
        case ApiKeyMade(user_id=user_id, organization_id=organization_id):
            # one that is for one organization only is known there
            return Concerns(user_id, organization_id)
        case InvitationSent(organization_id=organization_id, recipient_id=recipient_id):
            return Concerns(recipient_id, organization_id)
    return Concerns(None, stream_id) if isinstance(event, OrganizationEvent) else None


def rows(
    connection: Connection[Values], entries: Sequence[LogEntry], known: Known | None = None
) -> Iterator[tuple[Any, ...]]:
    """The journal's rows for entries of the log, in the order of `COLUMNS`; none for what is no entry.

    Raises NoBeginning. What reading made known is kept in `known`, for who reads on.
    """
    known = Known() if known is None else known
    for run in _runs(entries):
        said = [None if _says_nothing(one) else one.event() for one in run]
        _learn_concerns(connection, run, said, known)
        _learn_versions(connection, run, said, known)
        for entry, event in zip(run, said, strict=True):
            if entry.stream_id in known.versions:
                known.versions[entry.stream_id] = entry.version
            known.next = entry.position + 1
            if event is not None:
                yield _row(entry, event, known)


def _says_nothing(entry: LogEntry) -> bool:
    """A renewal tells nobody anything, and the organization that a session begins in is part of its beginning."""
    return entry.name == _RENEWED or (entry.name == _CHOSEN and entry.version == 2)


def _row(entry: LogEntry, event: Any, known: Known) -> tuple[Any, ...]:
    person_id, organization_id = _concerns(entry, event, known)
    named = _named(event, organization_id)
    return (
        entry.position,
        entry.at,
        entry.name,
        entry.stream_id,
        entry.version,
        entry.command_id,
        entry.actor_kind,
        entry.actor_id,
        entry.session_id,
        person_id,
        organization_id,
        *(None if one is None else known.versions[one] for one in (entry.actor_id, person_id, named)),
        entry.api_key_id,
        None if entry.api_key_id is None else known.versions[entry.api_key_id],
    )


def _runs(entries: Sequence[LogEntry]) -> Iterator[list[LogEntry]]:
    """Entries whose positions follow one another without a gap."""
    for _, run in groupby(enumerate(entries), key=lambda pair: pair[1].position - pair[0]):
        yield [entry for _, entry in run]


def _concerns(entry: LogEntry, event: Any, known: Known) -> Concerns:
    own = concerns(entry.stream_id, event) or known.concerns.get(entry.stream_id)
    if own is None:
        raise NoBeginning
    return own


def _named(event: Any, organization_id: UUID | None) -> UUID | None:
    """The organization that an entry names, also where it is not in that organization's trail."""
    return event.organization_id if isinstance(event, OrganizationChosen) else organization_id


def _learn_concerns(connection: Connection[Values], run: Sequence[LogEntry], said: Sequence[Any], known: Known) -> None:
    """Whom the streams of these concern, where later events do not say so: asked of each stream's first event.

    Not of the journal itself, which so is a function of the log and nothing else.
    """
    leaning = set()
    for entry, event in zip(run, said, strict=True):
        own = None if event is None else concerns(entry.stream_id, event)
        if own is not None and entry.version == 1:
            known.concerns[entry.stream_id] = own
        elif own is None and event is not None and entry.stream_id not in known.concerns:
            leaning.add(entry.stream_id)
    for stream_id, event in beginnings(connection, list(leaning)).items() if leaning else ():
        if (one := concerns(stream_id, event)) is not None:
            known.concerns[stream_id] = one


def _learn_versions(connection: Connection[Values], run: Sequence[LogEntry], said: Sequence[Any], known: Known) -> None:
    """How far the streams of those whom these name had come before the first of them."""
    if known.next != run[0].position:
        known.versions.clear()
    named = set[UUID | None]()
    for entry, event in zip(run, said, strict=True):
        if event is not None:
            person_id, organization_id = _concerns(entry, event, known)
            named |= {entry.actor_id, person_id, _named(event, organization_id), entry.api_key_id}
    unknown = [one for one in named if one is not None and one not in known.versions]
    if unknown:
        with RawCursor(connection) as cursor:
            known.versions |= dict(
                cursor.execute(_VERSIONS, (unknown, run[0].position), prepare=True, binary=True).fetchall()
            )


def apply(connection: Connection[Values], entries: Sequence[LogEntry]) -> None:
    """Enter these; what is already there stays as it is."""
    columns = list(map(list, zip(*rows(connection, entries), strict=True)))
    if not columns:
        return
    with RawCursor(connection) as cursor:
        cursor.execute(_ENTER, columns, prepare=True)


FOLLOWER = Follower("journal", apply)
