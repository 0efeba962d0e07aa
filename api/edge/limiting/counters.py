"""Counters of rate limits: kept in the database, atomic, shared by all nodes, on the database's own clock.

One algorithm (wire.md §5): a counter and the time of the last admitted hit. It starts anew once a whole window has
passed since that hit; each admitted hit moves the time forward, a refused one does not. So no window of that length
ever sees more hits than allowed.

The moment of asking decides whether a window has passed, and what is written down is the moment of admission, when the
row is locked. The first is never later than the second, so waiting for a lock can only make it stricter.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, NamedTuple

from domain.store.connections import Statements, Values
from domain.store.session_settings import NOT_AWAITED

COUNT = """
WITH counted AS (
    INSERT INTO rate_limits AS r (key, hits, last_hit_at)
    SELECT asked.key, asked.hits, clock_timestamp() FROM unnest($1, $2) AS asked (key, hits) ORDER BY asked.key
    ON CONFLICT (key) DO UPDATE
       SET hits = excluded.hits
                + CASE WHEN statement_timestamp() - r.last_hit_at >= $4 THEN 0 ELSE LEAST(r.hits, $3) END,
           last_hit_at = CASE WHEN r.hits < $3 OR statement_timestamp() - r.last_hit_at >= $4 THEN clock_timestamp()
                              ELSE r.last_hit_at END
    RETURNING key, hits, last_hit_at
)
SELECT key, hits, EXTRACT(EPOCH FROM last_hit_at + $4 - clock_timestamp())::float8 FROM counted WHERE hits > $3
"""
"""Count hits under distinct keys that share one limit: what came of those that were not all admitted.

`$1` bytea[], the keys; `$2` integer[], how many hits each is asked for; `$3` integer, `$4` interval, the limit. A key
comes back if not all of its hits were admitted, with its counter as if they had been, and the seconds until one will
be: of n asked, the first `limit - (counter - n)` were admitted, none if that is negative. Rows are locked in the order
of their keys, so that two of these cannot deadlock.
"""

# Counters are not told to anybody: while a standby is away they must not hold up those who read.
_RESERVE = f"""
INSERT INTO rate_limits AS r (key, hits, last_hit_at) VALUES ($1, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE
   SET hits = CASE WHEN statement_timestamp() - r.last_hit_at >= $3 THEN 1 ELSE r.hits + 1 END,
       last_hit_at = CASE WHEN statement_timestamp() - r.last_hit_at >= $3 THEN clock_timestamp()
                          ELSE r.last_hit_at END
 WHERE statement_timestamp() - r.last_hit_at >= $3 OR r.hits < $2
RETURNING hits, {NOT_AWAITED}
"""
_RESERVE_ALL = f"""
INSERT INTO rate_limits AS r (key, hits, last_hit_at)
SELECT asked.key, 1, clock_timestamp() FROM unnest($1::bytea[]) AS asked (key) ORDER BY asked.key
ON CONFLICT (key) DO UPDATE
   SET hits = CASE WHEN statement_timestamp() - r.last_hit_at >= $3 THEN 1 ELSE r.hits + 1 END,
       last_hit_at = CASE WHEN statement_timestamp() - r.last_hit_at >= $3 THEN clock_timestamp()
                          ELSE r.last_hit_at END
 WHERE statement_timestamp() - r.last_hit_at >= $3
    OR r.hits < (SELECT most.hits FROM unnest($1::bytea[], $2::integer[]) AS most (key, hits) WHERE most.key = r.key)
RETURNING key, {NOT_AWAITED}
"""
_CONFIRM = f"UPDATE rate_limits SET last_hit_at = clock_timestamp() WHERE key = $1 RETURNING {NOT_AWAITED}"
_GIVE_BACK = f"UPDATE rate_limits SET hits = hits - 1 WHERE key = $1 AND hits > 0 RETURNING {NOT_AWAITED}"
_WAIT = "SELECT EXTRACT(EPOCH FROM last_hit_at + $2 - clock_timestamp())::float8 FROM rate_limits WHERE key = $1"
# locked rows are passed over: others count them right now, and whoever waits for nobody cannot deadlock
_FORGET = f"""
DELETE FROM rate_limits WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM rate_limits
     WHERE last_hit_at < statement_timestamp() - 2 * get_byte(key, 0) * interval '1 minute'
     LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING {NOT_AWAITED}
"""
_CLEAR = f"DELETE FROM rate_limits WHERE key = ANY($1) RETURNING hits, {NOT_AWAITED}"
_AT_ONCE = 10_000
"""Counters that are forgotten by one statement: however many there are, none takes long."""


class Limit(NamedTuple):
    """At most `hits` in `window`, which is not longer than four hours."""

    hits: int
    window: timedelta


class Counter(NamedTuple):
    """A counter and what it counts up to. Its key begins with how many minutes it matters, so that it can be forgotten.

    The rest of it is a keyed hash: no address of anybody stands in the table.
    """

    key: bytes
    limit: Limit

    @staticmethod
    def of(hashed: bytes, limit: Limit) -> Counter:
        """The counter of whatever was hashed."""
        return Counter(bytes([math.ceil(limit.window / timedelta(minutes=1))]) + hashed, limit)


class Counters:
    """Counters of what may yet turn out not to count.

    What was sent again because its answer got lost may count twice, in either direction: off by one, once.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def reserve(self, counter: Counter) -> int:
        """0 if a hit is admitted, and its place taken; else how many whole seconds until one will be."""
        if self._statements.row(_RESERVE, counter.key, counter.limit.hits, counter.limit.window) is not None:
            return 0
        return self._wait(counter)

    def reserve_all(self, *counters: Counter) -> int:
        """As `reserve`, of each of these, which have different keys and one window; or of none."""
        [window] = {one.limit.window for one in counters}
        keys, most = [one.key for one in counters], [one.limit.hits for one in counters]
        admitted = {key for key, _ in self._statements.rows(_RESERVE_ALL, keys, most, window)}
        refused = [one for one in counters if one.key not in admitted]
        if not refused:
            return 0
        for one in counters:
            if one.key in admitted:
                self.give_back(one)
        return max(map(self._wait, refused))

    def reserve_beside(self, counter: Counter, query: str, *values: Any) -> tuple[int, Values]:
        """As `reserve`, and the row of a query that is answered beside it: all null if there is none.

        The query's parameters are written `{0}`, `{1}` …
        """
        beside = query.format(*(f"${number}" for number in range(4, 4 + len(values))))
        row = self._statements.row(
            f"WITH reserved AS ({_RESERVE}) SELECT reserved.hits, beside.*"
            f" FROM (SELECT) AS once LEFT JOIN reserved ON true LEFT JOIN ({beside}) AS beside ON true",
            counter.key,
            counter.limit.hits,
            counter.limit.window,
            *values,
        )
        assert row is not None, "a row, whatever is found"
        hits, *found = row
        return 0 if hits is not None else self._wait(counter), tuple(found)

    def _wait(self, counter: Counter) -> int:
        wait = self._statements.row(_WAIT, counter.key, counter.limit.window)
        return 1 if wait is None else max(1, math.ceil(wait[0]))

    def confirm(self, counter: Counter) -> None:
        """The reserved hit was of the counted kind."""
        self._statements.rows(_CONFIRM, counter.key)

    def give_back(self, counter: Counter) -> None:
        """The reserved hit was not of the counted kind."""
        self._statements.rows(_GIVE_BACK, counter.key)

    def clear(self, *counters: Counter) -> bool:
        """Count from nothing again; whether any of these had counted anything."""
        return any([hits for hits, *_ in self._statements.rows(_CLEAR, [one.key for one in counters])])

    def forget(self) -> int:
        """Drop counters that have not mattered for as long as they did; how many there were."""
        forgotten, found = 0, _AT_ONCE
        while found == _AT_ONCE:
            found = len(self._statements.rows(_FORGET, _AT_ONCE))
            forgotten += found
        return forgotten
