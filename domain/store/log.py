"""Reading the log: events in the one order they took effect in, as followers see them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import DecodeError
from psycopg import Connection, RawCursor

from domain.events.catalogue import UnknownEvent
from domain.events.codec import Encoded, decode

from .connections import Statements, Values
from .select_list import SelectList

BEFORE_THE_FIRST = -1
"""Where a reader stands who has read nothing: positions count from 0."""

_FIRST = "SELECT stream_id, name, body FROM events WHERE stream_id = ANY($1) AND version = 1"

# recorded_at never goes back, so the last entry up to a moment is found by halving: no index on it is needed
_POSITION_AT = """
WITH RECURSIVE halving (low, high) AS (
    SELECT -1::bigint, coalesce((SELECT max(position) FROM log), -1)
    UNION ALL
    SELECT CASE WHEN before THEN middle ELSE low END, CASE WHEN before THEN high ELSE middle - 1 END
      FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM halving WHERE low < high) half,
           LATERAL (SELECT recorded_at <= $1 AS before FROM log WHERE position = middle) looked
)
SELECT low FROM halving WHERE low = high
"""


class LogEntry(NamedTuple):
    """One event in the log with its command, as far as both are public: personal data stays sealed."""

    position: int
    recorded_at: datetime
    name: str
    stream_id: UUID
    version: int
    body: bytes
    command_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None

    def event(self) -> Any:
        """The event, its personal fields None. Raises UnknownEvent or msgspec.DecodeError if it is unreadable."""
        return decode(self.name, Encoded(self.body, None), key=None, associated_data=b"")


_ENTRY = SelectList(
    LogEntry,
    position="l.position",
    recorded_at="l.recorded_at",
    name="e.name",
    stream_id="l.stream_id",
    version="l.version",
    body="e.body",
    command_id="c.command_id",
    at="c.at",
    actor_kind="c.actor_kind",
    actor_id="c.actor_id",
    session_id="c.session_id",
    api_key_id="c.api_key_id",
)
_ENTRIES = f"""
SELECT {_ENTRY.sql}
  FROM log l JOIN events e USING (stream_id, version) JOIN commands c USING (command_id)
"""
_AFTER = f"{_ENTRIES} WHERE l.position > $1::bigint AND l.position <= $1::bigint + $2 ORDER BY l.position"
_AT = f"{_ENTRIES} WHERE l.position = ANY($1) ORDER BY l.position"


def entries_after(connection: Connection[Values], position: int, limit: int) -> list[LogEntry]:
    """At most `limit` entries that follow a position, in order. Positions are contiguous, so none is missed."""
    return _entries(connection, _AFTER, position, limit)


def entries_at(connection: Connection[Values], positions: list[int]) -> list[LogEntry]:
    """The entries at these positions, in order."""
    return _entries(connection, _AT, positions)


def beginnings(connection: Connection[Values], stream_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The first events of these streams, their personal fields None; unreadable ones are left out."""
    found = dict[UUID, Any]()
    with RawCursor(connection) as cursor:
        for stream_id, name, body in cursor.execute(_FIRST, (list(stream_ids),), prepare=True, binary=True):
            with suppress(UnknownEvent, DecodeError):
                found[stream_id] = decode(name, Encoded(body, None), key=None, associated_data=b"")
    return found


def head(connection: Connection[Values]) -> int:
    """The position of the newest entry; `BEFORE_THE_FIRST` while there is none."""
    [position] = connection.execute("SELECT coalesce(max(position), -1) FROM log").fetchone() or (BEFORE_THE_FIRST,)
    return int(position)


def position_at(read: Statements, moment: datetime) -> int:
    """The position of the last entry that was recorded up to a moment; `BEFORE_THE_FIRST` if none was."""
    [position] = read.row(_POSITION_AT, moment) or (BEFORE_THE_FIRST,)
    return int(position)


def _entries(connection: Connection[Values], sql: str, *values: Any) -> list[LogEntry]:
    with RawCursor(connection) as cursor:
        rows = cursor.execute(sql, values, prepare=True, binary=True).fetchall()
    return _ENTRY.read_all(rows)
