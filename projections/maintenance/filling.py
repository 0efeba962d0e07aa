"""How the next generation of a table is filled: lists stream by stream, then after the log, as the journal is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from psycopg import Connection, RawCursor

from domain.events.catalogue import stored_names
from domain.store.connections import Values
from domain.store.log import LogEntry, entries_after, head
from domain.store.mapper import SealingMapper
from domain.store.rows import Projection
from domain.store.sequencer import sequence
from domain.store.streams import LAST, Stream, Stretch, given, opened, stretch
from domain.user import PersonErased
from projections import INLINE
from projections.lists.of_a_person import EMPTIED, rows_of_a_person
from projections.trails import journal

from . import journal_rows
from .expected import defaults_of, insert, names_of, row_of, wanted_by
from .generation import NEXT, Generation

_CHUNK = 10_000
"""Events in one transaction of the filling."""
_STREAMS = 1_000
"""Streams in memory at a time; some may be long."""
_DRAINED_WITHIN = 0.5
"""Seconds; writers wait meanwhile, for two at most."""

_ERASED = stored_names(PersonErased)

Place = TypeVar("Place")
Part = TypeVar("Part")

_NOT_ALIKE = """
SELECT count(*) FROM {next} n FULL JOIN {table} o ON n.{key} = o.{key}
 WHERE o.{key} IS NULL OR n.version > o.version
    OR (n.version = o.version AND ROW(n.*) IS DISTINCT FROM ROW(o.*))
    OR (n.{key} IS NULL AND NOT EXISTS (SELECT FROM events e WHERE e.stream_id = o.{key}))
"""
_ENTRIES_NOT_ALIKE = """
SELECT count(*) FROM {next} n FULL JOIN journal o ON n.position = o.position
 WHERE (n.position = o.position AND ROW(n.*) IS DISTINCT FROM ROW(o.*))
    OR (n.position IS NULL AND o.position <= %(reached)s)
    OR (o.position IS NULL AND n.position <= (SELECT f.position FROM followers f WHERE f.name = %(follower)s))
"""
_ASIDE = """
INSERT INTO set_aside (follower, position, error)
SELECT $1, given, 'unreadable' FROM unnest($2::bigint[]) given
 WHERE NOT EXISTS (SELECT FROM journal j WHERE j.position = given) ON CONFLICT DO NOTHING
"""


class StillWriting(Exception):
    """What was committed before the lock is not in the log yet."""


class Filling(Protocol):
    """How one table is filled. `unreadable` counts the streams or entries nothing can be made of: theirs stays."""

    unreadable: int

    def total(self, connection: Connection[Values], generation: Generation) -> int:
        """How many events there still are for it."""

    def fill(self, connection: Connection[Values], generation: Generation) -> int | None:
        """The next part of what there was when the filling began; of how many events, None if that was all."""

    def catch_up(self, connection: Connection[Values], generation: Generation) -> int:
        """What the next entries of the log mean; how many of them were for this table."""

    def differing(self, connection: Connection[Values], generation: Generation) -> int:
        """How many rows of the table in use are not as they must be, of those of which that can be said by now."""

    def hold(self, connection: Connection[Values], other: Connection[Values]) -> None:
        """Nobody writes to the table until the transaction ends, and what was written is in the log.

        `other` is not in the transaction. Raises StillWriting.
        """

    def settle(self, connection: Connection[Values], generation: Generation) -> None:
        """Whoever writes to the table goes on from where the new generation is."""


def tables() -> list[str]:
    """The names of the tables that can be rebuilt."""
    return [one.table.name for one in INLINE] + [journal.FOLLOWER.name]


def filling_of(table: str, mapper: SealingMapper, reader: Connection[Values]) -> Filling | None:
    """How this table is filled, read ahead on a connection of its own; None if there is none of this name."""
    if table == journal.FOLLOWER.name:
        return JournalFilling(reader)
    return next((ListFilling(one, mapper, reader) for one in INLINE if one.table.name == table), None)


class Ahead(Generic[Place, Part]):
    """Reads the next part while the one before is worked on: the server and this process each have a core."""

    def __init__(self, read: Callable[[Place], Part]) -> None:
        self._read, self._thread = read, ThreadPoolExecutor(1)
        self._next: tuple[Place, Future[Part]] | None = None

    def prepare(self, after: Place) -> None:
        """Begin to read what comes after a place."""
        self._next = after, self._thread.submit(self._read, after)

    def take(self, after: Place) -> Part:
        """What comes after a place."""
        prepared, self._next = self._next, None
        if prepared is None or prepared[0] != after:
            self.prepare(after)
            return self.take(after)
        return prepared[1].result()


class ListFilling:
    """A list mirrors streams: first all of them, each as it stands when its turn comes, then those the log touches."""

    def __init__(self, projection: Projection, mapper: SealingMapper, reader: Connection[Values]) -> None:
        self.unreadable = 0
        self._ahead = Ahead[UUID, Stretch](lambda after: stretch(reader, self._wanted, after, limit=_CHUNK))
        self._projection, self._mapper, self._wanted = projection, mapper, wanted_by(projection)
        self._names, self._table = names_of(projection), projection.table
        self._next = f"{NEXT}.{projection.table.name}"
        self._defaults: dict[str, Any] | None = None

    def total(self, connection: Connection[Values], generation: Generation) -> int:
        """The events of its aggregate, in the streams whose turn is yet to come."""
        sql = "SELECT count(*) FROM events WHERE name = ANY(%s) AND stream_id > %s"
        [[total]] = connection.execute(sql, (self._names, generation.through)).fetchall()
        return int(total)

    def fill(self, connection: Connection[Values], generation: Generation) -> int | None:
        """The next streams in the order of their ids."""
        if generation.through == LAST:
            return None
        with connection.transaction():
            part = self._ahead.take(generation.through)
            if part.through != LAST:
                self._ahead.prepare(part.through)
            self._insert(connection, opened(self._mapper, part.rows))
            generation.through = part.through
            if generation.through == LAST:
                generation.position = generation.snapshot
            generation.save(connection)
        return len(part.rows)

    def catch_up(self, connection: Connection[Values], generation: Generation) -> int:
        """The streams that the next entries touch, as they stand now."""
        with connection.transaction():
            through = _through(connection, generation)
            entries = entries_after(connection, generation.position, _CHUNK)
            ours = [one.stream_id for one in entries if one.name not in self._wanted.without]
            touched = list({*ours, *self._emptied(connection, entries)})
            # all out before any comes in: one may take the slot that another frees
            connection.execute(f"DELETE FROM {self._next} WHERE {self._table.key} = ANY(%s)", (touched,), prepare=True)
            for begin in range(0, len(touched), _STREAMS):
                some = touched[begin : begin + _STREAMS]
                self._insert(connection, given(connection, self._mapper, self._wanted, some))
            generation.position = through
            generation.save(connection)
        return len(ours)

    def differing(self, connection: Connection[Values], generation: Generation) -> int:
        """Rows of the same version must be alike, and none is missing or ahead of its events."""
        sql = _NOT_ALIKE.format(next=self._next, table=self._table.name, key=self._table.key)
        [[differing]] = connection.execute(sql.encode()).fetchall()
        return int(differing)

    def hold(self, connection: Connection[Values], other: Connection[Values]) -> None:
        """Only its own writers wait, readers do not: locking more, or in another order, would invite deadlocks."""
        connection.execute(f"LOCK TABLE {self._table.name} IN EXCLUSIVE MODE")
        last = _last_arrival(other)
        deadline = time.monotonic() + _DRAINED_WITHIN
        while _waiting(other, last):
            # another node's sequencer may be at it
            if sequence(other) == 0:
                time.sleep(0.005)
            if time.monotonic() > deadline:
                raise StillWriting

    def settle(self, connection: Connection[Values], generation: Generation) -> None:
        """Writers look the table up by its name."""

    def _emptied(self, connection: Connection[Values], entries: list[LogEntry]) -> Iterator[UUID]:
        """The streams of people who were erased: what was read of them with their keys is not to be kept."""
        with RawCursor(connection) as cursor:
            for one in entries:
                if one.name in _ERASED:
                    for theirs in (each for each in EMPTIED if each.table is self._table):
                        yield from (key for [key] in cursor.execute(rows_of_a_person(theirs), (one.stream_id,)))

    def _insert(self, connection: Connection[Values], streams: list[Stream]) -> None:
        if self._defaults is None:
            self._defaults = defaults_of(connection, self._table)
        rows = [row_of(self._projection, one, self._defaults) for one in streams if not one.broken]
        broken = [one.stream_id for one in streams if one.broken]
        with RawCursor(connection) as cursor:
            insert(cursor, self._next, self._table.types, rows)
            if broken:
                # what is there may be right, and nobody knows better
                names, key = ", ".join(self._table.types), self._table.key
                kept = f"INSERT INTO {self._next} ({names}) SELECT {names} FROM {self._table.name}"
                self.unreadable += cursor.execute(f"{kept} WHERE {key} = ANY($1)", (broken,)).rowcount


class JournalFilling:
    """The journal follows the log from the start."""

    _next = f"{NEXT}.{journal.FOLLOWER.name}"

    def __init__(self, reader: Connection[Values]) -> None:
        self._ahead = Ahead[int, list[LogEntry]](lambda after: entries_after(reader, after, _CHUNK))
        self._known = journal.Known()
        self.unreadable = 0

    def total(self, connection: Connection[Values], generation: Generation) -> int:
        """The entries that follow."""
        return head(connection) - generation.position

    def fill(self, connection: Connection[Values], generation: Generation) -> int | None:
        """The next entries, up to the end of the log when the filling began."""
        if generation.position >= generation.snapshot:
            return None
        through = min(generation.position + _CHUNK, generation.snapshot)
        entries = self._ahead.take(generation.position)
        if through < generation.snapshot:
            self._ahead.prepare(through)
        return self._enter(connection, generation, [one for one in entries if one.position <= through], through)

    def catch_up(self, connection: Connection[Values], generation: Generation) -> int:
        """The next entries."""
        through = _through(connection, generation)
        entries = entries_after(connection, generation.position, through - generation.position)
        return self._enter(connection, generation, entries, through)

    def differing(self, connection: Connection[Values], generation: Generation) -> int:
        """Up to where both have come, they must be alike."""
        values = {"reached": generation.position, "follower": journal.FOLLOWER.name}
        sql = _ENTRIES_NOT_ALIKE.format(next=self._next)
        [[differing]] = connection.execute(sql.encode(), values).fetchall()
        return int(differing)

    def _enter(
        self, connection: Connection[Values], generation: Generation, entries: list[LogEntry], through: int
    ) -> int:
        with connection.transaction():
            if len(self._known) > journal_rows.KNOWN:
                self._known.forget()
            rows, mute = journal_rows.told(connection, entries, self._known)
            with RawCursor(connection) as cursor:
                insert(cursor, self._next, journal.COLUMNS, rows)
                if mute:
                    names = ", ".join(journal.COLUMNS)
                    kept = f"INSERT INTO {self._next} ({names}) SELECT {names} FROM journal WHERE position = ANY($1)"
                    cursor.execute(kept, (list(mute),))
                    cursor.execute(_ASIDE, (journal.FOLLOWER.name, list(mute)))
            generation.position = through
            generation.save(connection)
        self.unreadable += len(mute)
        return len(entries)

    def hold(self, connection: Connection[Values], other: Connection[Values]) -> None:
        """Its follower waits: it works only while it holds this row."""
        connection.execute("SELECT FROM followers WHERE name = %s FOR UPDATE", (journal.FOLLOWER.name,))

    def settle(self, connection: Connection[Values], generation: Generation) -> None:
        """The follower goes on from there, and what it had set aside is taken in as far as that was possible."""
        connection.execute(
            f"DELETE FROM set_aside s USING {self._next} n WHERE s.follower = %s AND s.position = n.position",
            (journal.FOLLOWER.name,),
        )
        connection.execute(
            "INSERT INTO followers (name, position) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_at = clock_timestamp()",
            (journal.FOLLOWER.name, generation.position),
        )


def _through(connection: Connection[Values], generation: Generation) -> int:
    """Where the next part ends: positions are contiguous, though an event may have been taken out of the log."""
    return min(generation.position + _CHUNK, head(connection))


def _last_arrival(connection: Connection[Values]) -> int:
    [[last]] = connection.execute("SELECT coalesce(max(arrival), -1) FROM queue").fetchall()
    return int(last)


def _waiting(connection: Connection[Values], last: int) -> bool:
    [[waiting]] = connection.execute("SELECT EXISTS (SELECT FROM queue WHERE arrival <= %s)", (last,)).fetchall()
    return bool(waiting)
