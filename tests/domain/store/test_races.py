"""Races of appends: who waited for a lock decides on what stands there now, and the log tells what took effect when."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest

from domain.events.catalogue import SESSION
from domain.ids import new_id
from domain.session import EndReason, SessionEnded, SessionRenewed
from domain.store import Addition, Store
from domain.store.conflicts import StreamMovedOn
from domain.store.connections import connection_arguments
from domain.store.sequencer import sequence
from tests.databases import Database
from tests.domain.store.entries import a_session, by_the_system, started
from tests.people import NOON

ROUNDS = 100
ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)
RENEWED = SessionRenewed(expires_at=NOON)


def waiting_for_a_lock(database: Database, many: int) -> None:
    """Return once so many connections wait for a lock."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        waiting = database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if waiting >= many:
            return
        time.sleep(0.002)
    raise AssertionError(f"{many} appends should wait for a lock")


def test_a_stale_guard_that_had_to_wait_first_is_refused_with_nothing_written(store: Store, database: Database) -> None:
    refused = 0
    with ThreadPoolExecutor(1) as other:
        for _ in range(ROUNDS):
            guard = store.load(SESSION, a_session(store))
            session = store.load(SESSION, a_session(store))
            before = database.rows("SELECT (SELECT count(*) FROM commands), (SELECT count(*) FROM queue)")
            with psycopg.connect(database.owner_url, **connection_arguments("tests")) as holder, holder.transaction():
                holder.execute(
                    "UPDATE session_list SET version = version + 1 WHERE session_id = %s", (guard.stream_id,)
                )
                appended: Future[bool] = other.submit(
                    store.append, by_the_system(), None, session.with_events([ENDED]), guards=[guard]
                )
                waiting_for_a_lock(database, 1)
            with pytest.raises(StreamMovedOn):
                appended.result(10)
            refused += 1
            assert database.rows("SELECT (SELECT count(*) FROM commands), (SELECT count(*) FROM queue)") == before
            assert store.load(SESSION, session.stream_id).version == 1
            assert database.value("SELECT version FROM session_list WHERE session_id = %s", session.stream_id) == 1
    assert refused == ROUNDS


def test_two_appends_of_which_one_waits_stand_in_the_log_in_the_order_they_took_effect(
    store: Store, database: Database
) -> None:
    """One guards a row and, holding it, waits for another; the other one changes that row, and waits for the first.

    The log must show them in this order, although the second would have been ready to write at once.
    """
    with (
        ThreadPoolExecutor(2) as others,
        psycopg.connect(database.application_url, **connection_arguments("tests")) as connection,
    ):
        for _ in range(ROUNDS):
            # locks are taken in the order of ids: `read` before `held`
            read, held = (store.load(SESSION, one) for one in sorted([a_session(store), a_session(store)]))
            while sequence(connection):
                pass
            with psycopg.connect(database.owner_url, **connection_arguments("tests")) as holder, holder.transaction():
                holder.execute("SELECT FROM session_list WHERE session_id = %s FOR UPDATE", (held.stream_id,))
                one = others.submit(store.append, by_the_system(), None, held.with_events([ENDED]), guards=[read])
                waiting_for_a_lock(database, 1)
                other = others.submit(store.append, by_the_system(), None, read.with_events([RENEWED]))
                waiting_for_a_lock(database, 2)
            assert one.result(10)
            assert other.result(10)
            while sequence(connection):
                pass
            order = database.rows("SELECT stream_id FROM log ORDER BY position DESC LIMIT 2")
            assert order == [(read.stream_id,), (held.stream_id,)]


def test_of_many_who_decide_on_the_same_version_exactly_one_is_written(store: Store, database: Database) -> None:
    everybody = threading.Barrier(4)

    def end(session_id: object) -> bool:
        session = store.load(SESSION, session_id)  # type: ignore[arg-type]  # an id, handed through a pool
        everybody.wait()
        try:
            return store.append(by_the_system(), None, session.with_events([ENDED]))
        except StreamMovedOn:
            return False

    with ThreadPoolExecutor(4) as crowd:
        for _ in range(ROUNDS):
            session_id = a_session(store)
            assert sorted(crowd.map(end, [session_id] * 4)) == [False, False, False, True]
            assert store.load(SESSION, session_id).version == 2


def test_appends_that_change_and_guard_each_others_streams_never_deadlock(store: Store, database: Database) -> None:
    """Each changes one and guards the other, at once and in both orders: at most one may win, and none may be hurt."""
    everybody = threading.Barrier(2)

    def change(mine: object, other: object) -> bool:
        one, guard = store.load(SESSION, mine), store.load(SESSION, other)  # type: ignore[arg-type]  # as above
        everybody.wait()
        try:
            return store.append(by_the_system(), None, one.with_events([ENDED]), guards=[guard])
        except StreamMovedOn:
            return False

    before = database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    with ThreadPoolExecutor(2) as pair:
        for _ in range(ROUNDS):
            a, b = a_session(store), a_session(store)
            futures = [pair.submit(change, a, b), pair.submit(change, b, a)]
            assert sum(future.result(10) for future in futures) == 1
    database.rows("SELECT pg_stat_clear_snapshot()")
    assert database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == before


def test_events_of_one_append_stand_together_and_in_order(store: Store, database: Database) -> None:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        for many in (2, 5, 12):
            session_id = new_id()
            store.append(by_the_system(), None, Addition(session_id, 0, [started(), *[RENEWED] * (many - 1)]))
            sequence(connection)
            rows = database.rows("SELECT version FROM log WHERE stream_id = %s ORDER BY position", session_id)
            assert rows == [(version,) for version in range(1, many + 1)]
