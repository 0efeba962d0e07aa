"""Recorded events to stored ones and back: the eventsourcing library's mapper port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import Mapper, Notification, StoredEvent

from domain.events.catalogue import NAME_BY_EVENT
from domain.events.codec import Encoded, decode, decode_as, encode
from domain.events.keys import Keyring

from .envelope import Command, Recorded, Subject


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command as it is stored: its public bytes, and where it came from, sealed for its subject."""

    command_id: UUID
    encoded: Encoded
    subject: Subject | None


@dataclass(frozen=True)
class SealedEvent(StoredEvent):
    """The library's stored event, with what our table has beside its four columns; `state` is the public part.

    `cause` is the command it was read with; one to be written has none, its command is given beside all events.
    """

    sealed: bytes | None
    subject: Subject | None
    command_id: UUID
    cause: StoredCommand | None = None

    def columns(self) -> tuple[Any, ...]:
        """The values of `EVENT_COLUMNS`."""
        place = (self.originator_id, self.originator_version)
        return (*place, self.topic, _subject_id(self.subject), self.command_id, self.state, self.sealed)


@dataclass(frozen=True)
class SealedNotification(SealedEvent, Notification):
    """A stored event with its place in the log: `id` is the position plus one, as the library counts from 1."""


class SealingMapper(Mapper[UUID]):
    """Seals on the way in and opens on the way out. Wrapped keys come with what is mapped, the keyring opens them."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def command_columns(self, command: Command, subject: Subject | None) -> tuple[Any, ...]:
        """The values of `COMMAND_COLUMNS`: copies of what is searched for, the public bytes, the sealed where-from."""
        stored = encode(command, key=self._key(subject), place=command.command_id.bytes)
        return (
            command.command_id,
            command.at,
            command.actor_kind,
            command.actor_id,
            command.session_id,
            command.acting_for,
            _subject_id(subject),
            stored.body,
            stored.sealed,
        )

    def to_stored_event(self, domain_event: Any) -> SealedEvent:
        """A `Recorded`, sealed for its subject."""
        recorded: Recorded = domain_event
        stored = encode(recorded.event, key=self._key(recorded.subject), place=_place(recorded))
        return SealedEvent(
            originator_id=recorded.originator_id,
            originator_version=recorded.originator_version,
            topic=NAME_BY_EVENT[type(recorded.event)],
            state=stored.body,
            sealed=stored.sealed,
            subject=recorded.subject,
            command_id=recorded.command.command_id,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """The `Recorded` that was stored; what was sealed for an erased person reads as None."""
        assert isinstance(stored_event, SealedEvent)
        assert isinstance(stored_event.originator_id, UUID)
        assert stored_event.cause is not None
        return Recorded(
            originator_id=stored_event.originator_id,
            originator_version=stored_event.originator_version,
            event=decode(
                stored_event.topic,
                Encoded(stored_event.state, stored_event.sealed),
                key=self._key(stored_event.subject),
                place=_place(stored_event),
            ),
            command=self._command(stored_event.cause),
            subject=stored_event.subject,
        )

    def _command(self, stored: StoredCommand) -> Command:
        return decode_as(Command, stored.encoded, key=self._key(stored.subject), place=stored.command_id.bytes)

    def _key(self, subject: Subject | None) -> AESGCM | None:
        if subject is None or subject.wrapped is None:
            return None
        return self._keyring.open(subject.subject_id, subject.wrapped)


def _subject_id(subject: Subject | None) -> UUID | None:
    return None if subject is None else subject.subject_id


def _place(event: Recorded | StoredEvent) -> bytes:
    """Where the event stands, as the sealed box is bound to it."""
    assert isinstance(event.originator_id, UUID)
    return event.originator_id.bytes + event.originator_version.to_bytes(4)
