"""Following the log: duplicates and restarts are harmless, and what cannot be taken in is set aside in sight of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from domain.events.catalogue import SESSION
from domain.ids import new_id
from domain.session import EndReason, SessionEnded
from domain.store import Addition, Store
from domain.store.connections import Values, connection_arguments
from domain.store.log import LogEntry
from domain.store.sequencer import sequence
from projections import FOLLOWERS
from projections.maintenance.condition import condition
from projections.maintenance.follow import begin, follow, try_again
from projections.trails import journal
from projections.trails.follower import Follower
from tests.databases import Database
from tests.domain.store.entries import a_session, ada_with_a_session, by_ada, by_the_system, founded, joined
from tests.keeping import caught_up
from tests.people import ADA

UNREADABLE = "UPDATE events SET name = 'NeverHeardOf' WHERE stream_id = %s AND version = %s"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection[Values]]:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        begin(connection, journal.FOLLOWER)
        yield connection


def entries(database: Database) -> list[tuple[Any, ...]]:
    return database.rows("SELECT * FROM journal ORDER BY position")


def place(database: Database) -> Any:
    return database.value("SELECT position FROM followers WHERE name = 'journal'")


def edit(database: Database, sql: Any, *values: Any) -> None:
    """What only a superuser can do to the log."""
    database.rows("SET session_replication_role = replica")
    database.rows(sql, *values)
    database.rows("SET session_replication_role = origin")


def test_every_event_is_entered_once_with_whom_it_concerns(database: Database, store: Store) -> None:
    subject, session_id = ada_with_a_session(store)
    organization_id, membership_id = new_id(), new_id()
    store.append(
        by_ada(session_id=session_id),
        subject,
        Addition(organization_id, 0, [founded("acme")], subject),
        Addition(membership_id, 0, [joined(organization_id, ADA)]),
    )
    ended = store.load(SESSION, session_id)
    store.append(by_the_system(), None, ended.with_events([SessionEnded(reason=EndReason.SIGNED_OUT)]))
    caught_up(database)
    found = database.rows(
        "SELECT position, event, stream_id, version, actor_kind, actor_id, session_id, person_id, organization_id"
        " FROM journal ORDER BY position"
    )
    assert found == [
        (0, "SessionStarted", session_id, 1, "user", ADA, session_id, ADA, None),
        (1, "PersonalOrganizationFounded", organization_id, 1, "user", ADA, session_id, ADA, organization_id),
        (2, "MemberJoined", membership_id, 1, "user", ADA, session_id, ADA, organization_id),
        (3, "SessionEnded", session_id, 2, "system", None, None, ADA, None),
    ]


def test_every_entry_delivered_twice_and_the_last_thousand_again_changes_nothing(
    database: Database, store: Store, connection: Connection[Values]
) -> None:
    for _ in range(1_200):
        a_session(store)
    while sequence(connection):
        pass

    def twice(inside: Connection[Values], batch: Sequence[LogEntry]) -> None:
        journal.apply(inside, batch)
        journal.apply(inside, [*batch, *batch])

    while follow(connection, Follower("journal", twice), limit=70):
        pass
    once = entries(database)
    assert [row[0] for row in once] == list(range(1_200))
    database.rows("UPDATE followers SET position = 199")
    while follow(connection, journal.FOLLOWER, limit=70):
        pass
    assert entries(database) == once


def test_a_crash_in_a_batch_leaves_rows_and_place_as_they_were(
    database: Database, store: Store, connection: Connection[Values]
) -> None:
    for _ in range(5):
        a_session(store)
    sequence(connection)

    def crash(inside: Connection[Values], batch: Sequence[LogEntry]) -> None:
        journal.apply(inside, batch)
        raise psycopg.OperationalError("the server went away")

    with pytest.raises(psycopg.OperationalError):
        follow(connection, Follower("journal", crash))
    assert (entries(database), place(database)) == ([], -1)
    assert follow(connection, journal.FOLLOWER) == 5


def test_while_one_node_is_at_it_another_one_lets_it_work(
    database: Database, store: Store, connection: Connection[Values]
) -> None:
    a_session(store)
    sequence(connection)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as other, other.transaction():
        other.execute("SELECT FROM followers FOR UPDATE")
        assert follow(connection, journal.FOLLOWER) == 0
    assert follow(connection, journal.FOLLOWER) == 1


def test_an_event_nobody_can_read_is_set_aside_and_the_others_go_on(database: Database, store: Store) -> None:
    sessions = [a_session(store) for _ in range(20)]
    edit(database, UNREADABLE, sessions[7], 1)
    caught_up(database)
    assert [row[0] for row in entries(database)] == [position for position in range(20) if position != 7]
    aside = database.rows("SELECT follower, position, error FROM set_aside ORDER BY follower")
    assert aside == [("deliveries", 7, "UnknownEvent"), ("journal", 7, "UnknownEvent")]
    [_, follower] = condition(store.statements).followers
    assert (follower.position, follower.set_aside) == (19, 1)
    assert condition(store.statements).damaged


def test_what_leans_on_an_unreadable_beginning_is_set_aside_too(database: Database, store: Store) -> None:
    session_id = a_session(store)
    edit(database, UNREADABLE, session_id, 1)
    edit(
        database,
        "INSERT INTO events SELECT stream_id, 2, 'SessionEnded', NULL, command_id, %s, NULL FROM events",
        b'{"reason":"signed_out"}',
    )
    database.rows("INSERT INTO queue (stream_id, version) VALUES (%s, 2)", session_id)
    caught_up(database)
    aside = "SELECT position, error FROM set_aside WHERE follower = 'journal' ORDER BY position"
    assert database.rows(aside) == [
        (0, "UnknownEvent"),
        (1, "NoBeginning"),
    ]


def test_a_release_that_can_read_it_takes_it_in_after_all(
    database: Database, store: Store, connection: Connection[Values]
) -> None:
    session_id = a_session(store)
    edit(database, UNREADABLE, session_id, 1)
    caught_up(database)
    assert [try_again(connection, one) for one in FOLLOWERS] == [0, 0]
    edit(database, "UPDATE events SET name = 'SessionStarted'")
    assert [try_again(connection, one) for one in FOLLOWERS] == [1, 1]
    assert (len(entries(database)), database.rows("SELECT FROM set_aside")) == (1, [])
    assert not condition(store.statements).damaged


def test_a_thousand_entries_without_events_do_not_keep_it_from_the_next(
    database: Database, store: Store, connection: Connection[Values]
) -> None:
    edit(
        database,
        "INSERT INTO log SELECT n, gen_random_uuid(), 1, now() FROM generate_series(0, 1499) AS n",
    )
    a_session(store)
    while sequence(connection):
        pass
    while follow(connection, journal.FOLLOWER):
        pass
    assert [row[0] for row in entries(database)] == [1500]
    assert place(database) == 1500
