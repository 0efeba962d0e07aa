"""The sequencer: every committed event gets its position, contiguous, in the order in which things took effect."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import psycopg
import pytest
from psycopg import Connection, IsolationLevel

from domain.store import Store
from domain.store.connections import Values, connection_arguments
from domain.store.sequencer import CHANNEL, Sequencer, sequence
from tests.databases import Database
from tests.domain.store.entries import a_session


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


AN_EVENT = """
WITH event AS (
    INSERT INTO events SELECT gen_random_uuid(), 1, name, subject_id, command_id, body, sealed FROM events LIMIT 1
    RETURNING stream_id, version
)
INSERT INTO queue (stream_id, version) SELECT stream_id, version FROM event RETURNING arrival
"""
MANY_EVENTS = """
WITH appended AS (
    INSERT INTO events SELECT gen_random_uuid(), 1, e.name, e.subject_id, e.command_id, e.body, e.sealed
      FROM (SELECT * FROM events LIMIT 1) e, generate_series(1, %s)
    RETURNING stream_id, version
)
INSERT INTO queue (stream_id, version) SELECT stream_id, version FROM appended
"""


@pytest.fixture
def connection(database: Database) -> Iterator[Connection[Values]]:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        yield connection


@pytest.fixture
def other(database: Database) -> Iterator[Connection[Values]]:
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
        yield connection


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def at_rest(sequencer: Sequencer) -> None:
    """Until it has moved all there is and raised its mark as far as that is safe."""
    for _ in range(8):
        sequencer.step()
        time.sleep(0.26)


def test_a_look_does_not_pass_what_was_moved_while_somebodys_snapshot_is_older(
    store: Store, database: Database, connection: Connection[Values], other: Connection[Values]
) -> None:
    a_session(store)
    other.isolation_level = IsolationLevel.REPEATABLE_READ
    with other.transaction():
        other.execute("SELECT FROM events")
        database.rows(
            "INSERT INTO queue (stream_id, version) SELECT gen_random_uuid(), 1 FROM generate_series(1, 50000)"
        )
        database.rows("DELETE FROM queue WHERE version = 1")
        sequencer = Sequencer(connection)
        unmarked = median(seconds(sequencer.look) for _ in range(9))
        a_session(store)
        at_rest(sequencer)
        assert median(seconds(sequencer.look) for _ in range(9)) < unmarked / 5


def test_what_arrived_earlier_and_is_committed_later_is_not_passed_by(
    store: Store, database: Database, connection: Connection[Values], other: Connection[Values]
) -> None:
    a_session(store)
    sequencer = Sequencer(connection)
    with other.transaction():
        other.execute(AN_EVENT.encode())
        a_session(store)
        at_rest(sequencer)
        assert database.value("SELECT count(*) FROM log") == 2
    sequencer.step()
    assert database.value("SELECT count(*) FROM log") == 3
    assert not sequencer.look()


def test_what_is_in_the_log_already_or_nowhere_is_dropped_and_told_once(
    store: Store, database: Database, connection: Connection[Values], caplog: pytest.LogCaptureFixture
) -> None:
    first = a_session(store)
    sequence(connection)
    database.rows("INSERT INTO queue (stream_id, version) VALUES (%s, 1), (gen_random_uuid(), 7)", first)
    second = a_session(store)
    database.rows("INSERT INTO queue (stream_id, version) VALUES (%s, 1)", second)
    with caplog.at_level(logging.ERROR, logger="daybook"):
        logging.getLogger("daybook").propagate = True
        assert sequence(connection) == 4
    assert database.rows("SELECT position, stream_id FROM log ORDER BY position") == [(0, first), (1, second)]
    assert database.rows("SELECT FROM queue") == []
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "The sequencer dropped 3 rows of the queue"
    ]


def test_a_batch_that_takes_too_long_is_followed_by_smaller_ones(
    store: Store, database: Database, connection: Connection[Values]
) -> None:
    database.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END $$"
    )
    database.rows("CREATE TRIGGER slow BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION slow()")
    a_session(store)
    database.rows(MANY_EVENTS, 199)
    sequencer = Sequencer(connection)
    connection.execute("SET statement_timeout = '300ms'")
    for _ in range(200):
        if sequencer.step() >= 0.2:
            break
    assert database.value("SELECT count(*) FROM log") == 200


def test_a_full_batch_is_not_compared_each_with_each(
    store: Store, database: Database, connection: Connection[Values]
) -> None:
    a_session(store)
    for _ in range(12):
        sequence(connection)
    taken = {}
    for rows in (250, 2_000):
        database.rows(MANY_EVENTS, rows)
        taken[rows] = seconds(lambda: sequence(connection))
    assert taken[2_000] < 24 * taken[250], "eight times as many may take eight times as long, not sixty-four times"
