"""The sweep: stretch by stretch, for ever, the read tables are compared with their events while the service runs.

What differs is written down in `drift`, where /readyz and /metrics see it, until a later look finds it healed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import cycle
from uuid import UUID

import psycopg
from psycopg import Connection

from domain.store.connections import Values, connection_arguments
from domain.store.log import BEFORE_THE_FIRST
from domain.store.mapper import SealingMapper
from domain.store.rows import Projection
from domain.store.streams import FIRST, LAST, opened, stretch
from projections import INLINE
from projections.trails import journal

from . import journal_rows
from .expected import Difference, defaults_of, differences, wanted_by
from .verify import beside, one_moment

_STRETCH = 200
"""Events compared in one look: some milliseconds of work."""
_PAUSE = 0.25
"""Seconds between looks, so that a sweep costs a small part of one core."""
_AWAY = 2.0
_END = "~"
"""Beyond any key."""

_HEALED = "DELETE FROM drift WHERE table_name = %s AND key > %s AND key <= %s AND NOT key = ANY(%s)"
_FOUND = """
INSERT INTO drift (table_name, key, difference) VALUES (%s, %s, %s)
ON CONFLICT (table_name, key) DO UPDATE SET difference = excluded.difference
"""


class Sweep:
    """Where the sweep is: each table has its own place, and begins again at its end."""

    def __init__(self, mapper: SealingMapper) -> None:
        self._mapper = mapper
        self._after: dict[str, UUID] = {one.table.name: FIRST for one in INLINE}
        self._position = BEFORE_THE_FIRST

    def look(self, connection: Connection[Values], projection: Projection | None) -> int:
        """Compare the next stretch of a list, or of the journal (None), and write down what differs; how much does."""
        table = journal.FOLLOWER.name if projection is None else projection.table.name
        # written down in the same transaction: a rebuild, which forgets what differed, comes before or after
        with one_moment(connection, table):
            low, high, found = self._journal(connection) if projection is None else self._list(connection, projection)
            connection.execute(_HEALED, (table, low, high, [_key(one.key) for one in found]))
            for one in found:
                connection.execute(_FOUND, (table, _key(one.key), str(one)))
        return len(found)

    def _list(self, connection: Connection[Values], projection: Projection) -> tuple[str, str, Sequence[Difference]]:
        table, after = projection.table, self._after[projection.table.name]
        part = stretch(connection, wanted_by(projection), after, limit=_STRETCH)
        defaults = defaults_of(connection, table)
        streams = opened(self._mapper, part.rows)
        expected, actual = beside(connection, projection, streams, after, part.through, defaults)
        self._after[table.name] = FIRST if part.through == LAST else part.through
        return _key(after), _key(part.through), list(differences(table.types, expected, actual))

    def _journal(self, connection: Connection[Values]) -> tuple[str, str, Sequence[Difference]]:
        after, reached = self._position, journal_rows.reached(connection)
        if after >= reached:
            after = BEFORE_THE_FIRST
        through, expected, actual = journal_rows.stretch(connection, after, reached, _STRETCH)
        self._position = through
        low, high = "" if after == BEFORE_THE_FIRST else _key(after), _END if through == reached else _key(through)
        return low, high, list(differences(journal.COLUMNS, expected, actual))


def run_sweep(conninfo: str, mapper: SealingMapper, stop: threading.Event) -> None:
    """Sweep until told to stop; goes on after the database was away."""
    sweep = Sweep(mapper)
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, **connection_arguments("daybook-sweep")) as connection:
                for projection in cycle([*INLINE, None]):
                    sweep.look(connection, projection)
                    if stop.wait(_PAUSE):
                        return
        except psycopg.OperationalError:
            stop.wait(_AWAY)


def _key(key: UUID | int) -> str:
    """A key as text that sorts as keys do."""
    return f"{key + 1:020}" if isinstance(key, int) else str(key)
