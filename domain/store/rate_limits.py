"""Counters of rate limits: kept in the database, atomic, shared by all nodes, on the database's own clock.

One algorithm (wire.md §5): a counter and the time of the last admitted hit. It starts anew once a whole window has
passed since that hit; each admitted hit moves the time forward, a refused one does not. So no window of that length
ever sees more hits than allowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from .connections import Statements

_HIT = """
INSERT INTO rate_limits AS r (key, hits, last_hit_at) VALUES ($1, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE
   SET hits = CASE WHEN clock_timestamp() - r.last_hit_at >= $3 THEN 1 ELSE r.hits + 1 END,
       last_hit_at = CASE WHEN $4 OR clock_timestamp() - r.last_hit_at >= $3 THEN clock_timestamp()
                          ELSE r.last_hit_at END
 WHERE clock_timestamp() - r.last_hit_at >= $3 OR r.hits < $2
RETURNING hits
"""
_CONFIRM = "UPDATE rate_limits SET last_hit_at = clock_timestamp() WHERE key = $1 RETURNING hits"
_GIVE_BACK = "UPDATE rate_limits SET hits = hits - 1 WHERE key = $1 AND hits > 0 RETURNING hits"
_WAIT = "SELECT EXTRACT(EPOCH FROM last_hit_at + $2 - clock_timestamp())::float8 FROM rate_limits WHERE key = $1"
_FORGET = "DELETE FROM rate_limits WHERE last_hit_at < clock_timestamp() - $1 RETURNING key"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `hits` in `window`."""

    hits: int
    window: timedelta


class RateLimits:
    """Counts hits under keys; a key is a keyed hash, so no address of anybody stands in the table.

    What was sent again because its answer got lost may count twice, in either direction: off by one, once.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def hit(self, key: bytes, limit: Limit) -> int:
        """0 if the hit is admitted, and counted; else how many whole seconds until one will be."""
        return self._admit(key, limit, moves=True)

    def reserve(self, key: bytes, limit: Limit) -> int:
        """As `hit`, for one that may yet be given back."""
        return self._admit(key, limit, moves=False)

    def confirm(self, key: bytes) -> None:
        """The reserved hit was of the counted kind."""
        self._statements.rows(_CONFIRM, key)

    def give_back(self, key: bytes) -> None:
        """The reserved hit was not of the counted kind."""
        self._statements.rows(_GIVE_BACK, key)

    def _admit(self, key: bytes, limit: Limit, *, moves: bool) -> int:
        if self._statements.row(_HIT, key, limit.hits, limit.window, moves) is not None:
            return 0
        wait = self._statements.row(_WAIT, key, limit.window)
        return 1 if wait is None else max(1, math.ceil(wait[0]))

    def forget(self, older_than: timedelta) -> int:
        """Drop counters nobody has touched for so long; how many there were."""
        return len(self._statements.rows(_FORGET, older_than))
