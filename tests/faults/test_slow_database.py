"""A database that takes two seconds for each message: who cannot be served is told in time, and all is well again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.cli.embedded import PORT
from tests.faults.ledger import post_sign_up
from tests.faults.processes import end
from tests.faults.proxy import Proxy
from tests.faults.two_servers import until
from tests.own_server import OwnServer, own_server
from tests.server import Server

SLOW = 2.0
TOGETHER = 40
DEADLINE = 12.0
"""Ten seconds, and what a busy machine takes to tell."""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as server:
        yield server


@pytest.fixture
def proxy(own: OwnServer) -> Iterator[Proxy]:
    proxy = Proxy(Path(str(conninfo_to_dict(own.application_url)["host"])) / f".s.PGSQL.{PORT}")
    yield proxy
    proxy.close()


@pytest.fixture
def server(own: OwnServer, proxy: Proxy, tmp_path: Path) -> Iterator[Server]:
    url = make_conninfo(own.application_url, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable")
    server = Server(tmp_path / "log", {"DATABASE_URL": url, "OWNER_DATABASE_URL": own.owner_url, "WORKERS": 1})
    try:
        server.start()
        yield server
    finally:
        end(server)


def test_who_cannot_be_served_is_told_in_time(server: Server, proxy: Proxy) -> None:
    with server.client() as client:
        cookie = post_sign_up(client, "ada@example.com").headers["set-cookie"].partition(";")[0]
    headers = {"Origin": server.url, "Cookie": cookie}

    def ask(number: int) -> tuple[int, float]:
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            began = time.monotonic()
            match number % 4:
                case 0:
                    answer = client.get("/api/auth/list-sessions")
                case 1:
                    answer = client.post("/api/auth/update-user", json={"name": f"Ada {number}"})
                case 2:
                    answer = client.get("/api/auth/organization/list-members?limit=3")
                case _:
                    answer = client.get("/api/auth/activity/list")
            return answer.status_code, time.monotonic() - began

    proxy.delay = SLOW
    with ThreadPoolExecutor(TOGETHER) as people:
        answers = list(people.map(ask, range(TOGETHER)))
    proxy.delay = 0.0
    assert {status for status, _ in answers} <= {200, 409, 503}
    assert 503 in {status for status, _ in answers}
    assert max(took for _, took in answers) < DEADLINE
    until(lambda: ask(0)[0] == 200, "normal again", 5)
