"""A node that nobody asks: what it costs, and how soon it notices that something happens after all."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import psutil
import psycopg
import sign_ups
from cluster import SECRET, Cluster, store

from domain.store.connections import connection_arguments
from tests.databases import Database
from tests.server import Server, served

SETTLING, SECONDS = 20, 30
"""Seconds until a node has come to rest, and for which it is then watched."""
APPENDS = 60
_EVERY = 0.25

Tell = Callable[[str, int, int], None]


def measured(cluster: Cluster, _events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Per cent of a core by process, transactions and transaction ids a second; milliseconds until the log has it."""
    with cluster.database("bench_idle") as database:
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "RATE_LIMIT": "off",
            "WORKERS": 2,
        }
        with (
            served(cluster.folder / "idle.log", settings) as server,
            _owner(cluster) as owner,
            store(database, connections=2) as elsewhere,
        ):
            token = sign_ups.signed_up(elsewhere)
            _wait("settling", SETTLING, tell)
            idle = _idle(server, owner, database, tell)
            lag = {
                "this node": _lags(database, lambda: _rename(server, token), "lag", tell),
                "another, its background process dead": _lags(
                    database, lambda: sign_ups.sign_up(elsewhere).append(elsewhere), "lag from elsewhere", tell
                ),
            }
    return {**idle, "lag_ms": lag}


def _owner(cluster: Cluster) -> psycopg.Connection[tuple[Any, ...]]:
    # of another database, so that what is asked here does not count there
    return psycopg.connect(cluster.embedded.conninfo("postgres"), autocommit=True)


def _idle(server: Server, owner: psycopg.Connection[tuple[Any, ...]], database: Database, tell: Tell) -> dict[str, Any]:
    processes = server.processes()
    before, counted = {one.pid: _spent(one) for one in processes}, _counters(owner, database)
    began = time.monotonic()
    _wait("idle", SECONDS, tell)
    seconds = time.monotonic() - began
    transactions, ids = (after - then for after, then in zip(_counters(owner, database), counted, strict=True))
    cpu: dict[str, float] = {}
    for one in processes:
        name = _role(one, server)
        cpu[name] = cpu.get(name, 0.0) + 100 * (_spent(one) - before[one.pid]) / seconds
    return {
        "cpu_percent": {name: round(spent, 3) for name, spent in cpu.items()},
        "transactions_per_second": round(transactions / seconds, 2),
        "transaction_ids_per_second": round(ids / seconds, 2),
    }


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _role(process: psutil.Process, server: Server) -> str:
    words = process.cmdline()
    if server.process is not None and process.pid == server.process.pid:
        return "supervisor"
    if "api.background.tasks" in words:
        return "background process"
    return "workers" if "api.cli.worker" in words else "others"


def _counters(owner: psycopg.Connection[tuple[Any, ...]], database: Database) -> tuple[int, int]:
    # the server's processes tell what they counted within ten seconds of silence, which is the same before and after
    [row] = owner.execute(
        "SELECT xact_commit + xact_rollback, pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        "  FROM pg_stat_database WHERE datname = %s",
        (database.name,),
    )
    return row[0], row[1]


def _rename(server: Server, token: str) -> None:
    with server.client() as client:
        answer = client.post(
            "/api/auth/update-user",
            json={"name": f"Ada {time.time_ns()}"},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text


def _lags(database: Database, act: Callable[[], object], what: str, tell: Tell) -> dict[str, float]:
    """From the acknowledgement until it can be seen in the log."""
    lags = []
    with psycopg.connect(database.owner_url, **connection_arguments("bench")) as looking:
        for number in range(APPENDS):
            act()
            began = time.monotonic()
            while looking.execute("SELECT true FROM queue LIMIT 1").fetchone():
                time.sleep(0.0005)
            lags.append(1000 * (time.monotonic() - began))
            tell(what, number + 1, APPENDS)
            time.sleep(_EVERY)
    lags.sort()
    return {"p50": round(median(lags), 1), "p95": round(lags[int(0.95 * len(lags))], 1), "max": round(lags[-1], 1)}


def _wait(what: str, seconds: int, tell: Tell) -> None:
    for second in range(seconds):
        time.sleep(1)
        tell(what, second + 1, seconds)
