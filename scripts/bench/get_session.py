"""`GET /get-session`: one worker of the real server against one that does nothing, and with limits against without."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import sign_ups
import wrk
from cluster import SECRET, Cluster, store
from rounds import Pair

from api.edge.cookies import SessionCookies, sign
from tests.databases import Database
from tests.server import Server, free_port, served

SESSIONS = 2_000
"""Of which each may ask a hundred times in a slice: 200,000 requests."""

_ADDED_BY_THE_SERVER = ("date", "server")


@contextmanager
def pairs(cluster: Cluster) -> Iterator[Iterator[Pair]]:
    """2,000 live sessions, 16 connections, sessions in turn; `daybook serve` with one worker.

    First against bare uvicorn, then with limits against without, the requests coming from as many addresses.
    """
    with cluster.database("bench_sessions") as database:
        yield _pairs(cluster, database)


def _pairs(cluster: Cluster, database: Database) -> Iterator[Pair]:
    with _served(cluster, database, "off") as unlimited:
        with store(database, connections=2) as opened:
            cookies = [cookie(sign_ups.signed_up(opened)) for _ in range(SESSIONS)]
        from_here = [{"Cookie": cookie} for cookie in cookies]
        requests = wrk.write(cluster.folder / "requests", from_here)
        with _bare(_answer(_url(unlimited), from_here)) as bare:
            yield Pair(
                name="get-session",
                against="bare uvicorn",
                aim=0.4,
                ours=lambda seconds: wrk.rate(_url(unlimited), requests, seconds),
                theirs=lambda seconds: wrk.rate(bare, requests, seconds),
                level=lambda: None,
            )
        from_anywhere = wrk.write(
            cluster.folder / "forwarded",
            (
                {"Cookie": cookies[number], "X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"}
                for number in range(SESSIONS)
            ),
        )
        with _served(cluster, database, "on") as limited:
            yield Pair(
                name="get-session",
                against="without limits",
                aim=0.9,
                ours=lambda seconds: wrk.rate(_url(limited), from_anywhere, seconds),
                theirs=lambda seconds: wrk.rate(_url(unlimited), from_anywhere, seconds),
                level=partial(_pause, database),
            )


def _pause(database: Database) -> None:
    """As if the addresses had been silent for a while, so that no slice is refused what the one before has used up."""
    database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - interval '1 minute'")


@contextmanager
def _served(cluster: Cluster, database: Database, limits: str) -> Iterator[Server]:
    settings = {
        "DATABASE_URL": database.application_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "SECRET": SECRET,
        "WORKERS": 1,
        "RATE_LIMIT": limits,
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    with served(cluster.folder / f"serve.{limits}.log", settings) as server:
        yield server


def _url(server: Server) -> str:
    return server.url.replace("localhost", "127.0.0.1") + "/api/auth/get-session"


def cookie(token: str) -> str:
    cookies = SessionCookies("better-auth", False, SECRET)
    return f"{cookies.token_name}={sign(token, SECRET)}"


def _answer(url: str, requests: Sequence[Mapping[str, str]]) -> str:
    """The answer the bare server is to give: the last session's, after a look whether all of them live."""
    with httpx.Client() as client:
        answers = [client.get(url, headers=headers) for headers in requests]
    assert all(answer.status_code == 200 and answer.json()["session"] for answer in answers)
    kept = [(name, value) for name, value in answers[-1].headers.multi_items() if name not in _ADDED_BY_THE_SERVER]
    return json.dumps({"headers": kept, "body": answers[-1].text})


@contextmanager
def _bare(answer: str) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("bare.py")), str(port), answer])
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(500):
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(10)
