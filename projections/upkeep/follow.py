"""Following the log: a batch and the follower's new place are one transaction, so restarts and duplicates are harmless.

Any node may run any follower; the one that holds its row goes on, the others look again later. An event a follower
cannot take in is set aside, where it is seen, and the follower goes on with the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import Connection

from domain.store.connections import Values, connection_arguments
from domain.store.log import LogEntry, entries_after, entries_at
from domain.store.sequencer import CHANNEL

FULL_BATCH = 1_000
_LOOK_EVERY = 0.25
"""Seconds between looks without a notification: a LISTEN connection can die without a word."""
_AWAY = 0.5
"""Seconds until the next try while the database does not answer."""

_BEGIN = """
INSERT INTO followers AS f (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET restarts = f.restarts + 1
"""
# whoever finds the row locked lets the other one work
_PLACE = "SELECT position FROM followers WHERE name = %s FOR UPDATE SKIP LOCKED"
_MOVE = "UPDATE followers SET position = %s, moved_at = clock_timestamp() WHERE name = %s"
_SET_ASIDE = "INSERT INTO set_aside (follower, position, error) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_ASIDE = "SELECT position FROM set_aside WHERE follower = %s ORDER BY position LIMIT 10000"
_BACK = "DELETE FROM set_aside WHERE follower = %s AND position = %s"

_logger = logging.getLogger("daybook")


@dataclass(frozen=True)
class Follower:
    """A projection that runs behind the log. `take_in` writes rows for entries, in order; twice must be as once."""

    name: str
    take_in: Callable[[Connection[Values], Sequence[LogEntry]], None]


def begin(connection: Connection[Values], follower: Follower) -> None:
    """Give the follower its place, at the start of the log; one that has a place begins again where it was."""
    connection.execute(_BEGIN, (follower.name,))


def follow(connection: Connection[Values], follower: Follower, *, limit: int = FULL_BATCH) -> int:
    """Take in the next batch; how many entries it was. 0 also while another node is at it."""
    with connection.transaction():
        place = connection.execute(_PLACE, (follower.name,)).fetchone()
        if place is None:
            return 0
        entries = entries_after(connection, place[0], limit)
        if entries:
            _take_in(connection, follower, entries)
            connection.execute(_MOVE, (entries[-1].position, follower.name))
    return len(entries)


def try_again(connection: Connection[Values], follower: Follower) -> int:
    """Take in what was set aside earlier, as far as this release can; how many entries that was."""
    taken = 0
    with connection.transaction():
        if connection.execute(_PLACE, (follower.name,)).fetchone() is None:
            return 0
        positions = [row[0] for row in connection.execute(_ASIDE, (follower.name,))]
        for entry in entries_at(connection, positions):
            if _reason(connection, follower, [entry]) is None:
                connection.execute(_BACK, (follower.name, entry.position))
                taken += 1
    return taken


def run_follower(conninfo: str, follower: Follower, stop: threading.Event) -> None:
    """Follow until told to stop: woken by the sequencer, and looking by itself. Goes on after the database was away."""
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, **connection_arguments(f"daybook-{follower.name}")) as connection:
                # frozen in the middle of a batch, it lets go of its row, and another node's goes on
                connection.execute("SET idle_in_transaction_session_timeout = '2s'")
                begin(connection, follower)
                connection.execute(f"LISTEN {CHANNEL}")
                try_again(connection, follower)
                while not stop.is_set():
                    if follow(connection, follower) < FULL_BATCH:
                        list(connection.notifies(timeout=_LOOK_EVERY, stop_after=1))
        except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout):
            stop.wait(_AWAY)


def _take_in(connection: Connection[Values], follower: Follower, entries: Sequence[LogEntry]) -> None:
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
            follower.take_in(connection, entries)
    except psycopg.OperationalError:
        raise
    except Exception as error:
        return type(error).__name__
    return None
