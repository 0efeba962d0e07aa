"""The sequencer while somebody's snapshot is older than everything it moved: what a look costs, and a full batch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
import sign_ups
from cluster import Cluster, store
from psycopg import IsolationLevel

from domain.store.connections import connection_arguments
from domain.store.sequencer import Sequencer, run_sequencer
from domain.store.wakeups import BACKGROUND_SOCKET, Wakeups
from tests.databases import Database

LOOKS, APPENDS = 200, 100

Tell = Callable[[str, int, int], None]


def measured(cluster: Cluster, events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds of a look at `events` dead rows, the first without a mark; and of an append until the log has it."""
    with cluster.database("bench_queue") as database, _old_snapshot(database):
        with psycopg.connect(database.owner_url, **connection_arguments("bench")) as owner:
            owner.execute("SET statement_timeout = 0")
            owner.execute(
                "INSERT INTO queue (stream_id, version) SELECT gen_random_uuid(), 1 FROM generate_series(1, %s)",
                (events,),
            )
            owner.execute("DELETE FROM queue")
        tell("dead rows", events, events)
        with psycopg.connect(database.application_url, **connection_arguments("bench")) as connection:
            began = time.monotonic()
            sequencer = Sequencer(connection)
            first = 1000 * (time.monotonic() - began)
            while sequencer.step() < 1:
                time.sleep(0.3)
            looks = [_timed(sequencer.look) for _ in range(LOOKS)]
        stop = threading.Event()
        os.environ[BACKGROUND_SOCKET] = f"bench-{os.getpid()}"
        wakeups = Wakeups.of_this_node()
        thread = threading.Thread(target=run_sequencer, args=(database.application_url, stop, wakeups))
        thread.start()
        time.sleep(3 + first / 1000)
        lags = []
        with store(database, connections=2) as opened:
            for number in range(APPENDS):
                sign_ups.sign_up(opened).append(opened)
                lags.append(_timed(lambda: _until_moved(database)))
                tell("appends", number + 1, APPENDS)
                time.sleep(0.05)
        stop.set()
        thread.join()
    return {
        "dead_rows": events,
        "first_look_ms": round(first, 1),
        "look_ms": _summary(looks),
        "lag_ms": _summary(lags),
    }


@contextmanager
def _old_snapshot(database: Database) -> Iterator[None]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            connection.execute("SELECT count(*) FROM daybook.events")
            yield


def _until_moved(database: Database) -> None:
    # from the log's side: to look at the queue would pass all the dead rows
    while database.value("SELECT (SELECT count(*) FROM events) > (SELECT coalesce(max(position), -1) + 1 FROM log)"):
        time.sleep(0.0005)


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return 1000 * (time.monotonic() - began)


def _summary(times: list[float]) -> dict[str, float]:
    times.sort()
    return {"p50": round(median(times), 3), "p95": round(times[int(0.95 * len(times))], 3)}
