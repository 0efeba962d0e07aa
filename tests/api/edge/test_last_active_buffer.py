"""The buffer of who was last active: every use counts, few are written, and the latest of each session always is."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from api.edge.last_active import LastActiveBuffer
from domain.ids import new_id
from domain.store import Store
from domain.store.connections import connection_arguments
from domain.store.last_active import LastActive
from tests.databases import Database
from tests.people import NOON

LAPTOP, PHONE = (UUID(f"01890000-0000-7000-8000-0000000005{n}") for n in ("e1", "e2"))
ALL = "SELECT session_id, at FROM last_active ORDER BY session_id"
SOON = 0.1


@pytest.fixture
def last_active(store: Store) -> LastActive:
    return LastActive(store.statements)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


async def written(database: Database, *, sessions: int) -> None:
    """Return once the table knows so many."""
    began = time.monotonic()
    while database.value("SELECT count(*) FROM last_active") < sessions:
        assert time.monotonic() - began < 15
        await asyncio.sleep(0.02)


def test_a_hundred_thousand_uses_write_the_last_of_each_session_once(
    last_active: LastActive, database: Database
) -> None:
    sessions = [new_id() for _ in range(100)]

    async def story() -> None:
        book = LastActiveBuffer(last_active)
        for number in range(100_000):
            book.seen(sessions[number % 100], after(milliseconds=number))
            if number % 1_000 == 0:
                await asyncio.sleep(0)
        await book.close()

    asyncio.run(story())
    assert dict(database.rows(ALL)) == {one: after(milliseconds=99_900 + n) for n, one in enumerate(sessions)}
    assert database.rows("SELECT count(DISTINCT xmin::text), max(xmax::text) FROM last_active") == [(1, "0")]


def test_nothing_is_written_for_seconds_and_all_of_it_at_the_end(last_active: LastActive, database: Database) -> None:
    async def story() -> float:
        book = LastActiveBuffer(last_active)
        for number in range(30):
            book.seen(new_id(), after(seconds=number))
            await asyncio.sleep(0.05)
        assert database.rows(ALL) == []
        began = time.monotonic()
        await book.close()
        return time.monotonic() - began

    took = asyncio.run(story())
    assert [at for _, at in database.rows("SELECT 1, at FROM last_active ORDER BY at")] == [
        after(seconds=number) for number in range(30)
    ]
    assert took < 1


def test_uses_that_follow_are_written_in_batches_of_their_own(last_active: LastActive, database: Database) -> None:
    async def story() -> None:
        book = LastActiveBuffer(last_active, after=SOON)
        for number in range(3):
            for _ in range(500):
                book.seen(new_id(), after(seconds=number))
            await written(database, sessions=500 * (number + 1))
        await book.close()

    asyncio.run(story())
    assert database.rows(
        "SELECT at, count(*), count(DISTINCT xmin::text) FROM last_active GROUP BY at ORDER BY at"
    ) == [(after(seconds=number), 500, 1) for number in range(3)]


def test_a_moment_never_goes_back(last_active: LastActive, database: Database) -> None:
    async def story() -> None:
        book = LastActiveBuffer(last_active, after=SOON)
        for seconds in (3, 9, 1):
            book.seen(LAPTOP, after(seconds=seconds))
        assert book.held().pending(LAPTOP) == after(seconds=9)
        await written(database, sessions=1)
        book.seen(LAPTOP, after(seconds=5))
        await book.close()

    asyncio.run(story())
    assert database.rows(ALL) == [(LAPTOP, after(seconds=9))]


def test_what_waits_is_pending_until_it_is_written(last_active: LastActive, database: Database) -> None:
    async def story() -> None:
        book = LastActiveBuffer(last_active, after=SOON)
        book.seen(LAPTOP, NOON)
        assert (book.held().pending(LAPTOP), book.held().pending(PHONE)) == (NOON, None)
        await written(database, sessions=1)
        began = time.monotonic()
        while book.held().pending(LAPTOP) is not None:
            assert time.monotonic() - began < 15
            await asyncio.sleep(0.02)
        await book.close()

    asyncio.run(story())


def test_what_is_being_written_is_still_pending(last_active: LastActive, database: Database) -> None:
    async def story() -> None:
        book = LastActiveBuffer(last_active, after=SOON)
        with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner, owner.transaction():
            owner.execute("LOCK TABLE last_active IN ACCESS EXCLUSIVE MODE")
            book.seen(LAPTOP, after(seconds=1))
            book.seen(PHONE, after(seconds=9))
            # by then a thread waits for the table with the two of them
            await asyncio.sleep(5 * SOON)
            book.seen(LAPTOP, after(seconds=2))
            book.seen(PHONE, after(seconds=8))
            assert (book.held().pending(LAPTOP), book.held().pending(PHONE)) == (after(seconds=2), after(seconds=9))
        await book.close()

    asyncio.run(story())
    assert database.rows(ALL) == [(LAPTOP, after(seconds=2)), (PHONE, after(seconds=9))]


def test_beyond_twenty_thousand_sessions_the_newest_are_let_go_of(last_active: LastActive, database: Database) -> None:
    known, newest = [new_id() for _ in range(20_000)], [new_id() for _ in range(100)]

    async def story() -> None:
        book = LastActiveBuffer(last_active)
        for number, session_id in enumerate([*known, *newest, known[0]]):
            book.seen(session_id, after(milliseconds=number))
        await book.close()

    asyncio.run(story())
    found = dict(database.rows(ALL))
    assert found.keys() == set(known)
    assert found[known[0]] == after(milliseconds=20_100)


def test_what_was_seen_while_the_database_is_away_is_written_when_it_is_back(
    last_active: LastActive, database: Database
) -> None:
    async def story() -> None:
        book = LastActiveBuffer(last_active, after=SOON)
        with database.away():
            book.seen(LAPTOP, NOON)
            # longer than anybody waits for a connection: the first try is over
            await asyncio.sleep(3)
            book.seen(PHONE, after(seconds=3))
            assert (book.held().pending(LAPTOP), book.held().pending(PHONE)) == (NOON, after(seconds=3))
            assert database.rows(ALL) == []
        await written(database, sessions=2)
        await book.close()

    asyncio.run(story())
    assert database.rows(ALL) == [(LAPTOP, NOON), (PHONE, after(seconds=3))]


def test_a_database_that_is_away_holds_up_the_end_for_a_second_only(
    last_active: LastActive, database: Database
) -> None:
    async def story() -> float:
        book = LastActiveBuffer(last_active)
        book.seen(LAPTOP, NOON)
        began = time.monotonic()
        await book.close()
        return time.monotonic() - began

    with database.away():
        took = asyncio.run(story())
    assert 0.9 < took < 1.5
