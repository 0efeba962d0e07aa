"""What surrounds an event: the command that caused it, the place it stands in, whose personal data it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.events.catalogue import Event
from domain.ids import new_id
from domain.personal import Personal


class ActorKind(StrEnum):
    """Who may cause events."""

    USER = "user"
    SYSTEM = "system"
    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class WhereFrom:
    """The address and the browser a request came from, as the wire shows them (wire.md §6); empty if unknown."""

    ip_address: str
    user_agent: str


@dataclass(frozen=True, kw_only=True)
class CommandRecord:
    """Who did it, when, through which session or by which API key, and from where: once for all events of one append.

    `at` is the one clock of the append, in whole milliseconds. Where from is sealed under the key of the actor, like
    any personal field.
    """

    command_id: UUID
    at: datetime
    actor_kind: ActorKind
    actor_id: UUID | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    acting_for: UUID | None = None
    ip_address: Personal = None
    user_agent: Personal = None

    @staticmethod
    def by_user(user_id: UUID, *, session_id: UUID | None, at: datetime, where_from: WhereFrom | None) -> CommandRecord:
        """What a person does through one of their sessions; from where it is known to be used, without `where_from`.

        Without a session by what was sent to them.
        """
        return CommandRecord(
            command_id=new_id(),
            at=at,
            actor_kind=ActorKind.USER,
            actor_id=user_id,
            session_id=session_id,
            ip_address=None if where_from is None else where_from.ip_address,
            user_agent=None if where_from is None else where_from.user_agent,
        )

    @staticmethod
    def by_key(user_id: UUID, *, api_key_id: UUID, at: datetime, where_from: WhereFrom) -> CommandRecord:
        """What a program does for a person, by one of their keys."""
        return CommandRecord(
            command_id=new_id(),
            at=at,
            actor_kind=ActorKind.USER,
            actor_id=user_id,
            api_key_id=api_key_id,
            ip_address=where_from.ip_address,
            user_agent=where_from.user_agent,
        )

    @staticmethod
    def by_somebody(*, at: datetime, where_from: WhereFrom) -> CommandRecord:
        """What anybody may do who does not say who they are."""
        return CommandRecord(
            command_id=new_id(),
            at=at,
            actor_kind=ActorKind.USER,
            ip_address=where_from.ip_address,
            user_agent=where_from.user_agent,
        )

    @staticmethod
    def by_operator(*, at: datetime) -> CommandRecord:
        """What is done at the command line by whoever runs the service."""
        return CommandRecord(command_id=new_id(), at=at, actor_kind=ActorKind.OPERATOR)

    @staticmethod
    def by_system(*, at: datetime) -> CommandRecord:
        """What happens by itself, such as the end of something that has run out."""
        return CommandRecord(command_id=new_id(), at=at, actor_kind=ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose personal data it is. `wrapped` is their key as stored, None once destroyed; `new` if not yet stored.

    `person_id` is whose it is; looked at only of a new one of which no event says so. `lost` if something is sealed
    with a key that stands nowhere: no erasure takes the row away.
    """

    subject_id: UUID
    wrapped: bytes | None
    person_id: UUID | None = None
    new: bool = False
    lost: bool = False


class Recorded(NamedTuple):
    """An event in its place. `originator_…` are the eventsourcing library's words for stream and version."""

    originator_id: UUID
    originator_version: int
    event: Event
    command: CommandRecord
    subject: Subject | None

    @property
    def stream_id(self) -> UUID:
        """The stream the event belongs to."""
        return self.originator_id

    @property
    def version(self) -> int:
        """Where in its stream the event stands, from 1."""
        return self.originator_version

    @property
    def at(self) -> datetime:
        """When the command that caused it was given."""
        return self.command.at
