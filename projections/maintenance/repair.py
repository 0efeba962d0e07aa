"""Repair: rows that differ are made anew from their events, while nobody writes to their table."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor

from domain.store.connections import Values
from domain.store.log import entries_at
from domain.store.mapper import SealingMapper
from domain.store.rows import Projection
from domain.store.streams import given
from projections import INLINE
from projections.trails import journal

from . import journal_rows
from .expected import Row, defaults_of, insert, row_of, wanted_by
from .verify import Compared

_TRIES = 20
_CHUNK = 50
"""Rows made anew while writers of their table wait."""

_UNIQUE = """
SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
 WHERE c.conrelid = $1::regclass AND c.contype = 'u' GROUP BY c.oid
"""
_KNOWN = """
SELECT stream_id, max(version) FROM (
    SELECT stream_id, version FROM events WHERE stream_id = ANY($1) AND name <> ALL($2)
     UNION ALL
    SELECT stream_id, version FROM log l WHERE stream_id = ANY($1)
       AND NOT EXISTS (SELECT FROM events e WHERE e.stream_id = l.stream_id AND e.version = l.version)) known
 GROUP BY stream_id
"""
_LOGGED = "SELECT position FROM log WHERE position = ANY($1)"


def repair(connection: Connection[Values], mapper: SealingMapper, compared: Compared) -> int:
    """Heal the rows that were found to differ and are named, as the role that owns the tables; how many were healed.

    Each is looked at again under the lock: what has moved on since is made as it must be now. A row is left as it is if
    not all of its events can be read, or if such a row holds what only one row may hold.
    """
    keys = [one.key for one in compared.differences]
    if compared.table == journal.FOLLOWER.name:
        heal: Callable[[Sequence[Any]], int] = partial(_journal, connection)
    else:
        [projection] = [one for one in INLINE if one.table.name == compared.table]
        heal = partial(_list, connection, mapper, projection)
    chunks = (keys[begin : begin + _CHUNK] for begin in range(0, len(keys), _CHUNK))
    return sum(_healed(connection, compared.table, heal, some) for some in chunks)


def forget_drift(connection: Connection[Values], tables: Collection[str]) -> None:
    """Nothing differs in these tables any more; the sweep would notice when it comes round."""
    connection.execute("DELETE FROM drift WHERE table_name = ANY(%s)", (list(tables),))


def _healed(
    connection: Connection[Values], table: str, heal: Callable[[Sequence[Any]], int], keys: Sequence[Any]
) -> int:
    try:
        return _alone(connection, table, partial(heal, keys))
    except psycopg.errors.UniqueViolation:
        # one that must stay is in the way of one of these
        return sum(_healed(connection, table, heal, [key]) for key in keys) if len(keys) > 1 else 0


def _alone(connection: Connection[Values], table: str, work: Callable[[], int]) -> int:
    """Do it while nobody else writes to a table. Writers wait for two seconds at most, so this is given up before."""
    for attempt in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '300ms'")
                connection.execute("SET LOCAL statement_timeout = '1s'")
                # frozen in between, it must not hold up writers
                connection.execute("SET LOCAL idle_in_transaction_session_timeout = '1s'")
                connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
                return work()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.QueryCanceled):
            if attempt + 1 == _TRIES:
                raise
            time.sleep(0.2)
    raise AssertionError("unreachable")


def _list(connection: Connection[Values], mapper: SealingMapper, projection: Projection, keys: Sequence[UUID]) -> int:
    table, defaults, wanted = projection.table, defaults_of(connection, projection.table), wanted_by(projection)
    rows, taken_out, seen, more = list[Row](), set[UUID](), set[UUID](), set(keys)
    with RawCursor(connection) as cursor:
        while more:
            known: dict[UUID, int] = dict(cursor.execute(_KNOWN, (list(more), list(wanted.without))).fetchall())
            streams = {one.stream_id: one for one in given(connection, mapper, wanted, list(more))}
            whole = {key for key in more if known.get(key, 0) == (len(streams[key].events) if key in streams else 0)}
            made = [row_of(projection, streams[key], defaults) for key in whole if key in streams]
            rows, taken_out, seen = rows + made, taken_out | whole, seen | more
            more = _in_the_way(cursor, table.name, table.types, made) - seen
        # all out before any comes in: two may hold each other's slot
        cursor.execute(f"DELETE FROM {table.name} WHERE {table.key} = ANY($1)", (list(taken_out),))
        insert(cursor, table.name, table.types, rows)
    return len(taken_out & set(keys))


def _journal(connection: Connection[Values], positions: Sequence[int]) -> int:
    name = journal.FOLLOWER.name
    rows, taken_out, seen, more = list[Row](), set[int](), set[int](), set(positions)
    with RawCursor(connection) as cursor:
        while more:
            entries = entries_at(connection, sorted(more))
            made, mute = journal_rows.told(connection, entries)
            # where the log has a place, but no event any more, nothing can be said
            mute |= {row[0] for row in cursor.execute(_LOGGED, (list(more),))} - {one.position for one in entries}
            rows, taken_out, seen = rows + made, taken_out | (more - mute), seen | more
            more = _in_the_way(cursor, name, journal.COLUMNS, made) - seen
        cursor.execute(f"DELETE FROM {name} WHERE position = ANY($1)", (list(taken_out),))
        insert(cursor, name, journal.COLUMNS, rows)
    return len(taken_out & set(positions))


def _in_the_way(cursor: RawCursor[Any], table: str, types: Mapping[str, str], rows: Sequence[Row]) -> set[Any]:
    """The keys, which stand first, of the rows that hold what only one may hold, and what one of these must."""
    found, names = set[Any](), list(types)
    for [unique] in cursor.execute(_UNIQUE, (table,)).fetchall():
        values = [[row[names.index(column)] for row in rows] for column in unique]
        holes = ", ".join(f"${number}::{types[column]}[]" for number, column in enumerate(unique, 1))
        columns = ", ".join(unique)
        sql = f"SELECT {names[0]} FROM {table} JOIN unnest({holes}) AS must_hold ({columns}) USING ({columns})"
        found |= {key for [key] in cursor.execute(sql, values)}
    return found
