"""Counting in a worker: shared statements, refusals that are remembered, and no harm by who hangs up or what dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from api.edge.limiting.counters import Counter, Limit
from api.edge.limiting.request_counter import REFUSALS_KEPT, Refusals, RequestCounter
from domain.refusals import TooManyAttempts
from domain.store.conflicts import StoreUnavailable
from tests.databases import Database

WINDOW = 0.5
THREE = Limit(3, timedelta(seconds=WINDOW))
LONG = Limit(3, timedelta(seconds=60))


@asynccontextmanager
async def node(database: Database) -> AsyncIterator[RequestCounter]:
    """One worker of the service."""
    hits = RequestCounter(database.application_url)
    try:
        yield hits
    finally:
        await hits.close()


def counter(name: str, limit: Limit = LONG) -> Counter:
    return Counter.of(f"{name:32}".encode(), limit)


async def refusal(hits: RequestCounter, one: Counter) -> int | None:
    """How many seconds a hit has to wait, None if it is admitted."""
    try:
        await hits.count(one)
    except TooManyAttempts as error:
        return error.retry_after
    return None


async def settled(counting: list[Awaitable[None]]) -> list[bool]:
    """Which of them were admitted, all others being refused."""
    found = await asyncio.gather(*counting, return_exceptions=True)
    assert all(one is None or isinstance(one, TooManyAttempts) for one in found)
    return [one is None for one in found]


def backend(database: Database) -> int:
    return int(
        database.value(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'daybook-hits'"
        )
    )


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_the_fourth_is_refused_for_the_rest_of_the_window(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            assert [await refusal(hits, counter("a")) for _ in range(5)] == [None, None, None, 60, 60]
            assert await refusal(hits, counter("b")) is None

    play(story)


def test_of_those_who_ask_at_once_the_first_are_admitted(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            a, b = counter("a"), counter("b")
            counting = [hits.count(one) for one in (a, b, a, a, b, a, a)]
            assert await settled([*counting]) == [True, True, True, True, True, False, False]
            assert await settled([hits.count(b), hits.count(b)]) == [True, False]

    play(story)


def test_counters_of_different_limits_are_asked_for_together(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            twice = Limit(2, timedelta(seconds=60))
            asked = [counter("a"), counter("b", twice)] * 4
            admitted = await settled([hits.count(one) for one in asked])
            assert admitted == [True, True] * 2 + [True, False] + [False, False]

    play(story)


def test_three_hits_in_more_than_a_window_fill_it_if_no_pause_is_as_long(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            one = counter("a", THREE)
            for _ in range(3):
                assert await refusal(hits, one) is None
                await asyncio.sleep(0.7 * WINDOW)
            assert await refusal(hits, one) == 1
            await asyncio.sleep(0.35 * WINDOW)
            assert await refusal(hits, one) is None

    play(story)


def test_however_often_one_is_refused_the_next_is_admitted_once_the_window_is_over(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits, node(database) as other:
            one = counter("a", THREE)
            assert await settled([hits.count(one) for _ in range(3)]) == [True] * 3
            full = time.monotonic()
            while await refusal(hits, one) and await refusal(other, one):
                assert time.monotonic() - full < 2 * WINDOW
                await asyncio.sleep(0.01)
            assert time.monotonic() - full > 0.9 * WINDOW

    play(story)


def test_a_known_refusal_asks_nobody(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            one = counter("a", Limit(3, timedelta(seconds=1)))
            assert await settled([hits.count(one) for _ in range(4)]) == [True, True, True, False]
            full = time.monotonic()
            with database.away():
                for _ in range(1000):
                    with pytest.raises(TooManyAttempts):
                        hits.count(one)
                with pytest.raises(StoreUnavailable):
                    await hits.count(counter("somebody else"))
            await asyncio.sleep(full + 1.05 - time.monotonic())
            assert await refusal(hits, one) is None

    play(story)


def test_a_refusal_that_was_let_go_of_is_found_again(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            many = [counter(str(number), Limit(1, timedelta(seconds=60))) for number in range(REFUSALS_KEPT + 100)]
            assert await settled([hits.count(one) for one in many]) == [True] * len(many)
            assert await settled([hits.count(one) for one in many]) == [False] * len(many)
            waits = [await refusal(hits, one) for one in (*many[:10], *many[-10:])]
            # what a busy machine takes for ten thousand hits has passed of the minute
            assert [wait for wait in waits if wait is None or not 40 < wait <= 60] == []

    play(story)


def test_no_more_refusals_are_remembered_than_fit() -> None:
    refusals, now = Refusals(), time.monotonic()
    many = [counter(str(number)) for number in range(REFUSALS_KEPT + 100)]
    for one in many:
        refusals.remember(one, now + 60)
    remembered = [refusals.wait(one) > 0 for one in many]
    assert remembered[-100:] == [True] * 100
    assert remembered.count(True) <= REFUSALS_KEPT


def test_nodes_count_together(database: Database) -> None:
    async def story() -> None:
        async with node(database) as one, node(database) as another:
            for number in range(50):
                here = counter(str(number))
                admitted = await settled([hits.count(here) for _ in range(10) for hits in (one, another)])
                assert admitted.count(True) == 3

    play(story)


def test_who_hangs_up_takes_nobody_elses_count_away(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            for number in range(20):
                asking = [hits.count(counter(f"{number} {who}")) for who in "aabbc"]
                await asyncio.sleep(0)
                asking[0].cancel()
                asking[3].cancel()
                found = await asyncio.gather(*asking, return_exceptions=True)
                gone = [isinstance(one, asyncio.CancelledError) for one in found]
                assert gone == [True, False, False, True, False]

    play(story)


@pytest.mark.parametrize("pause", [0, 0.2], ids=["noticed when asked", "noticed before"])
def test_a_killed_connection_is_followed_by_another(database: Database, pause: float) -> None:
    async def story() -> None:
        async with node(database) as hits:
            for number in range(5):
                assert await refusal(hits, counter(str(number))) is None
                database.rows("SELECT pg_terminate_backend(%s)", backend(database))
                await asyncio.sleep(pause)
                assert await refusal(hits, counter(str(number))) is None

    play(story)


def test_a_frozen_server_is_given_up_in_time_and_the_next_is_counted_elsewhere(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            assert await refusal(hits, counter("a")) is None
            frozen = backend(database)
            os.kill(frozen, signal.SIGSTOP)
            try:
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await hits.count(counter("a"))
                assert 2.9 < time.monotonic() - began < 4
                assert await refusal(hits, counter("a")) is None
            finally:
                os.kill(frozen, signal.SIGCONT)

    play(story)


def test_nobody_waits_for_a_disk_so_that_a_hit_is_counted(database: Database) -> None:
    async def story() -> None:
        async with node(database) as hits:
            behind = []
            for number in range(50):
                await hits.count(counter(str(number)))
                behind.append(database.value("SELECT pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn()"))
            # a commit of the usual kind would have been flushed before it was told
            assert behind.count(True) > 25

    play(story)
