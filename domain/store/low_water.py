"""The low-water mark of the queue: below it nothing can arrive any more, so nobody need look there.

What was moved leaves dead rows behind, which stay for as long as anybody's snapshot is older; to look for the first
living one passes all of them. Arrivals are drawn before commits, so a lower one may still come after a higher one was
seen. Whoever drew it holds a lock on the queue from before the drawing until after the commit: once all have gone who
held one when the higher was seen, the lower ones have come or never will.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

BELOW_ALL = -(2**63)

# Where the role may not ask how many were drawn, it knows at least those it moved itself.
_DRAWN = """
SELECT CASE WHEN has_sequence_privilege('queue_arrival_seq', 'SELECT')
            THEN pg_sequence_last_value('queue_arrival_seq'::regclass) END
"""
# A lock is let go of after its transaction became visible: who is not listed is seen by every later snapshot.
_HOLDERS = """
SELECT virtualtransaction FROM pg_locks
 WHERE locktype = 'relation' AND relation = 'queue'::regclass
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
"""


class LowWater:
    """The mark as one connection may know it. A server in another's place may draw the same arrivals again."""

    def __init__(self) -> None:
        self.mark = BELOW_ALL
        self._highest = BELOW_ALL
        self._candidate: tuple[int, frozenset[str]] | None = None
        self._settled: int | None = None

    @property
    def lags(self) -> bool:
        """Whether it may soon be raised."""
        return self._highest > self.mark

    def moved(self, arrival: int) -> None:
        """This was drawn, committed and moved."""
        self._highest = max(self._highest, arrival)

    def watch(self, connection: Connection[Any]) -> None:
        """Find out how far arrivals are drawn and who may still bring lower ones, or whether these have gone."""
        if self._settled is not None:
            return
        if self._candidate is None:
            [drawn] = connection.execute(_DRAWN, prepare=False).fetchone() or (None,)
            self._highest = max(self._highest, self.mark if drawn is None else int(drawn))
            if self.lags:
                # a statement of its own: who drew before now is listed there, or has gone
                self._candidate = (self._highest, _holders(connection))
        else:
            arrival, known = self._candidate
            self._candidate = (arrival, known & _holders(connection))
        if self._candidate is not None and not self._candidate[1]:
            self._settled, self._candidate = self._candidate[0], None

    def looked(self, first: int | None) -> None:
        """A look, begun since, found this to be the first above the mark, or nothing."""
        if self._settled is not None and (first is None or first > self._settled):
            self.mark, self._settled = self._settled, None


def _holders(connection: Connection[Any]) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute(_HOLDERS, prepare=False))
