"""The sequencer gives every committed event its position in the log: 0, 1, 2, … without gaps.

Serial columns are drawn before commits and come out of order; who follows "greater than the last one seen" loses events
for good (docs/decisions/0004-a-sequencer.md). A batch is one short transaction, so any node may run one and only the
holder of the lock moves anything.
"""

from __future__ import annotations

import threading

import psycopg
from psycopg import Connection

from .connections import Values, connection_arguments

CHANNEL = "daybook_log"
FULL_BATCH = 2_000

_BUSY, _IDLE, _AWAY = 0.010, 0.020, 0.5
"""Seconds until the next look: after a batch, after none, and after the database did not answer."""

_WAITING = "SELECT true FROM queue ORDER BY arrival LIMIT 1"
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('daybook sequencer', 0))"
# Ordered by arrival; the order of a DELETE's RETURNING is nobody's promise, so it is numbered afterwards.
_MOVE = """
WITH last AS (
    SELECT position, recorded_at FROM log ORDER BY position DESC LIMIT 1
), taken AS (
    DELETE FROM queue WHERE arrival IN (SELECT arrival FROM queue ORDER BY arrival LIMIT %s)
    RETURNING arrival, stream_id, version
), entered AS (
    INSERT INTO log (position, stream_id, version, recorded_at)
    SELECT coalesce((SELECT position FROM last), -1) + row_number() OVER (ORDER BY arrival), stream_id, version,
           greatest(date_trunc('milliseconds', statement_timestamp()), (SELECT recorded_at FROM last))
    FROM taken
    RETURNING position
)
SELECT count(*), pg_notify(%s, max(position)::text) FROM entered HAVING count(*) > 0
"""


def sequence(connection: Connection[Values], *, limit: int = FULL_BATCH) -> int:
    """Move one batch from the queue to the log and tell the followers; how many events it was.

    0 also while another one holds the lock. The lock is a statement of its own, because the move must see, in a
    snapshot taken after it, what the last holder wrote.
    """
    with connection.transaction():
        held = connection.execute(_LOCK, prepare=True).fetchone()
        if held is None or not held[0]:
            return 0
        moved = connection.execute(_MOVE, (limit, CHANNEL), prepare=True).fetchone()
    return 0 if moved is None else int(moved[0])


def run_sequencer(conninfo: str, stop: threading.Event) -> None:
    """Move batches until told to stop; after the database was away it goes on by itself.

    Writers never wake it: a NOTIFY at commit takes a lock that all writers share. It looks by itself.
    """
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, **connection_arguments("daybook-sequencer")) as connection:
                # frozen between lock and move, it lets go of the lock, and another node's goes on
                connection.execute("SET idle_in_transaction_session_timeout = '2s'")
                while not stop.is_set():
                    # one cheap question while nothing happens, instead of a transaction fifty times a second
                    moved = sequence(connection) if connection.execute(_WAITING, prepare=True).fetchone() else 0
                    if moved < FULL_BATCH:
                        stop.wait(_BUSY if moved else _IDLE)
        except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout):
            stop.wait(_AWAY)
