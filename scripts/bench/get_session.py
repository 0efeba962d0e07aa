"""`GET /get-session`: one worker of the real server against a server that does nothing but give the same answer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import sign_ups
import wrk
from cluster import SECRET, Cluster, store
from rounds import Pair

from api.edge.cookies import SessionCookies, sign
from tests.server import free_port, served

SESSIONS = 500

_ADDED_BY_THE_SERVER = ("date", "server")


@contextmanager
def pairs(cluster: Cluster) -> Iterator[list[Pair]]:
    """500 live sessions, 16 connections, cookies in turn; `daybook serve` with one worker against bare uvicorn."""
    with cluster.database("bench_sessions") as database:
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "WORKERS": 1,
        }
        with served(cluster.folder / "serve.log", settings) as server:
            cookies = cluster.folder / "cookies"
            with store(database, connections=2) as opened:
                headers = [_cookie(sign_ups.signed_up(opened)) for _ in range(SESSIONS)]
            cookies.write_text("\n".join(headers) + "\n")
            url = server.url.replace("localhost", "127.0.0.1") + "/api/auth/get-session"
            with _bare(_answer(url, headers)) as bare:
                yield [
                    Pair(
                        name="get-session",
                        against="bare uvicorn",
                        aim=0.4,
                        ours=lambda seconds: wrk.rate(url, cookies, seconds),
                        theirs=lambda seconds: wrk.rate(bare, cookies, seconds),
                        level=lambda: None,
                    )
                ]


def _cookie(token: str) -> str:
    cookies = SessionCookies("better-auth", False, SECRET)
    return f"{cookies.token_name}={sign(token, SECRET)}"


def _answer(url: str, headers: list[str]) -> str:
    """The answer the bare server is to give: the last session's, after a look whether all of them live."""
    with httpx.Client() as client:
        answers = [client.get(url, headers={"Cookie": header}) for header in headers]
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
