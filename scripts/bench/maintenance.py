"""A history and its maintenance: how fast it is loaded, followed, verified and rebuilt, one table after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import history
import psycopg
from cluster import Cluster

from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections import FOLLOWERS
from projections.maintenance.filling import tables
from projections.maintenance.follow import begin, follow
from projections.maintenance.rebuild import rebuild
from projections.maintenance.verify import verify
from tests.databases import Database

Tell = Callable[[str, int, int], None]


def loaded(cluster: Cluster, events: int, one_person: int, tell: Tell) -> dict[str, Any]:
    """How fast a history is loaded, and what is in it."""
    with cluster.database("bench_history") as database:
        began = time.monotonic()
        found = _load(cluster, database, events, one_person, tell)
        seconds = time.monotonic() - began
    return {"events": events, "seconds": seconds, "rate": events / seconds, "counts": dict(found.counts)}


def measured(cluster: Cluster, events: int, one_person: int, tell: Tell) -> dict[str, Any]:
    """Events a second of each part; a rebuild's are those its table consumes."""
    with cluster.database("bench_maintenance") as database:
        _load(cluster, database, events, one_person, tell)
        mapper = SealingMapper(cluster.keyring(database))
        found: dict[str, Any] = {"events": events}
        with psycopg.connect(database.owner_url, **connection_arguments("bench")) as connection:
            connection.execute("SET statement_timeout = 0")
            found["follow"] = _followed(connection, events, tell)
            began = time.monotonic()
            result = verify(connection, mapper, lambda what, done, total: tell(what, done, total or done or 1))
            seconds = time.monotonic() - began
            found["verify"] = {"seconds": seconds, "rate": events / seconds, "clean": result.clean}
        for table in tables():
            made = rebuild(database.owner_url, table, mapper, anew=True, progress=tell)
            found[f"rebuild {table}"] = {
                "events": made.events,
                "rows": made.rows,
                "seconds": made.seconds,
                "rate": made.events / made.seconds,
                "writers_waited": made.writers_waited,
            }
    return found


def _load(cluster: Cluster, database: Database, events: int, one_person: int, tell: Tell) -> history.Loaded:
    done = 0

    def more(number: int) -> None:
        nonlocal done
        done += number
        tell("history", done, events)

    keyring = cluster.keyring(database)
    return history.load(database.owner_url, keyring, events, heavy_person=one_person, progress=more)


def _followed(connection: psycopg.Connection[Any], events: int, tell: Tell) -> dict[str, float]:
    [follower] = FOLLOWERS
    begin(connection, follower)
    began, taken = time.monotonic(), 0
    while batch := follow(connection, follower):
        taken += batch
        tell("follow", taken, events)
    seconds = time.monotonic() - began
    return {"seconds": seconds, "rate": taken / seconds}
