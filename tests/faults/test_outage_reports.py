"""What of the driver's and the store's warnings is news of an outage."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from api.background.reports import AWAY, OutageHandler, Reports
from domain.store.connections import Statements, open_pool
from tests.databases import Database


class Listener:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        self.handler = OutageHandler(Reports(write))

    def so_far(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._read, 4096)
        return b""


@pytest.fixture
def told() -> Iterator[Listener]:
    told = Listener()
    loggers = [logging.getLogger("psycopg"), logging.getLogger("daybook.unavailable")]
    for logger in loggers:
        logger.addHandler(told.handler)
    yield told
    for logger in loggers:
        logger.removeHandler(told.handler)


def test_a_connection_we_closed_for_its_age_is_no_outage(
    database: Database, told: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_pool(database.application_url, size=2)) as pool:
        pool.wait(60)
        connection = pool.getconn()
        connection.close()
        pool.putconn(connection)
        pool.wait(60)
    assert "discarding closed connection" in caplog.text
    assert told.so_far() == b""


def test_a_connection_the_database_closed_is_one(database: Database, told: Listener) -> None:
    with closing(open_pool(database.application_url, size=2)) as pool:
        pool.wait(60)
        database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daybook'")
        assert Statements(pool).row("SELECT 1") == (1,)
    assert AWAY in told.so_far()
