"""The sequencer gives every committed event its position in the log: 0, 1, 2, … without gaps.

Serial columns are drawn before commits and come out of order; who follows "greater than the last one seen" loses events
for good (docs/decisions/0004-a-sequencer.md). A batch is one short transaction, so any node may run one and only the
holder of the lock moves anything. What it costs does not grow with what was moved before, however old the snapshots of
others are (docs/decisions/0020-a-log-that-cannot-stop.md).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from .connections import Values, connect
from .low_water import BELOW_ALL, LowWater
from .servers import LIFETIME, LOST
from .wakeups import APPENDED, Wakeups

CHANNEL = "daybook_log"
FULL_BATCH = 2_000

_BUSY, _IDLE, _AWAY = 0.025, 1.0, 0.5
"""Seconds until the next look: after a batch, after none unless somebody wakes it, and after no answer came."""
_WATCH_EVERY, _WATCH_IDLY = 0.25, 10.0
"""Seconds between questions whether the low-water mark may rise: after something was moved, and if others moved it."""
_FIRST_LOOK = "60s"
"""A look without a mark passes everything that was ever moved and is not cleared away yet."""

_WAITING = "SELECT arrival FROM queue WHERE arrival > %s ORDER BY arrival LIMIT 1"
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('daybook sequencer', 0))"
# The order of a DELETE's RETURNING is nobody's promise, so it is numbered afterwards. What is in the log already, or no
# event, must not keep the others out. Each is looked up by itself: whatever the planner believes about how many there
# are, it cannot compare each with each.
_MOVE = """
WITH last AS (
    SELECT position, recorded_at FROM log ORDER BY position DESC LIMIT 1
), through AS (
    SELECT max(arrival) AS arrival
      FROM (SELECT arrival FROM queue WHERE arrival > %(mark)s ORDER BY arrival LIMIT %(limit)s) AS batch
), taken AS (
    DELETE FROM queue WHERE arrival > %(mark)s AND arrival <= (SELECT arrival FROM through)
    RETURNING arrival, stream_id, version
), once AS (
    SELECT DISTINCT ON (stream_id, version) * FROM taken ORDER BY stream_id, version, arrival
), fit AS (
    SELECT * FROM once
     WHERE (SELECT count(*) FROM log l WHERE l.stream_id = once.stream_id AND l.version = once.version) = 0
       AND (SELECT count(*) FROM events e WHERE e.stream_id = once.stream_id AND e.version = once.version) = 1
), entered AS (
    INSERT INTO log (position, stream_id, version, recorded_at)
    SELECT coalesce((SELECT position FROM last), -1) + row_number() OVER (ORDER BY arrival), stream_id, version,
           greatest(date_trunc('milliseconds', statement_timestamp()), (SELECT recorded_at FROM last))
    FROM fit
    RETURNING position
)
SELECT t.taken, t.arrival, e.entered, CASE WHEN e.entered > 0 THEN pg_notify(%(channel)s, e.position::text) END
  FROM (SELECT count(*) AS taken, max(arrival) AS arrival FROM taken) AS t,
       (SELECT count(*) AS entered, max(position) AS position FROM entered) AS e
"""

_logger = logging.getLogger("daybook")


class Batch(NamedTuple):
    """How many rows of the queue were taken, up to which arrival, and how many events of them entered the log."""

    taken: int
    arrival: int | None
    entered: int


def sequence(connection: Connection[Values], *, limit: int = FULL_BATCH) -> int:
    """Move one batch from the queue to the log and tell the followers; how many rows of the queue it was.

    0 also while another one holds the lock.
    """
    batch = _move(connection, BELOW_ALL, limit)
    return 0 if batch is None else batch.taken


class Sequencer:
    """Moves batches over one connection, and knows below what it need not look."""

    def __init__(self, connection: Connection[Values]) -> None:
        self._connection = connection
        self._water = LowWater()
        self._limit = FULL_BATCH
        self._watched_at = float("-inf")
        connection.execute("SET enable_seqscan = off")
        connection.execute(f"SET statement_timeout = '{_FIRST_LOOK}'")
        self.look()
        connection.execute("RESET statement_timeout")

    def look(self) -> bool:
        """Whether anything waits."""
        found = self._connection.execute(_WAITING, (self._water.mark,), prepare=False).fetchone()
        first = None if found is None else int(found[0])
        self._water.looked(first)
        return first is not None

    def step(self) -> float:
        """Move a batch if anything waits; how many seconds later to look again, unless somebody wakes it sooner."""
        if not self.look():
            self._watch()
            return _IDLE if not self._water.lags else _WATCH_EVERY
        try:
            batch = _move(self._connection, self._water.mark, self._limit)
        except psycopg.errors.QueryCanceled:
            self._limit = max(1, self._limit // 2)
            return _BUSY
        if batch is None:
            # another node is at it; what came too late for its look must not wait for its next one
            return _BUSY
        self._limit = min(FULL_BATCH, self._limit * 2)
        if batch.arrival is not None:
            self._water.moved(batch.arrival)
        self._watch()
        return 0.0 if batch.taken >= self._limit else _BUSY

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._watched_at > (_WATCH_EVERY if self._water.lags else _WATCH_IDLY):
            self._watched_at = now
            self._water.watch(self._connection)


def run_sequencer(conninfo: str, stop: threading.Event, wakeups: Wakeups | None = None) -> None:
    """Move batches until told to stop; after the database was away it goes on by itself.

    Writers never notify it: a NOTIFY at commit takes a lock that all writers share. They wake that of their own node,
    and it looks by itself.
    """
    woken = wakeups or Wakeups("")
    while not stop.is_set():
        try:
            with connect(conninfo, "daybook-sequencer") as connection:
                # frozen between lock and move, it lets go of the lock, and another node's goes on
                connection.execute("SET idle_in_transaction_session_timeout = '2s'")
                connection.execute(f"LISTEN {APPENDED}")
                _keep_moving(connection, stop, woken)
        except (*LOST, psycopg.errors.IdleInTransactionSessionTimeout):
            stop.wait(_AWAY)


def _keep_moving(connection: Connection[Values], stop: threading.Event, wakeups: Wakeups) -> None:
    sequencer, until = Sequencer(connection), time.monotonic() + LIFETIME
    while not stop.is_set() and time.monotonic() < until:
        pause = sequencer.step()
        if pause > _BUSY:
            wakeups.wait(connection, pause, stop)
        elif pause > 0:
            # many come at once: to move each by itself would cost those who write
            stop.wait(pause)


def _move(connection: Connection[Values], mark: int, limit: int) -> Batch | None:
    """One batch; None while another one holds the lock.

    The lock is a statement of its own, because the move must see, in a snapshot taken after it, what the last holder
    wrote. Neither is prepared to be run under a plan made while the tables were empty.
    """
    given: dict[str, Any] = {"mark": mark, "limit": limit, "channel": CHANNEL}
    with connection.transaction():
        held = connection.execute(_LOCK, prepare=False).fetchone()
        if held is None or not held[0]:
            return None
        moved = connection.execute(_MOVE, given, prepare=False).fetchone()
    assert moved is not None, "counts are a row, whatever they count"
    batch = Batch(*moved[:3])
    if batch.entered < batch.taken:
        _logger.error(
            "The sequencer dropped %s rows of the queue: their events are in the log already, or nowhere.",
            batch.taken - batch.entered,
        )
    return batch
