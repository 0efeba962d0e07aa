"""Following the log: a batch and the follower's new place are one transaction, so restarts and duplicates are harmless.

Any node may run any follower; the one that holds its row goes on, the others look again later. An event a follower
cannot take in is set aside, where it is seen, and the follower goes on with the next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import psycopg
from psycopg import Connection

from domain.store.connections import Values, connect
from domain.store.log import LogEntry, entries_after, entries_at, head
from domain.store.sequencer import CHANNEL
from domain.store.servers import LIFETIME, LOST
from domain.store.wakeups import await_news
from projections.trails.follower import Follower

FULL_BATCH = 1_000
_LOOK_EVERY = 3.0
"""Seconds between looks without a notification: a LISTEN connection can die without a word."""
_LOOK_AGAIN = 0.25
"""Seconds until the next look while another node is at what is to be taken in: it may be frozen."""
_AWAY = 0.5
"""Seconds until the next try while the database does not answer."""

_PLACE = """
INSERT INTO followers (name, position, began_after)
SELECT %s, after, after FROM (SELECT coalesce((SELECT max(position) FROM log WHERE %s), -1)) AS began (after)
    ON CONFLICT (name) DO NOTHING RETURNING position
"""
# of one that a release before began it is not known where
_AGAIN = "UPDATE followers SET restarts = restarts + 1, began_after = coalesce(began_after, position) WHERE name = %s"
# a question, since to lock the row draws a transaction id, also if there is nothing to do
_BEHIND = "SELECT position < (SELECT max(position) FROM log) FROM followers WHERE name = %s"
# whoever finds the row locked lets the other one work
_POSITION = "SELECT position FROM followers WHERE name = %s FOR UPDATE SKIP LOCKED"
_MOVE = "UPDATE followers SET position = %s, moved_at = clock_timestamp() WHERE name = %s"
_SET_ASIDE = "INSERT INTO set_aside (follower, position, error) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_ASIDE = "SELECT position FROM set_aside WHERE follower = %s ORDER BY position LIMIT 10000"
_BACK = "DELETE FROM set_aside WHERE follower = %s AND position = %s"

_logger = logging.getLogger("daybook")


def place(connection: Connection[Values], follower: Follower) -> bool:
    """Give a follower that has none its position: the start of the log, or its head; whether it had none.

    What happened long ago must reach nobody `outside` only because a restored log came without that follower's place.
    """
    placed = connection.execute(_PLACE, (follower.name, follower.outside)).fetchone()
    if placed is not None and placed[0] >= 0:
        _logger.warning("%s begins after position %s of the log: nothing is sent of before.", follower.name, placed[0])
    return placed is not None


def begin(connection: Connection[Values], follower: Follower) -> None:
    """Give the follower its position, if it has none; one that has a position begins again where it was."""
    if not place(connection, follower):
        connection.execute(_AGAIN, (follower.name,))


def follow(connection: Connection[Values], follower: Follower, *, limit: int = FULL_BATCH) -> int:
    """Take in the next batch; how many positions of the log it was. 0 also while another node is at it."""
    with connection.transaction():
        row = connection.execute(_POSITION, (follower.name,)).fetchone()
        if row is None:
            return 0
        [place] = row
        through = min(place + limit, head(connection))
        if through <= place:
            return 0
        entries = entries_after(connection, place, through - place)
        if entries:
            _apply(connection, follower, entries)
        if len(entries) < through - place:
            # what the log points to got lost, which verifying names; those after it must not wait for it
            _logger.error("%s passed %s positions without events.", follower.name, through - place - len(entries))
        connection.execute(_MOVE, (through, follower.name))
    return int(through - place)


def try_again(connection: Connection[Values], follower: Follower) -> int:
    """Take in what was set aside earlier, as far as this release can; how many entries that was."""
    taken = 0
    with connection.transaction():
        if connection.execute(_POSITION, (follower.name,)).fetchone() is None:
            return 0
        positions = [row[0] for row in connection.execute(_ASIDE, (follower.name,))]
        for entry in entries_at(connection, positions):
            if _reason(connection, follower, [entry]) is None:
                connection.execute(_BACK, (follower.name, entry.position))
                taken += 1
    return taken


def run_follower(conninfo: str, follower: Follower, stop: threading.Event) -> None:
    """Follow until told to stop: woken by the sequencer, and looking by itself. Goes on after the database was away."""
    begun = False
    while not stop.is_set():
        try:
            with connect(conninfo, f"daybook-{follower.name}") as connection:
                # frozen in the middle of a batch, it lets go of its row, and another node's goes on
                connection.execute("SET idle_in_transaction_session_timeout = '2s'")
                if not begun:
                    begin(connection, follower)
                    try_again(connection, follower)
                connection.execute(f"LISTEN {CHANNEL}")
                begun = True
                _keep_following(connection, follower, stop)
        except (*LOST, psycopg.errors.IdleInTransactionSessionTimeout):
            begun = False
            stop.wait(_AWAY)


def _keep_following(connection: Connection[Values], follower: Follower, stop: threading.Event) -> None:
    until = time.monotonic() + LIFETIME
    while not stop.is_set() and time.monotonic() < until:
        row = connection.execute(_BEHIND, (follower.name,), prepare=True).fetchone()
        behind = row is not None and row[0] is True
        if not behind:
            await_news(connection, _LOOK_EVERY, stop)
        elif follow(connection, follower) == 0:
            await_news(connection, _LOOK_AGAIN, stop)


def _apply(connection: Connection[Values], follower: Follower, entries: Sequence[LogEntry]) -> None:
    if _reason(connection, follower, entries) is None:
        return
    for entry in entries:
        reason = _reason(connection, follower, [entry])
        if reason is not None:
            connection.execute(_SET_ASIDE, (follower.name, entry.position, reason))
            _logger.error("%s set aside the event at position %s (%s).", follower.name, entry.position, reason)


def _reason(connection: Connection[Values], follower: Follower, entries: Sequence[LogEntry]) -> str | None:
    """Take these in; None if that worked, else the kind of error, never its text, which quotes what it was given."""
    try:
        with connection.transaction():
            follower.apply(connection, entries)
    except LOST:
        raise
    except Exception as error:
        return type(error).__name__
    return None
