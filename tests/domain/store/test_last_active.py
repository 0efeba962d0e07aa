"""Last active: the latest moment of each session, whoever writes when and in which order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import psycopg
import pytest

from domain.ids import new_id
from domain.store import Store
from domain.store.connections import connection_arguments
from domain.store.last_active import PORTION, LastActive
from tests.databases import Database
from tests.people import NOON

LAPTOP, PHONE, TABLET = (UUID(f"01890000-0000-7000-8000-0000000005{n}") for n in ("e1", "e2", "e3"))
ALL = "SELECT session_id, at FROM last_active ORDER BY session_id"


@pytest.fixture
def last_active(store: Store) -> LastActive:
    return LastActive(store.statements)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def written(database: Database) -> dict[UUID, tuple[str, str]]:
    """Which place in the table each row has, and which transaction wrote it there."""
    rows = database.rows("SELECT session_id, ctid::text, xmin::text FROM last_active")
    return {session_id: (place, writer) for session_id, place, writer in rows}


def test_moments_of_many_sessions_are_one_statement(last_active: LastActive, database: Database) -> None:
    moments = {new_id(): after(seconds=n) for n in range(5_000)}
    last_active.record(moments)
    assert dict(database.rows(ALL)) == moments
    assert database.value("SELECT count(DISTINCT xmin::text) FROM last_active") == 1


def test_a_batch_without_moments_writes_nothing(last_active: LastActive, database: Database) -> None:
    last_active.record({})
    assert database.rows(ALL) == []


def test_the_greatest_moment_wins_whichever_is_written_last(last_active: LastActive, database: Database) -> None:
    last_active.record({LAPTOP: after(minutes=5), PHONE: after(minutes=5)})
    last_active.record({LAPTOP: after(minutes=9), PHONE: after(minutes=1), TABLET: NOON})
    assert database.rows(ALL) == [(LAPTOP, after(minutes=9)), (PHONE, after(minutes=5)), (TABLET, NOON)]


def test_a_row_whose_moment_is_no_older_is_not_written(last_active: LastActive, database: Database) -> None:
    last_active.record({LAPTOP: NOON, PHONE: NOON, TABLET: NOON})
    before = written(database)
    last_active.record({LAPTOP: NOON, PHONE: after(hours=-1), TABLET: after(milliseconds=1)})
    now = written(database)
    assert (now[LAPTOP], now[PHONE]) == (before[LAPTOP], before[PHONE])
    assert now[TABLET] != before[TABLET]


def test_writers_with_the_same_sessions_in_opposite_order_do_not_wait_for_each_other(
    last_active: LastActive, database: Database
) -> None:
    chances, sessions = Random(5), [new_id() for _ in range(2_000)]

    def write(sessions: Sequence[UUID], number: int) -> None:
        last_active.record({session_id: after(seconds=number) for session_id in sessions})

    with ThreadPoolExecutor(4) as workers:
        for number in range(0, 60, 4):
            shuffled = chances.sample(sessions, len(sessions))
            orders = (sessions, sessions[::-1], shuffled, shuffled[::-1])
            # a deadlock ends one of them with StoreAway
            list(workers.map(write, orders, range(number, number + 4)))
    assert {at for _, at in database.rows(ALL)} == {after(seconds=59)}
    assert database.value("SELECT count(*) FROM last_active") == len(sessions)


def test_sessions_that_were_not_used_since_are_forgotten(last_active: LastActive, database: Database) -> None:
    last_active.record({LAPTOP: after(days=-8), PHONE: after(days=-7), TABLET: after(days=-1)})
    assert last_active.forget(before=after(days=-7)) == 1
    assert database.rows(ALL) == [(PHONE, after(days=-7)), (TABLET, after(days=-1))]


def test_more_than_a_portion_of_them_are_forgotten_all_the_same(last_active: LastActive, database: Database) -> None:
    many = 2 * PORTION + 1
    database.rows(
        "INSERT INTO last_active SELECT gen_random_uuid(), %s - n * interval '1 ms' FROM generate_series(0, %s) AS n",
        NOON,
        many,
    )
    assert last_active.forget(before=NOON) == many
    assert [at for _, at in database.rows(ALL)] == [NOON]


def test_forgetting_waits_for_nobody_and_leaves_what_is_being_written(
    last_active: LastActive, database: Database
) -> None:
    last_active.record({LAPTOP: after(days=-30), PHONE: after(days=-30)})
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as worker, worker.transaction():
        worker.execute("UPDATE last_active SET at = %s WHERE session_id = %s", (NOON, LAPTOP))
        began = time.monotonic()
        assert last_active.forget(before=after(days=-7)) == 1
        assert time.monotonic() - began < 1
    assert database.rows(ALL) == [(LAPTOP, NOON)]
