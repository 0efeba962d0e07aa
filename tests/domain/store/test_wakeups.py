"""Who appends never waits for wake-ups; a background process notices what happens on any node, at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from domain.store import Store
from domain.store.connections import connect, connection_arguments, open_pool
from domain.store.requirements import open_keyring
from domain.store.sequencer import run_sequencer
from domain.store.wakeups import APPENDED, BACKGROUND_SOCKET, Waker, Wakeups
from projections import INLINE
from tests.databases import Database
from tests.domain.store.entries import a_session
from tests.people import SECRET

NAME = f"daybook-tests-{os.getpid()}"


@contextmanager
def sequencing(database: Database, wakeups: Wakeups) -> Iterator[None]:
    """A sequencer that has come to rest."""
    stop = threading.Event()
    thread = threading.Thread(target=run_sequencer, args=(database.application_url, stop, wakeups))
    thread.start()
    time.sleep(1.5)
    try:
        yield
    finally:
        stop.set()
        thread.join()
        wakeups.close()


def seconds_until_logged(database: Database, events: int) -> float:
    began = time.monotonic()
    while database.value("SELECT count(*) FROM log") < events:
        assert time.monotonic() - began < 30
        time.sleep(0.001)
    return time.monotonic() - began


def test_what_is_appended_on_this_node_is_in_the_log_before_the_next_look_is_due(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BACKGROUND_SOCKET, NAME)
    with sequencing(database, Wakeups.of_this_node()), connect(database.application_url, "tests") as connection:
        keyring = open_keyring(connection, SECRET)
        with open_pool(database.application_url, size=2, name="tests") as pool:
            store = Store(pool, keyring, INLINE)
            lags = []
            for number in range(9):
                a_session(store)
                lags.append(seconds_until_logged(database, number + 1))
    assert sorted(lags)[4] < 0.25


def test_a_node_without_a_keeper_tells_those_of_others(database: Database, store: Store) -> None:
    with sequencing(database, Wakeups("")):
        lags = []
        for number in range(9):
            a_session(store)
            lags.append(seconds_until_logged(database, number + 1))
            time.sleep(0.15)
    assert sorted(lags)[4] < 0.25


def test_a_node_without_a_keeper_does_not_notify_with_every_append(database: Database, store: Store) -> None:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as listening:
        listening.execute(f"LISTEN {APPENDED}")
        began = time.monotonic()
        for _ in range(200):
            a_session(store)
        took = time.monotonic() - began
        told = len(list(listening.notifies(timeout=0.5)))
    assert 1 <= told <= 10 * took + 3


def test_waking_never_waits_for_a_keeper_that_does_not_listen_any_more() -> None:
    wakeups, waker = Wakeups(NAME), Waker(NAME)
    began = time.monotonic()
    assert all(waker.wake() for _ in range(20_000))
    assert time.monotonic() - began < 20
    wakeups.close()
    assert not waker.wake()
    waker.close()


def test_nobody_is_woken_where_no_keeper_was_named() -> None:
    for name in ("", "daybook-nobody"):
        with closing(Waker(name)) as waker:
            assert not waker.wake()
