"""The sweep: stretch by stretch, for ever, the read tables are compared with their events while the service runs.

What differs is written down in `drift`, where /readyz and /metrics see it, until a later look finds it healed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import cycle
from uuid import UUID

from psycopg import Connection

from domain.store.connections import Values, connect
from domain.store.log import BEFORE_THE_FIRST, head
from domain.store.mapper import SealingMapper
from domain.store.rows import Projection
from domain.store.servers import LIFETIME, LOST
from domain.store.streams import FIRST, LAST, opened, stretch
from projections import INLINE
from projections.trails import journal

from . import journal_rows
from .expected import Difference, defaults_of, differences, wanted_by
from .verify import beside, one_moment

_STRETCH = 200
"""Events compared in one look: some milliseconds of work."""
_PAUSE, _QUIET = 0.25, 4.0
"""Seconds between looks, so that a sweep costs a small part of one core; and next to nothing while nothing happens."""
_AWAY = 2.0
_END = "~"
"""Beyond any key."""

_HEALED = "DELETE FROM drift WHERE table_name = %s AND key > %s AND key <= %s AND NOT key = ANY(%s)"
_FOUND = """
INSERT INTO drift (table_name, key, difference) VALUES (%s, %s, %s)
ON CONFLICT (table_name, key) DO UPDATE SET difference = excluded.difference
"""


class Sweep:
    """Where the sweep is: each table has its own place, and begins again at its end.

    It is `quiet` once all tables were compared from end to end, nothing differed, and the log has not grown since.
    """

    def __init__(self, mapper: SealingMapper) -> None:
        self._mapper = mapper
        self._after: dict[str, UUID] = {one.table.name: FIRST for one in INLINE}
        self._position, self._position_ended = BEFORE_THE_FIRST, False
        self._under_way = {*self._after, journal.FOLLOWER.name}
        self._differing = set[str]()
        self._head: int | None = None
        self.quiet = False

    def look(self, connection: Connection[Values], projection: Projection | None) -> int:
        """Compare the next stretch of a list, or of the journal (None), and write down what differs; how much does."""
        table = journal.FOLLOWER.name if projection is None else projection.table.name
        # written down in the same transaction: a rebuild, which forgets what differed, comes before or after
        with one_moment(connection, table):
            low, high, found = self._journal(connection) if projection is None else self._list(connection, projection)
            connection.execute(_HEALED, (table, low, high, [_key(one.key) for one in found]))
            for one in found:
                connection.execute(_FOUND, (table, _key(one.key), str(one)))
            grown = head(connection)
        ended = self._position_ended if projection is None else self._after[table] == FIRST
        self._note(table, grown, ended=ended, differs=bool(found))
        return len(found)

    def _note(self, table: str, grown: int, *, ended: bool, differs: bool) -> None:
        """Whether there is any news for the sweep to look for."""
        if differs:
            self._differing.add(table)
        if differs or grown != self._head:
            self._head, self.quiet = grown, False
            self._under_way = {*self._after, journal.FOLLOWER.name}
        if ended:
            # what differed on the way to its end may be healed, or be joined by more
            if table not in self._differing:
                self._under_way.discard(table)
            self._differing.discard(table)
            self.quiet |= not self._under_way

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
        self._position, self._position_ended = through, through == reached
        low, high = "" if after == BEFORE_THE_FIRST else _key(after), _END if through == reached else _key(through)
        return low, high, list(differences(journal.COLUMNS, expected, actual))


def run_sweep(conninfo: str, mapper: SealingMapper, stop: threading.Event) -> None:
    """Sweep until told to stop; goes on after the database was away."""
    sweep = Sweep(mapper)
    while not stop.is_set():
        try:
            with connect(conninfo, "daybook-sweep") as connection:
                until = time.monotonic() + LIFETIME
                for projection in cycle([*INLINE, None]):
                    sweep.look(connection, projection)
                    if stop.wait(_QUIET if sweep.quiet else _PAUSE):
                        return
                    if time.monotonic() > until:
                        break
        except LOST:
            stop.wait(_AWAY)


def _key(key: UUID | int) -> str:
    """A key as text that sorts as keys do."""
    return f"{key + 1:020}" if isinstance(key, int) else str(key)
