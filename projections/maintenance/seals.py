"""Whether what was sealed opens, and is what it was when it was written: events and commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection, RawCursor

from domain.events.catalogue import EVENT_BY_NAME, NAME_BY_EVENT
from domain.events.codec import Encoded, personal_fields
from domain.invitation import InvitationSent
from domain.mailed_link import EmailChangeRequested, EmailChangeUndoOffered
from domain.organization import OrganizationFounded, OrganizationRenamed, PersonalOrganizationFounded, SlugChanged
from domain.store.connections import Values
from domain.store.envelope import Subject
from domain.store.mapper import CommitmentCheck, SealingMapper, StoredCommand, associated_data_of
from domain.store.select_list import SelectList
from domain.store.streams import FIRST, UNREADABLE, Stream
from domain.user import EmailChanged, EmailRestored, NameChanged, SignedUp

from .finding import Finding, Violations


class Copies(NamedTuple):
    """What of a command stands in columns of its own too."""

    command_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None
    acting_for: UUID | None


class CommandRow(NamedTuple):
    """A command as stored, with the key it is sealed with."""

    body: bytes
    sealed: bytes | None
    subject_id: UUID | None
    wrapped: bytes | None
    copies: Copies


_COMMAND = SelectList(
    CommandRow,
    body="c.body",
    sealed="c.sealed",
    subject_id="c.subject_id",
    wrapped="k.wrapped",
    copies=SelectList(
        Copies,
        command_id="c.command_id",
        at="c.at",
        actor_kind="c.actor_kind",
        actor_id="c.actor_id",
        session_id="c.session_id",
        api_key_id="c.api_key_id",
        acting_for="c.acting_for",
    ),
)
_COMMANDS = f"""
SELECT {_COMMAND.sql}
  FROM commands c LEFT JOIN subject_keys k USING (subject_id)
 WHERE c.command_id > $1 ORDER BY c.command_id LIMIT $2
"""
_CHUNK = 5_000
_ALWAYS_PERSONAL = {
    NAME_BY_EVENT[event]
    for event in (
        SignedUp,
        NameChanged,
        InvitationSent,
        PersonalOrganizationFounded,
        OrganizationFounded,
        OrganizationRenamed,
        SlugChanged,
        EmailChanged,
        EmailRestored,
        EmailChangeRequested,
        EmailChangeUndoOffered,
    )
}
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Seals:
    """Whether what was stored opens and matches its commitment. Counts; `keys_gone` is what nobody can check any more.

    Each place is named once for a rule, however much is wrong there.
    """

    def __init__(self, mapper: SealingMapper) -> None:
        self._mapper, self.held, self.keys_gone = mapper, 0, 0
        self._broken = Violations("what was stored matches its commitment")
        self._unreadable = Violations("what was stored can be read")

    def look_at(self, stream: Stream) -> None:
        """Check the events of a stream."""
        if stream.broken:
            self._unreadable.add(stream.stream_id)
        for row in stream.rows:
            encoded, subject = Encoded(row.body, row.sealed), _subject(row.subject_id, row.wrapped)
            stands_at = associated_data_of(row.stream_id, row.version)
            check = self._check(encoded, subject, stands_at, name=row.name, command_id=row.command_id)
            nothing = check is CommitmentCheck.NOTHING_SEALED
            if check is CommitmentCheck.BROKEN or (nothing and _lacks(row.name, row.body)):
                self._broken.add(f"{row.stream_id} {row.version}")

    def look_at_commands(self, connection: Connection[Values]) -> Iterator[int]:
        """Check all commands, and that their columns are copies of what their bytes say; yields how many so far."""
        after, seen = FIRST, 0
        while rows := _chunk(connection, after):
            for row in rows:
                subject = _subject(row.subject_id, row.wrapped)
                self._look_at_command(
                    StoredCommand(row.copies.command_id, Encoded(row.body, row.sealed), subject), row.copies
                )
            after, seen = rows[-1].copies.command_id, seen + len(rows)
            yield seen

    def _look_at_command(self, stored: StoredCommand, copies: Copies) -> None:
        place = f"command {stored.command_id}"
        try:
            command = self._mapper.command(stored)
        except UNREADABLE:
            self._unreadable.add(place)
            return
        said = Copies(*(getattr(command, name) for name in Copies._fields))
        check = self._check(stored.encoded, stored.subject, stored.command_id.bytes)
        if check is CommitmentCheck.BROKEN or said != copies:
            self._broken.add(place)

    def _check(
        self,
        encoded: Encoded,
        subject: Subject | None,
        stands_at: bytes,
        *,
        name: str = "",
        command_id: UUID | None = None,
    ) -> CommitmentCheck:
        try:
            check = self._mapper.commitment_check(encoded, subject, stands_at, name=name, command_id=command_id)
        except UNREADABLE:
            return CommitmentCheck.BROKEN
        if check is CommitmentCheck.KEY_GONE and subject is None:
            # sealed for nobody: that must not pass for an erased person's
            return CommitmentCheck.BROKEN
        self.held += check is CommitmentCheck.HOLDS
        self.keys_gone += check is CommitmentCheck.KEY_GONE
        return check

    def findings(self) -> Iterator[Finding]:
        """What was found so far."""
        yield from self._broken.findings()
        yield from self._unreadable.findings()


def _lacks(name: str, body: bytes) -> bool:
    """Whether an event has nothing sealed that always has something, and does not show it either, as old ones do."""
    if name not in _ALWAYS_PERSONAL:
        return False
    public = _decode(body)
    return not any(public.get(field) for field in personal_fields(EVENT_BY_NAME[name]))


def _subject(subject_id: UUID | None, wrapped: bytes | None) -> Subject | None:
    return None if subject_id is None else Subject(subject_id, wrapped)


def _chunk(connection: Connection[Values], after: UUID) -> list[CommandRow]:
    with RawCursor(connection) as cursor:
        return _COMMAND.read_all(cursor.execute(_COMMANDS, (after, _CHUNK), prepare=True, binary=True).fetchall())
