"""What nobody needs any more is forgotten: counters, attempts, and when sessions were last used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from api.background.retention import Retention, run_retention
from domain.store.attempts import AttemptKind, Tally
from domain.store.connections import open_pool
from domain.store.requirements import open_keyring
from tests.databases import Database
from tests.faults.two_servers import until
from tests.people import ADA, NOON, SECRET

LAPTOP, PHONE = UUID(int=1), UUID(int=2)
KINDS = {
    AttemptKind(ADA, "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", None, NOON - age): Tally(
        1, NOON - age, NOON - age, None
    )
    for age in (timedelta(days=91), timedelta(days=89))
}


@pytest.fixture
def retention(database: Database) -> Iterator[Retention]:
    """At noon, where sessions live for a week."""
    with psycopg.connect(database.application_url) as connection:
        keyring = open_keyring(connection, SECRET)
    with open_pool(database.application_url, size=1) as pool:
        yield Retention.over(pool, keyring, sessions_live_for=timedelta(days=7), clock=lambda: NOON)


def test_attempts_of_ninety_days_ago_are_forgotten(retention: Retention, database: Database) -> None:
    retention.attempts.record(KINDS)
    retention.tidy(whole=False)
    assert database.rows("SELECT last_at FROM attempts") == [(NOON - timedelta(days=89),)]


def test_sessions_that_nobody_used_for_as_long_as_one_may_live_are_forgotten_by_the_hour(
    retention: Retention, database: Database
) -> None:
    retention.last_active.record({LAPTOP: NOON - timedelta(days=7, seconds=1), PHONE: NOON - timedelta(days=6)})
    retention.tidy(whole=False)
    assert database.value("SELECT count(*) FROM last_active") == 2
    retention.tidy(whole=True)
    assert database.rows("SELECT session_id FROM last_active") == [(PHONE,)]


def test_counters_that_no_window_reaches_are_forgotten(retention: Retention, database: Database) -> None:
    for key, age in ((b"\x01old", timedelta(minutes=3)), (b"\x01new", timedelta(minutes=1))):
        database.rows("INSERT INTO rate_limits VALUES (%s, 1, clock_timestamp() - %s)", key, age)
    retention.tidy(whole=False)
    assert database.rows("SELECT key FROM rate_limits") == [(b"\x01new",)]


def test_deliveries_that_are_over_are_forgotten_and_those_nobody_sends_are_dropped(
    retention: Retention, database: Database
) -> None:
    for number, (state, age) in enumerate((("sent", 8), ("sent", 1), ("waiting", 4), ("waiting", 1))):
        database.rows(
            "INSERT INTO deliveries (kind, stream_id, version, state, due_at, ended_at)"
            " VALUES ('invitation', %s, 1, %s, now() - %s, CASE WHEN %s = 'sent' THEN now() - %s END)",
            UUID(int=number), state, timedelta(days=age), state, timedelta(days=age),
        )  # fmt: skip
    retention.tidy(whole=False)
    assert database.rows("SELECT stream_id, state FROM deliveries ORDER BY stream_id") == [
        (UUID(int=1), "sent"),
        (UUID(int=2), "dropped"),
        (UUID(int=3), "waiting"),
    ]


def test_deliveries_that_this_node_sends_wait_however_long(retention: Retention, database: Database) -> None:
    """While all nodes were away for days, nobody decided against them."""
    database.rows(
        "INSERT INTO deliveries (kind, stream_id, version, due_at)"
        " VALUES ('invitation', gen_random_uuid(), 1, now() - interval '30 days')"
    )
    sends = replace(retention, kinds_sent=("invitation",))
    sends.tidy(whole=True)
    assert database.value("SELECT state FROM deliveries") == "waiting"


def test_it_goes_on_until_told_to_stop(
    retention: Retention, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.background.retention._EVERY", 0.05)
    stop = threading.Event()
    tidying = threading.Thread(target=run_retention, args=(retention, stop))
    tidying.start()
    try:
        for number in range(2):
            database.rows("INSERT INTO rate_limits VALUES (%s, 1, clock_timestamp() - interval '1 hour')", b"\x01old")
            until(lambda: not database.rows("SELECT FROM rate_limits"), f"round {number}")
    finally:
        stop.set()
        tidying.join(10)
    assert not tidying.is_alive()
