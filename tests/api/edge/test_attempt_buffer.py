"""The attempt buffer: what is noted is written soon, as one, whatever else is noted and whatever the database does."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import psycopg
import pytest

from api.edge.attempts import AttemptBuffer
from domain.store import Store
from domain.store.attempts import Attempt, Attempts
from domain.store.connections import connection_arguments
from domain.store.envelope import WhereFrom
from domain.store.requirements import open_keyring
from tests.databases import Database
from tests.people import ADA, NOON, SECRET

FIREFOX = WhereFrom("192.0.2.1", "Firefox")
CODE = "INVALID_EMAIL_OR_PASSWORD"


@pytest.fixture
def attempts(store: Store, database: Database) -> Attempts:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        return Attempts(store.pool, open_keyring(connection, SECRET))


def attempt(where_from: WhereFrom = FIREFOX) -> Attempt:
    return Attempt(person_id=ADA, session_id=None, command="sign_in", code=CODE, where_from=where_from, at=NOON)


def test_a_thousand_in_a_moment_are_one_statement(attempts: Attempts, database: Database) -> None:
    async def story() -> None:
        book = AttemptBuffer(attempts)
        for number in range(1_000):
            book.note(attempt(WhereFrom(f"203.0.113.{number % 10}", "Firefox")))
            await asyncio.sleep(0)
        await book.close()

    asyncio.run(story())
    assert database.rows("SELECT count(*), sum(times), count(DISTINCT xmin::text), max(xmax::text) FROM attempts") == [
        (10, 1_000, 1, "0")
    ]


def test_those_noted_while_others_are_being_written_follow(attempts: Attempts, database: Database) -> None:
    async def story() -> None:
        book = AttemptBuffer(attempts)
        for _ in range(60):
            book.note(attempt())
            await asyncio.sleep(0.02)
        await book.close()

    asyncio.run(story())
    assert database.value("SELECT times FROM attempts") == 60


def test_a_database_that_does_not_go_on_holds_up_the_end_for_a_second_only(
    attempts: Attempts, database: Database
) -> None:
    async def story() -> float:
        book = AttemptBuffer(attempts)
        book.note(attempt())
        await asyncio.sleep(0.4)
        began = time.monotonic()
        await book.close()
        return time.monotonic() - began

    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner, owner.transaction():
        owner.execute("LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE")
        took = asyncio.run(story())
    assert 0.9 < took < 1.5


def test_one_that_cannot_be_written_does_not_stop_the_next_and_is_not_told_to_the_log(
    attempts: Attempts, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        book = AttemptBuffer(attempts)
        book.note(replace(attempt(WhereFrom("192.0.2.77", "Firefox")), command="no text\0"))
        await asyncio.sleep(0.6)
        book.note(attempt())
        await book.close()

    with caplog.at_level(logging.DEBUG, logger="daybook"):
        asyncio.run(story())
    assert database.value("SELECT count(*) FROM attempts") == 1
    assert [record.levelname for record in caplog.records if record.name == "daybook"] == ["ERROR"]
    assert "192.0.2.77" not in caplog.text
    assert "no text" not in caplog.text
