"""The sequencer: every committed event gets its position, contiguous, in the order in which things took effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from domain.store import Store
from domain.store.connections import connection_arguments
from domain.store.sequencer import CHANNEL, sequence
from tests.databases import Database
from tests.domain.store.books import a_session


def test_an_event_is_in_the_queue_until_it_is_in_the_log(store: Store, database: Database) -> None:
    session_id = a_session(store)
    assert database.rows("SELECT stream_id, version FROM queue") == [(session_id, 1)]
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        assert sequence(connection) == 1
        assert sequence(connection) == 0
    assert database.rows("SELECT position, stream_id, version FROM log") == [(0, session_id, 1)]
    assert database.rows("SELECT FROM queue") == []


def test_batches_follow_one_another_without_gap(store: Store, database: Database) -> None:
    for _ in range(7):
        a_session(store)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        assert [sequence(connection, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert database.rows("SELECT position FROM log ORDER BY position") == [(n,) for n in range(7)]


def test_time_in_the_log_never_goes_back(store: Store, database: Database) -> None:
    a_session(store)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        sequence(connection)
        # as if the clock had been an hour fast when the first event was recorded
        database.rows("ALTER TABLE log DISABLE TRIGGER append_only")
        database.rows("UPDATE log SET recorded_at = recorded_at + interval '1 hour'")
        a_session(store)
        sequence(connection)
    [[first], [second]] = database.rows("SELECT recorded_at FROM log ORDER BY position")
    assert second == first


def test_only_one_of_several_moves_anything(store: Store, database: Database) -> None:
    for _ in range(200):
        a_session(store)

    def move(_: int) -> int:
        with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
            return sum(sequence(connection, limit=10) for _ in range(30))

    with ThreadPoolExecutor(4) as nodes:
        moved = sum(nodes.map(move, range(4)))
    assert moved == database.value("SELECT count(*) FROM log")
    assert moved + database.value("SELECT count(*) FROM queue") == 200
    assert database.value("SELECT max(position) FROM log") == moved - 1


def test_followers_are_told_once_a_batch(store: Store, database: Database) -> None:
    with (
        psycopg.connect(database.application_url, **connection_arguments("tests")) as follower,
        psycopg.connect(database.application_url, **connection_arguments("tests")) as connection,
    ):
        follower.execute(f"LISTEN {CHANNEL}")
        a_session(store)
        a_session(store)
        sequence(connection)
        told = list(follower.notifies(timeout=0.5))
    assert [notification.payload for notification in told] == ["1"]
