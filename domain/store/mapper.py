"""Recorded events to stored ones and back: the eventsourcing library's mapper port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import Mapper, Notification, StoredEvent

from domain.events.catalogue import NAME_BY_EVENT
from domain.events.codec import (
    Encoded,
    commitment_in,
    commitment_to,
    decode,
    decode_as,
    encode,
    personal_content,
    personal_part,
)
from domain.events.keys import Keyring

from .envelope import ActorKind, CommandRecord, Recorded, Subject

_ID = "command_id"
"""Stands in a column of its own, not again in the body, but in bodies of the first release."""
_ACTOR_KINDS = {str(kind): kind for kind in ActorKind}


class CommitmentCheck(StrEnum):
    """What a commitment says: who has salt and bytes can check them, once the key is gone nobody can."""

    HOLDS = "holds"
    BROKEN = "broken"
    KEY_GONE = "key gone"
    NOTHING_SEALED = "nothing sealed"


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


class StoredRow(NamedTuple):
    """An event and its command as stored, with the keys they are sealed with.

    `key_lost` if the key of something sealed is gone, though no erasure destroyed it.
    """

    stream_id: UUID
    version: int
    name: str
    body: bytes
    sealed: bytes | None
    subject_id: UUID | None
    wrapped: bytes | None
    command_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None
    command_body: bytes
    command_sealed: bytes | None
    command_subject_id: UUID | None
    command_wrapped: bytes | None
    key_lost: bool


class SealingMapper(Mapper[UUID]):
    """Seals on the way in and opens on the way out. Wrapped keys come with what is mapped, the keyring opens them."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def command_columns(self, command: CommandRecord, subject: Subject | None) -> tuple[Any, ...]:
        """The values of `COMMAND_COLUMNS`: copies of what is searched for, the public bytes, the sealed where-from."""
        stored = encode(command, key=self._key(subject), associated_data=command.command_id.bytes, without=_ID)
        return (
            command.command_id,
            command.at,
            command.actor_kind,
            command.actor_id,
            command.session_id,
            command.api_key_id,
            command.acting_for,
            _subject_id(subject),
            stored.body,
            stored.sealed,
        )

    def to_stored_event(self, domain_event: Any) -> SealedEvent:
        """A `Recorded`, sealed for its subject."""
        recorded: Recorded = domain_event
        stored = encode(
            recorded.event,
            key=self._key(recorded.subject),
            associated_data=_stands_at(recorded),
            beside=recorded.command.command_id.bytes,
        )
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
                associated_data=_stands_at(stored_event),
                beside=stored_event.command_id.bytes,
            ),
            command=self.command(stored_event.cause),
            subject=stored_event.subject,
        )

    def recorded(self, row: StoredRow) -> Recorded:
        """As `to_domain_event`, from the values themselves, for whoever reads many.

        The command is made of the copies in its columns; where it came from is opened if the key is given.
        """
        subject_id, wrapped, sealed, command_id = row.subject_id, row.wrapped, row.sealed, row.command_id
        subject = None if subject_id is None else Subject(subject_id, wrapped)
        key = None if wrapped is None or sealed is None else self.keyring.open(subject_id, wrapped)  # type: ignore[arg-type]
        associated_data = b"" if key is None else associated_data_of(row.stream_id, row.version)
        where_from: dict[str, Any] = {}
        if row.command_wrapped is not None and row.command_sealed is not None:
            stored = Encoded(row.command_body, row.command_sealed)
            where_from = self._where_from(stored, command_id, row.command_subject_id, row.command_wrapped)
        command = CommandRecord(
            command_id=command_id,
            at=row.at,
            actor_kind=_ACTOR_KINDS[row.actor_kind],
            actor_id=row.actor_id,
            session_id=row.session_id,
            api_key_id=row.api_key_id,
            **where_from,
        )
        event = decode(
            row.name, Encoded(row.body, sealed), key=key, associated_data=associated_data, beside=command_id.bytes
        )
        return Recorded(row.stream_id, row.version, event, command, subject)

    def commitment_check(
        self,
        encoded: Encoded,
        subject: Subject | None,
        associated_data: bytes,
        *,
        name: str = "",
        command_id: UUID | None = None,
    ) -> CommitmentCheck:
        """What the commitment in a public part says of the sealed one. Raises InvalidTag if the box was tampered with.

        `associated_data` is where it stands: of an event stream and version (`associated_data_of`), with its stored
        `name` and its command's id; of a command its id alone.
        """
        committed, key = commitment_in(encoded), self._key(subject)
        if committed is None and encoded.sealed is None:
            return CommitmentCheck.NOTHING_SEALED
        if committed is None or encoded.sealed is None:
            return CommitmentCheck.BROKEN
        content = personal_content(
            encoded,
            key=key,
            associated_data=associated_data,
            name=name,
            beside=b"" if command_id is None else command_id.bytes,
        )
        if content is None:
            return CommitmentCheck.KEY_GONE
        return CommitmentCheck.HOLDS if compare_digest(committed, commitment_to(content)) else CommitmentCheck.BROKEN

    def command(self, stored: StoredCommand) -> CommandRecord:
        """The command that was stored. Raises msgspec.DecodeError or InvalidTag."""
        return decode_as(
            CommandRecord,
            stored.encoded,
            key=self._key(stored.subject),
            associated_data=stored.command_id.bytes,
            **{_ID: stored.command_id},
        )

    def _where_from(self, stored: Encoded, command_id: UUID, subject_id: UUID | None, wrapped: bytes) -> dict[str, Any]:
        assert subject_id is not None, "what is sealed is sealed for somebody"
        content = personal_content(
            stored,
            key=self.keyring.open(subject_id, wrapped),
            associated_data=command_id.bytes,
            name="",
        )
        return {} if content is None else personal_part(content)

    def _key(self, subject: Subject | None) -> AESGCM | None:
        if subject is None or subject.wrapped is None:
            return None
        return self.keyring.open(subject.subject_id, subject.wrapped)


def _subject_id(subject: Subject | None) -> UUID | None:
    return None if subject is None else subject.subject_id


def associated_data_of(stream_id: UUID, version: int) -> bytes:
    """Where an event stands, as its sealed box is bound to it."""
    return stream_id.bytes + version.to_bytes(4)


def _stands_at(event: Recorded | StoredEvent) -> bytes:
    assert isinstance(event.originator_id, UUID)
    return associated_data_of(event.originator_id, event.originator_version)
