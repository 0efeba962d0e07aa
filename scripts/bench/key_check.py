"""`GET /get-session` by an API key against by a session; and how long one takes where a million keys are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import sign_ups
import wrk
from cluster import SECRET, Cluster, store
from get_session import cookie
from rounds import Pair

from domain.api_key import ApiKeyMade
from domain.clock import now
from domain.events.keys import token_hash
from domain.ids import new_id, new_key_secret, new_token
from domain.key_format import start_of, written
from domain.store import Addition, Store
from domain.store.envelope import CommandRecord
from tests.databases import Database
from tests.server import Server, served

PEOPLE = 2_000
KEYS = {"1,000": 1_000, "1,000,000": 1_000_000}
_ASKED, _WARM = 2_000, 200
_OTHERS = """
INSERT INTO api_key_list (api_key_id, version, user_id, epoch, key_hash, created_at, updated_at)
SELECT uuid, 1, %s, 0, sha256(n::text::bytea), now(), now()
  FROM generate_series(1, %s::integer) n, CAST(lpad(to_hex(n), 32, '0') AS uuid) uuid
"""

Tell = Callable[[str, int, int], None]


@contextmanager
def pairs(cluster: Cluster) -> Iterator[Iterator[Pair]]:
    """2,000 people, each with a session and a key, asked for in turn; 16 connections, one worker, no limits."""
    with cluster.database("bench_keys") as database:
        yield _pairs(cluster, database)


def _pairs(cluster: Cluster, database: Database) -> Iterator[Pair]:
    with _served(cluster, database) as server:
        with store(database, connections=2) as opened:
            found = [_with_key(opened) for _ in range(PEOPLE)]
        url = _url(server)
        by_key = wrk.write(cluster.folder / "keys", ({"x-api-key": key} for _, key in found))
        by_session = wrk.write(cluster.folder / "sessions", ({"Cookie": cookie(token)} for token, _ in found))
        with httpx.Client() as client:
            # the first use of each is written down
            assert all(client.get(url, headers={"x-api-key": key}).status_code == 200 for _, key in found)
        yield Pair(
            name="get-session by key",
            against="by session",
            aim=0.8,
            ours=lambda seconds: wrk.rate(url, by_key, seconds),
            theirs=lambda seconds: wrk.rate(url, by_session, seconds),
            level=lambda: None,
        )


def grown(cluster: Cluster, _events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds of a check, one after the other, where so many keys are: of 200 that are asked for in turn."""
    return {f"{name} keys": _among(cluster, number, name, tell) for name, number in KEYS.items()}


def _among(cluster: Cluster, number: int, name: str, tell: Tell) -> dict[str, float]:
    with cluster.database(f"bench_keys_{number}") as database, _served(cluster, database) as server:
        with store(database, connections=2) as opened:
            keys = [_with_key(opened)[1] for _ in range(_WARM)]
            others = sign_ups.sign_up(opened)
            others.append(opened)
        tell(f"{name} keys made", 0, 1)
        _fill(database, others.owner.subject_id, number - _WARM)
        tell(f"{name} keys made", 1, 1)
        times = list[float]()
        with httpx.Client() as client:
            for asked in range(_WARM + _ASKED):
                began = time.perf_counter()
                answer = client.get(_url(server), headers={"x-api-key": keys[asked % len(keys)]})
                times.append((time.perf_counter() - began) * 1_000)
                assert answer.status_code == 200
        counted = sorted(times[_WARM:])
        return {"median": round(median(counted), 3), "p95": round(counted[int(len(counted) * 0.95)], 3)}


def _fill(database: Database, user_id: UUID, number: int) -> None:
    database.rows("SET statement_timeout = 0")
    database.rows(_OTHERS, user_id, number)
    database.rows("ANALYZE api_key_list")


def _with_key(opened: Store) -> tuple[str, str]:
    """A session's secret and a key of somebody new."""
    signed_up = sign_ups.sign_up(opened, new_token())
    signed_up.append(opened)
    secret, user_id = written("", new_key_secret()), signed_up.owner.subject_id
    made = ApiKeyMade(
        user_id=user_id,
        epoch=0,
        key_hash=token_hash(secret),
        start=start_of(secret),
        prefix=None,
        name="bench",
        metadata=None,
    )
    command = CommandRecord.by_user(user_id, session_id=None, at=now(), where_from=None)
    opened.append(command, None, Addition(new_id(), 0, [made], opened.subject(user_id)))
    return signed_up.token, secret


@contextmanager
def _served(cluster: Cluster, database: Database) -> Iterator[Server]:
    settings = {
        "DATABASE_URL": database.application_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "SECRET": SECRET,
        "WORKERS": 1,
        "RATE_LIMIT": "off",
    }
    with served(cluster.folder / "serve.keys.log", settings) as server:
        yield server


def _url(server: Server) -> str:
    return server.url.replace("localhost", "127.0.0.1") + "/api/auth/get-session"
