"""Whether the log is whole: its order, the streams, the commands, and what was sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection, RawCursor

from domain.events.catalogue import EVENT_BY_NAME, NAME_BY_EVENT, UPCASTS, stored_names
from domain.events.codec import Encoded, personal_fields
from domain.events.subjects import erasing_names
from domain.invitation import InvitationSent
from domain.mailed_link import EmailChangeRequested, EmailChangeUndoOffered
from domain.organization import OrganizationFounded, OrganizationRenamed, PersonalOrganizationFounded, SlugChanged
from domain.store.connections import Values
from domain.store.envelope import Subject
from domain.store.mapper import CommitmentCheck, SealingMapper, StoredCommand, associated_data_of
from domain.store.select_list import SelectList
from domain.store.streams import FIRST, UNREADABLE, Stream
from domain.user import EmailChanged, EmailRestored, NameChanged, PersonErased, SignedUp
from projections.deliveries import due


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be: which rule, how often it is broken, and where for the first time."""

    rule: str
    times: int
    first: str


_CHECKS: dict[str, str] = {
    "positions of the log are contiguous": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, position - row_number() OVER (ORDER BY position) AS skipped FROM log) numbered
         WHERE skipped <> -1
    """,
    "times of the log never go back": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back FROM log) timed
         WHERE back
    """,
    "each stream is in order in the log": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, version - row_number() OVER (PARTITION BY stream_id ORDER BY position) AS skipped FROM log
        ) numbered WHERE skipped <> 0
    """,
    "each entry of the log has its event": """
        SELECT count(*), min(position)::text FROM log l LEFT JOIN events e USING (stream_id, version)
         WHERE e.name IS NULL
    """,
    "each event is in the log or waits for it": """
        SELECT count(*), min(e.stream_id::text || ' ' || e.version) FROM events e
          LEFT JOIN log l USING (stream_id, version)
         WHERE l.position IS NULL
           AND NOT EXISTS (SELECT FROM queue q WHERE q.stream_id = e.stream_id AND q.version = e.version)
    """,
    "no event waits that is in the log or not there": """
        SELECT count(*), min(q.stream_id::text || ' ' || q.version) FROM queue q
          LEFT JOIN log l USING (stream_id, version) LEFT JOIN events e USING (stream_id, version)
         WHERE l.position IS NOT NULL OR e.name IS NULL
    """,
    "versions of each stream are contiguous": """
        SELECT count(*), min(stream_id::text) FROM (
            SELECT stream_id FROM events GROUP BY stream_id HAVING min(version) <> 1 OR max(version) <> count(*)) torn
    """,
    "each event has its command": """
        SELECT count(*), min(e.stream_id::text || ' ' || e.version) FROM events e
          LEFT JOIN commands c USING (command_id) WHERE c.command_id IS NULL
    """,
    "each event has a name that is known": """
        SELECT count(*), min(stream_id::text || ' ' || version) FROM events WHERE name <> ALL(%(names)s)
    """,
    "each command has an event": """
        SELECT count(*), min(c.command_id::text) FROM commands c
         WHERE NOT EXISTS (SELECT FROM events e WHERE e.command_id = c.command_id)
    """,
    "each subject of sealed data has its place among the keys": """
        SELECT count(*), min(subject_id::text) FROM (
            SELECT subject_id FROM events WHERE subject_id IS NOT NULL
             UNION SELECT subject_id FROM commands WHERE subject_id IS NOT NULL) sealed_for
         WHERE NOT EXISTS (SELECT FROM subject_keys k WHERE k.subject_id = sealed_for.subject_id)
    """,
    "no follower is ahead of the log": """
        SELECT count(*), min(name) FROM followers WHERE position > coalesce((SELECT max(position) FROM log), -1)
    """,
    "each delivery is of an event in the log": """
        SELECT count(*), min(d.kind || ' ' || d.stream_id || ' ' || d.version) FROM deliveries d
          LEFT JOIN log l USING (stream_id, version) WHERE l.position IS NULL
    """,
    # a kind that a later release brought is due from its first row on; a person's first session is no message to them
    "each message that was due has its delivery": f"""
        SELECT count(*), min(l.stream_id::text || ' ' || l.version) FROM followers f
          JOIN log l ON l.position > f.began_after AND l.position <= f.position
           AND l.recorded_at > transaction_timestamp() - {due.KEPT}
          JOIN events e USING (stream_id, version)
          JOIN unnest(%(due)s::text[], %(kinds)s::text[]) AS means (name, kind) ON means.name = e.name
          LEFT JOIN (SELECT d.kind, min(at.position) AS position
                       FROM deliveries d JOIN log at USING (stream_id, version) GROUP BY d.kind) began
            ON began.kind = means.kind
          LEFT JOIN events opening ON opening.command_id = e.command_id AND opening.name = ANY(%(signing_up)s)
         WHERE f.name = '{due.FOLLOWER.name}'
           AND (means.kind = '{due.INVITATION}' OR l.position > began.position)
           AND (means.kind <> '{due.NEW_DEVICE}' OR opening.command_id IS NULL)
           AND NOT EXISTS (SELECT FROM deliveries d WHERE d.stream_id = l.stream_id AND d.version = l.version)
           AND NOT EXISTS (SELECT FROM set_aside s WHERE s.follower = f.name AND s.position = l.position)
    """,
    "nothing is set aside": """
        SELECT count(*), min(follower || ' ' || position) FROM set_aside
    """,
    "the log is append-only": """
        SELECT 3 - count(*), 'a trigger is missing or off' FROM pg_trigger
         WHERE tgname = 'append_only' AND tgenabled = 'O'
           AND tgrelid IN ('commands'::regclass, 'events'::regclass, 'log'::regclass) HAVING count(*) < 3
    """,
    "each key that is gone was destroyed by an erasure": """
        SELECT count(*), min(subject_id::text) FROM subject_keys k
         WHERE wrapped IS NULL AND NOT EXISTS (
               SELECT FROM events e WHERE e.stream_id IN (k.subject_id, k.person_id) AND e.name = ANY(%(erasing)s))
    """,
    "each key of who was erased is gone": """
        SELECT count(*), min(subject_id::text) FROM subject_keys k
         WHERE wrapped IS NOT NULL AND EXISTS (
               SELECT FROM events e WHERE e.stream_id IN (k.subject_id, k.person_id) AND e.name = ANY(%(erasing)s))
    """,
    "each erasure is written down": """
        SELECT count(*), min(coalesce(e.stream_id, x.user_id)::text) FROM erasures x
          FULL JOIN (SELECT stream_id, version FROM events WHERE name = ANY(%(erased)s)) e
            ON e.stream_id = x.user_id AND e.version = x.version
         WHERE e.stream_id IS NULL OR x.user_id IS NULL
    """,
    "no two people have one password hash": """
        SELECT count(*), min(hash_of::text) FROM (SELECT min(user_id::text) AS hash_of FROM credentials
         WHERE kind = 'password' GROUP BY hash HAVING count(*) > 1) alike
    """,
    "no time of the log lies ahead": """
        SELECT count(*), min(position)::text FROM log WHERE recorded_at > clock_timestamp() + interval '5 minutes'
    """,
    "each key of a subject is wrapped by a known data key": """
        SELECT count(*), min(subject_id::text) FROM subject_keys
         WHERE wrapped IS NOT NULL
           AND ('x' || encode(substr(wrapped, 1, 4), 'hex'))::bit(32)::integer NOT IN (SELECT generation FROM data_keys)
    """,
}


class Copies(NamedTuple):
    """What of a command stands in columns of its own too."""

    command_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
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


def order(connection: Connection[Values]) -> Iterator[tuple[str, Finding | None]]:
    """Each rule about the order of things, and how it is broken, if it is."""
    for rule, sql in _CHECKS.items():
        named = {
            "names": [*EVENT_BY_NAME, *UPCASTS],
            "erasing": erasing_names(),
            "erased": stored_names(PersonErased),
            "due": list(due.KIND_BY_NAME),
            "kinds": list(due.KIND_BY_NAME.values()),
            "signing_up": list(due.SIGNING_UP),
        }
        [times, first] = connection.execute(sql, named).fetchone() or (0, "")
        yield rule, Finding(rule, times, first) if times else None


class Violations:
    """Where a rule is broken: how often, and the first place. All of them may be more than there is room for."""

    def __init__(self, rule: str) -> None:
        self._rule, self._times, self._first = rule, 0, ""

    def add(self, place: object) -> None:
        """Broken here too."""
        self._first = min(self._first, str(place)) if self._times else str(place)
        self._times += 1

    def findings(self) -> Iterator[Finding]:
        """One if it is broken at all."""
        if self._times:
            yield Finding(self._rule, self._times, self._first)


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
