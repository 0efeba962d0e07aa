"""The journal's rows as the log says they must be, beside those that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection, RawCursor

from domain.events.catalogue import UnknownEvent
from domain.store.connections import Values
from domain.store.log import BEFORE_THE_FIRST, LogEntry, entries_after
from projections.trails import journal

_CHUNK = 5_000
KNOWN = 500_000
"""Streams of which it is remembered whom they concern and how far they had come, about 300 bytes each."""
_NAMES = ", ".join(journal.COLUMNS)
_REACHED = "SELECT position FROM followers WHERE name = $1"
_THERE = f"SELECT {_NAMES} FROM journal WHERE position > $1 AND position <= $2 ORDER BY position"
_FAR = 2**62
"""Beyond any position."""


def reached(connection: Connection[Values]) -> int:
    """The position the journal has come to."""
    with RawCursor(connection) as cursor:
        found = cursor.execute(_REACHED, (journal.FOLLOWER.name,)).fetchone()
    return BEFORE_THE_FIRST if found is None else int(found[0])


def stretches(connection: Connection[Values], end: int) -> Iterator[tuple[int, list[Any], list[Any]]]:
    """Stretch by stretch up to a position: where it ends, the rows as they must be, and as they are."""
    after, more, known = BEFORE_THE_FIRST, True, journal.Known()
    while more:
        if len(known) > KNOWN:
            known.forget()
        through, expected, actual = stretch(connection, after, end, known=known)
        yield through, expected, actual
        after, more = through, through < end


def stretch(
    connection: Connection[Values], after: int, end: int, limit: int = _CHUNK, known: journal.Known | None = None
) -> tuple[int, list[Any], list[Any]]:
    """The next stretch after a position: where it ends, the rows as they must be, and as they are.

    Events that cannot be read say nothing about their entries.
    """
    entries = entries_after(connection, after, min(limit, end - after))
    through = entries[-1].position if entries else end
    rows, silent = told(connection, entries, known)
    # rows before the first position and beyond the last belong to the first and the last stretch
    low, high = -_FAR if after == BEFORE_THE_FIRST else after, _FAR if through == end else through
    return through, rows, [row for row in _there(connection, low, high) if row[0] not in silent]


def told(
    connection: Connection[Values], entries: Sequence[LogEntry], known: journal.Known | None = None
) -> tuple[list[Any], set[int]]:
    """The rows of entries, and the positions of those of which nothing can be said."""
    try:
        return list(journal.rows(connection, entries, known)), set()
    except (UnknownEvent, ValueError, journal.NoBeginning):
        if known is not None:
            known.forget()
        if len(entries) == 1:
            return [], {entries[0].position}
    # rare: look at each alone
    each = [told(connection, [entry]) for entry in entries]
    return [row for rows, _ in each for row in rows], {position for _, mute in each for position in mute}


def _there(connection: Connection[Values], after: int, through: int) -> list[Any]:
    with RawCursor(connection) as cursor:
        return cursor.execute(_THERE, (after, through), prepare=True, binary=True).fetchall()
