"""Rate limits: a counter and the time of the last admitted hit (wire.md §5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain.store import Store
from domain.store.rate_limits import Limit, RateLimits
from tests.databases import Database

THREE_IN_TEN = Limit(3, timedelta(seconds=10))
KEY = b"a key"


@pytest.fixture
def limits(store: Store) -> RateLimits:
    return RateLimits(store.statements)


def age(database: Database, seconds: float) -> None:
    """As if so much time had passed."""
    database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - %s * interval '1 second'", seconds)


def test_three_are_admitted_and_the_fourth_waits_ten_seconds(limits: RateLimits) -> None:
    assert [limits.hit(KEY, THREE_IN_TEN) for _ in range(4)] == [0, 0, 0, 10]


def test_a_whole_window_after_the_last_admitted_hit_it_starts_anew(limits: RateLimits, database: Database) -> None:
    assert [limits.hit(KEY, THREE_IN_TEN) for _ in range(4)] == [0, 0, 0, 10]
    age(database, 10)
    assert [limits.hit(KEY, THREE_IN_TEN) for _ in range(4)] == [0, 0, 0, 10]


def test_hits_seven_seconds_apart_fill_it_all_the_same(limits: RateLimits, database: Database) -> None:
    waits = []
    for _ in range(4):
        waits.append(limits.hit(KEY, THREE_IN_TEN))
        age(database, 7)
    assert waits == [0, 0, 0, 3]


def test_refused_hits_do_not_extend_the_wait(limits: RateLimits, database: Database) -> None:
    for _ in range(3):
        limits.hit(KEY, THREE_IN_TEN)
    age(database, 6)
    assert [limits.hit(KEY, THREE_IN_TEN) for _ in range(5)] == [4] * 5
    age(database, 4)
    assert limits.hit(KEY, THREE_IN_TEN) == 0


def test_a_reserved_hit_takes_a_place_until_it_is_given_back(limits: RateLimits) -> None:
    assert [limits.reserve(KEY, THREE_IN_TEN) for _ in range(4)] == [0, 0, 0, 10]
    limits.give_back(KEY)
    assert [limits.reserve(KEY, THREE_IN_TEN) > 0 for _ in range(2)] == [False, True]


def test_only_a_confirmed_hit_moves_the_time(limits: RateLimits, database: Database) -> None:
    limits.reserve(KEY, THREE_IN_TEN)
    limits.confirm(KEY)
    for _ in range(5):
        age(database, 3)
        limits.reserve(KEY, THREE_IN_TEN)
        limits.give_back(KEY)
    # the confirmed one is 15 s old by now, however much was tried since
    assert database.value("SELECT hits FROM rate_limits") == 0
    limits.reserve(KEY, THREE_IN_TEN)
    age(database, 6)
    limits.confirm(KEY)
    age(database, 6)
    assert [limits.reserve(KEY, THREE_IN_TEN) for _ in range(3)] == [0, 0, 4]


def test_many_at_once_never_overshoot(limits: RateLimits) -> None:
    with ThreadPoolExecutor(20) as crowd:
        for number in range(20):
            key = f"round {number}".encode()
            waits = list(crowd.map(lambda _, key=key: limits.hit(key, THREE_IN_TEN), range(20)))
            assert waits.count(0) == 3


def test_counters_nobody_touches_are_forgotten(limits: RateLimits, database: Database) -> None:
    limits.hit(KEY, THREE_IN_TEN)
    age(database, 7200)
    limits.hit(b"another", THREE_IN_TEN)
    assert limits.forget(timedelta(hours=1)) == 1
    assert database.rows("SELECT key FROM rate_limits") == [(b"another",)]
