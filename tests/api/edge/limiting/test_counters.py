"""Rate limits: a counter and the time of the last admitted hit (wire.md §5)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random  # noqa: TID251  seeded: the same chances in every run

import psycopg
import pytest

from api.edge.limiting.counters import COUNT, Counter, Counters, Limit
from domain.store import Store
from domain.store.connections import Values, connection_arguments
from tests.databases import Database

TEN_SECONDS = timedelta(seconds=10)
THREE_IN_TEN = Limit(3, TEN_SECONDS)
KEY = b"a key"
COUNTER = Counter.of(b"a hash", THREE_IN_TEN)


@pytest.fixture
def limits(store: Store) -> Counters:
    return Counters(store.statements)


def count(store: Store, *asked: tuple[bytes, int], limit: Limit = THREE_IN_TEN) -> list[Values]:
    """What is told of those that were asked for more hits than the limit admits."""
    keys, hits = zip(*asked, strict=True)
    return store.statements.rows(COUNT, list(keys), list(hits), limit.hits, limit.window)


def refusal(store: Store, key: bytes = KEY) -> float | None:
    """How many seconds one more hit has to wait, None if it is admitted."""
    exceeded = count(store, (key, 1))
    return exceeded[0][2] if exceeded else None


def age(database: Database, seconds: float) -> None:
    """As if so much time had passed."""
    database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - %s * interval '1 second'", seconds)


def test_three_are_admitted_and_the_fourth_waits_ten_seconds(store: Store) -> None:
    assert [refusal(store) for _ in range(3)] == [None, None, None]
    assert refusal(store) == pytest.approx(10, abs=1)


def test_a_whole_window_after_the_last_admitted_hit_it_starts_anew(store: Store, database: Database) -> None:
    for _ in range(3):
        assert [refusal(store) for _ in range(3)] == [None, None, None]
        assert refusal(store) == pytest.approx(10, abs=1)
        age(database, 10)


def test_hits_seven_seconds_apart_fill_it_all_the_same(store: Store, database: Database) -> None:
    for _ in range(3):
        assert refusal(store) is None
        age(database, 7)
    assert refusal(store) == pytest.approx(3, abs=1)


def test_refused_hits_do_not_extend_the_wait(store: Store, database: Database) -> None:
    assert count(store, (KEY, 3)) == []
    age(database, 6)
    assert [refusal(store) for _ in range(5)] == [pytest.approx(4, abs=1)] * 5
    age(database, 4)
    assert refusal(store) is None


def test_of_many_asked_at_once_those_are_told_that_are_too_many(store: Store) -> None:
    assert count(store, (KEY, 2)) == []
    # the third is admitted and four are not
    [(key, hits, wait)] = count(store, (KEY, 5))
    assert (key, hits) == (KEY, 2 + 5)
    assert wait == pytest.approx(10, abs=1)
    # nobody is: it was full
    assert [row[:2] for row in count(store, (KEY, 5))] == [(KEY, 3 + 5)]


def test_the_first_ever_can_be_too_many_too(store: Store) -> None:
    [(key, hits, wait)] = count(store, (KEY, 20))
    assert (key, hits) == (KEY, 20)
    assert 9 < wait <= 10
    assert [row[:2] for row in count(store, (KEY, 1))] == [(KEY, 3 + 1)]


def test_one_statement_counts_many_keys_and_tells_of_the_full_ones_only(store: Store) -> None:
    keys = [bytes([number]) for number in (9, 3, 7, 1)]
    assert count(store, *((key, 1) for key in keys)) == []
    assert count(store, (keys[1], 2)) == []
    assert [row[:2] for row in count(store, *((key, 1) for key in keys))] == [(keys[1], 4)]


def test_no_flood_is_too_much_for_a_counter(store: Store, database: Database) -> None:
    a_flood = 2_000_000_000
    assert [row[1] for _ in range(5) for row in count(store, (KEY, a_flood))] == [a_flood] + [3 + a_flood] * 4
    age(database, 10)
    assert refusal(store) is None


def test_many_at_once_never_overshoot(store: Store) -> None:
    with ThreadPoolExecutor(20) as crowd:
        for number in range(20):
            key = f"round {number}".encode()
            found = list(crowd.map(lambda _, key=key: refusal(store, key), range(20)))
            assert found.count(None) == 3


def test_batches_that_share_keys_neither_deadlock_nor_overshoot(store: Store) -> None:
    chances, keys = Random(7), [bytes([number]) * 4 for number in range(30)]
    batches = [chances.sample(keys, 20) for _ in range(200)]
    limit = Limit(100, TEN_SECONDS)

    def admitted(batch: list[bytes]) -> dict[bytes, int]:
        exceeded = {key: hits for key, hits, _ in count(store, *((key, 2) for key in batch), limit=limit)}
        # two were asked for; the counter says how many that makes, had all been admitted
        return {key: max(0, 100 - (exceeded[key] - 2)) if key in exceeded else 2 for key in batch}

    with ThreadPoolExecutor(4) as crowd:
        found = list(crowd.map(admitted, batches))
    assert {key: sum(one.get(key, 0) for one in found) for key in keys} == dict.fromkeys(keys, 100)


def test_who_waits_for_a_lock_is_judged_by_when_they_asked(store: Store, database: Database) -> None:
    limit = Limit(1, timedelta(milliseconds=300))
    assert count(store, (KEY, 1), limit=limit) == []
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner, ThreadPoolExecutor(1) as thread:
        with owner.transaction():
            owner.execute("SELECT FROM rate_limits FOR UPDATE")
            asking = thread.submit(count, store, (KEY, 1), limit=limit)
            time.sleep(0.5)
        assert [row[1] for row in asking.result()] == [2]
    assert count(store, (KEY, 1), limit=limit) == []


def test_a_reserved_hit_takes_a_place_until_it_is_given_back(limits: Counters) -> None:
    assert [limits.reserve(COUNTER) for _ in range(4)] == [0, 0, 0, 10]
    limits.give_back(COUNTER)
    assert [limits.reserve(COUNTER) > 0 for _ in range(2)] == [False, True]


def test_only_a_confirmed_hit_moves_the_time(limits: Counters, database: Database) -> None:
    limits.reserve(COUNTER)
    limits.confirm(COUNTER)
    for _ in range(5):
        age(database, 3)
        limits.reserve(COUNTER)
        limits.give_back(COUNTER)
    # the confirmed one is 15 s old by now, however much was tried since
    assert database.value("SELECT hits FROM rate_limits") == 0
    limits.reserve(COUNTER)
    age(database, 6)
    limits.confirm(COUNTER)
    age(database, 6)
    assert [limits.reserve(COUNTER) for _ in range(3)] == [0, 0, 4]


@pytest.mark.parametrize(
    ("window", "kept_for"),
    [(timedelta(seconds=10), 120), (timedelta(seconds=60), 120), (timedelta(hours=1), 7200)],
    ids=["ten seconds", "a minute", "an hour"],
)
def test_a_counter_is_forgotten_a_while_after_its_window(
    limits: Counters, database: Database, window: timedelta, kept_for: float
) -> None:
    limits.reserve(Counter.of(b"a hash", Limit(3, window)))
    age(database, kept_for - 5)
    assert limits.forget() == 0
    age(database, 5)
    assert limits.forget() == 1
    assert database.rows("SELECT key FROM rate_limits") == []


def test_however_many_there_are_all_are_forgotten(limits: Counters, database: Database) -> None:
    database.rows(
        "INSERT INTO rate_limits SELECT '\\x01'::bytea || int4send(number), 1, now() - interval '1 hour'"
        " FROM generate_series(1, 25000) AS number"
    )
    limits.reserve(COUNTER)
    assert limits.forget() == 25_000
    assert database.rows("SELECT key FROM rate_limits") == [(COUNTER.key,)]


def test_forgetting_waits_for_nobody_who_counts(limits: Counters, database: Database) -> None:
    limits.reserve(COUNTER)
    limits.reserve(Counter.of(b"another", THREE_IN_TEN))
    age(database, 3600)
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner, owner.transaction():
        owner.execute("SELECT FROM rate_limits WHERE key = %s FOR UPDATE", (COUNTER.key,))
        assert limits.forget() == 1
    assert database.rows("SELECT key FROM rate_limits") == [(COUNTER.key,)]


def test_a_key_says_for_how_many_minutes_it_matters() -> None:
    windows = [timedelta(milliseconds=1), timedelta(seconds=60), timedelta(seconds=61), timedelta(hours=1)]
    assert [Counter.of(b"a hash", Limit(1, window)).key for window in windows] == [
        b"\x01a hash", b"\x01a hash", b"\x02a hash", b"\x3ca hash",
    ]  # fmt: skip


def hits_of(database: Database, *counters: Counter) -> list[int]:
    hits = dict(database.rows("SELECT key, hits FROM rate_limits"))
    return [hits.get(counter.key, 0) for counter in counters]


def test_of_several_reserved_together_all_are_or_none(limits: Counters, database: Database) -> None:
    narrow, wide = COUNTER, Counter.of(b"another hash", Limit(5, TEN_SECONDS))
    assert [limits.reserve_all(narrow, wide) for _ in range(3)] == [0, 0, 0]
    for _ in range(4):
        assert 8 <= limits.reserve_all(wide, narrow) <= 10
    assert hits_of(database, narrow, wide) == [3, 3]
    assert [limits.reserve_all(wide) for _ in range(3)][:2] == [0, 0]
    age(database, 10)
    assert limits.reserve_all(narrow, wide) == 0
    assert hits_of(database, narrow, wide) == [1, 1]


def test_many_that_reserve_the_same_in_another_order_neither_exceed_it_nor_deadlock(
    limits: Counters, database: Database
) -> None:
    counters = [Counter.of(bytes([number]), Limit(10 + number, TEN_SECONDS)) for number in range(3)]
    orders = [counters, counters[::-1], counters[1:] + counters[:1]] * 10
    with ThreadPoolExecutor(12) as threads:
        waits = list(threads.map(lambda order: limits.reserve_all(*order), orders))
    admitted = waits.count(0)
    assert 0 < admitted <= 10
    assert hits_of(database, *counters) == [admitted] * 3
