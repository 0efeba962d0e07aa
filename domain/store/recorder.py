"""Our PostgreSQL adapter of the eventsourcing library's recorder port: one statement an append, no table lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from psycopg import RawCursor

from domain.events.codec import Encoded
from domain.refusals import SubjectGone

from .conflicts import PATIENCE, StoreUnavailable, StreamMovedOn, refused_by
from .connections import Pool, Statements, Values, await_another, forget_prepared
from .envelope import Subject
from .key_locks import HeldKeys, Reading, Whose, happened, hold_keys
from .mapper import SealedEvent, SealedNotification, StoredCommand
from .rows import SUBJECT_KEYS, Write
from .select_list import SelectList
from .servers import LOST
from .statement import Link, append
from .subscription import LogSubscription
from .wakeups import Announcer


class OpenableRow(NamedTuple):
    """An event with its command as stored, and the keys it takes to open both."""

    stream_id: UUID
    version: int
    name: str
    body: bytes
    sealed: bytes | None
    subject_id: UUID | None
    wrapped: bytes | None
    command_id: UUID
    command_body: bytes
    command_sealed: bytes | None
    command_subject_id: UUID | None
    command_wrapped: bytes | None


class LoggedRow(NamedTuple):
    """The same, and its place in the log as the library counts."""

    row: OpenableRow
    place: int


OPENABLE = SelectList(
    OpenableRow,
    stream_id="e.stream_id",
    version="e.version",
    name="e.name",
    body="e.body",
    sealed="e.sealed",
    subject_id="e.subject_id",
    wrapped="k.wrapped",
    command_id="c.command_id",
    command_body="c.body",
    command_sealed="c.sealed",
    command_subject_id="c.subject_id",
    command_wrapped="ck.wrapped",
)
_LOGGED = SelectList(LoggedRow, row=OPENABLE, place="l.position + 1")
WITH_KEYS = """
    JOIN commands c ON c.command_id = e.command_id
    LEFT JOIN subject_keys k ON k.subject_id = e.subject_id
    LEFT JOIN subject_keys ck ON ck.subject_id = c.subject_id
"""
_LAST_VERSION = 2**31 - 1
_LAST_POSITION = 2**62


class PostgresRecorder(ApplicationRecorder):
    """Appends events with their command and rows, and reads streams and the log."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._statements = Statements(pool)
        self._announcer = Announcer(pool)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: Values = (),
        links: Iterable[Link] = (),
        writes: Iterable[Write] = (),
        held: HeldKeys | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        """Append to any number of streams, all or nothing; `command` holds the values of `COMMAND_COLUMNS`.

        A connection lost on the way is followed by the same bytes again, and the primary key says whether the first
        ones had arrived. What is found then, and what was committed with a warning, is acknowledged only once a later
        commit has proved it durable. Raises StreamMovedOn, SubjectGone, the refusal a constraint stands for, or
        StoreUnavailable, which means unknown rather than undone.

        With keys `held` it is part of their transaction, which stands for all else (`under_keys`).
        """
        if not stored_events:
            return None
        events = [_sealed(event) for event in stored_events]
        links = list(links)
        sql, values = append(links, command, [event.columns() for event in events], writes)
        if held is not None:
            held.require_held(links)
            if held.write(sql, values) != len(events):
                raise self._moved_on(links, held)
            return None
        reason: Exception = StoreUnavailable()
        for attempt in range(PATIENCE):
            try:
                with self.pool.writing() as connection, RawCursor(connection) as cursor:
                    written = cursor.execute(sql, values, prepare=True).rowcount
                    warned = connection.warned
            except psycopg.errors.FeatureNotSupported:
                forget_prepared(self.pool)
                continue
            except psycopg.errors.UniqueViolation as violation:
                reason = refused_by(violation)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                reason = StreamMovedOn()
            except LOST as error:
                await_another(self.pool, error, attempt)
                continue
            else:
                if written == len(events) and not warned:
                    self._announcer.appended()
                    return None
                # with a warning it stands there, but did not wait for its standby
                reason = StoreUnavailable() if warned else self._moved_on(links, self._statements)
            break
        if not self._is_ours(events[0]):
            raise reason
        self._announcer.appended()
        return None

    def under_keys(self, command_id: UUID, whose: Whose, steps: Callable[[HeldKeys], None]) -> None:
        """Lock key rows and run `steps` under them, all in one transaction: what they append happens whole or not.

        After a connection lost on the way all of it is done again, unless the command is there once the locks are held
        again: `steps` decide anew on what they read then. Raises what `steps` raise, and as `insert_events`.
        """
        known = warned = False
        for attempt in range(PATIENCE):
            try:
                with self.pool.writing() as connection:
                    with connection.transaction():
                        held = hold_keys(connection, whose)
                        known = happened(held, command_id)
                        if not known:
                            steps(held)
                    warned = connection.warned
            except psycopg.errors.FeatureNotSupported:
                forget_prepared(self.pool)
                continue
            except psycopg.errors.UniqueViolation as violation:
                raise refused_by(violation) from None
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                raise StreamMovedOn from None
            except psycopg.errors.IdleInTransactionSessionTimeout:
                # whoever held the keys too long was rolled back
                raise StoreUnavailable from None
            except LOST as error:
                await_another(self.pool, error, attempt)
                continue
            if known or warned:
                break
            if held.appended:
                self._announcer.appended()
            else:
                # that nothing is left to do is acknowledged too
                self.prove_durable()
            return
        if not self._statements.durable_rows("SELECT FROM commands WHERE command_id = $1", command_id):
            raise StoreUnavailable
        self._announcer.appended()

    def _is_ours(self, event: SealedEvent) -> bool:
        """Whether this very event is already there, and durable: an earlier try had arrived and its answer got lost."""
        found = self._statements.durable_rows(
            "SELECT FROM events WHERE stream_id = $1 AND version = $2 AND command_id = $3",
            event.originator_id,
            event.originator_version,
            event.command_id,
        )
        return bool(found)

    def prove_durable(self) -> None:
        """Return once all that is visible is durable: whoever acknowledges what they only found has to know.

        Raises StoreUnavailable.
        """
        self._statements.durable_rows("SELECT true")

    def _moved_on(self, links: list[Link], reading: Reading) -> Exception:
        """Why the chain did not hold: a destroyed key cannot come back, all else may be decided again."""
        subjects = [link.key for link in links if link.table is SUBJECT_KEYS]
        living = reading.rows(
            "SELECT FROM subject_keys WHERE subject_id = ANY($1::uuid[]) AND wrapped IS NOT NULL", subjects
        )
        return StreamMovedOn() if len(living) == len(set(subjects)) else SubjectGone()

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The events of a stream in order, each with the wrapped keys it takes to open it."""
        rows = self._statements.rows(
            f"SELECT {OPENABLE.sql} FROM events e {WITH_KEYS}"
            " WHERE e.stream_id = $1 AND e.version > $2 AND e.version <= $3"
            f" ORDER BY e.version {'DESC' if desc else 'ASC'} LIMIT $4",
            originator_id,
            -1 if gt is None else gt,
            _LAST_VERSION if lte is None else lte,
            limit,
        )
        return [_stored(row) for row in OPENABLE.read_all(rows)]

    def select_places(self, places: Sequence[tuple[UUID, int]]) -> list[SealedEvent]:
        """The events at these places (stream, version), in no particular order; the library has no such question."""
        rows = self._statements.rows(
            f"SELECT {OPENABLE.sql} FROM unnest($1::uuid[], $2::integer[]) AS given(stream_id, version)"
            f" JOIN events e USING (stream_id, version) {WITH_KEYS}",
            [stream_id for stream_id, _ in places],
            [version for _, version in places],
        )
        return [_stored(row) for row in OPENABLE.read_all(rows)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """The log from a place on. The library counts from 1, the log's positions from 0."""
        first = max((start or 0) - (1 if inclusive_of_start else 0), 0)
        rows = self._statements.rows(
            f"SELECT {_LOGGED.sql} FROM log l JOIN events e USING (stream_id, version) {WITH_KEYS}"
            " WHERE l.position >= $1 AND l.position < $2 AND ($3::text[] IS NULL OR e.name = ANY($3))"
            " ORDER BY l.position LIMIT $4",
            first,
            _LAST_POSITION if stop is None else stop,
            list(topics) or None,
            limit,
        )
        return [SealedNotification(**_fields(row), id=place) for row, place in _LOGGED.read_all(rows)]

    def max_notification_id(self) -> int | None:
        """The place of the newest event in the log, None while it is empty."""
        found = self._statements.row("SELECT max(position) + 1 FROM log")
        return None if found is None else found[0]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """The log after a place, for ever: waits for what will be appended."""
        conninfo = self.pool.conninfo
        assert isinstance(conninfo, str), "our pools are made with one"
        return LogSubscription(self, conninfo, gt, topics)


def _sealed(event: StoredEvent) -> SealedEvent:
    assert isinstance(event, SealedEvent), "what our mapper makes"
    return event


def _stored(row: OpenableRow) -> SealedEvent:
    return SealedEvent(**_fields(row))


def _fields(row: OpenableRow) -> dict[str, Any]:
    return {
        "originator_id": row.stream_id,
        "originator_version": row.version,
        "topic": row.name,
        "state": row.body,
        "sealed": row.sealed,
        "subject": None if row.subject_id is None else Subject(row.subject_id, row.wrapped),
        "command_id": row.command_id,
        "cause": StoredCommand(
            row.command_id,
            Encoded(row.command_body, row.command_sealed),
            None if row.command_subject_id is None else Subject(row.command_subject_id, row.command_wrapped),
        ),
    }
