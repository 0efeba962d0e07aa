"""Another server takes over, and the old one comes back as a standby that lags: nobody is answered from it.

With FAILOVER_ROUNDS as many rounds of each kind as one likes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from tests.databases import begin_log
from tests.faults.ledger import Ledger, post_sign_up, signing_up
from tests.faults.processes import end
from tests.faults.proxy import Proxy
from tests.faults.two_servers import Postgres, until
from tests.server import Server

ROUNDS = int(os.environ.get("FAILOVER_ROUNDS", "1"))
IN_A_ROW = 12
"""Commands over connections of their own, so that each worker gets some."""
BACK_WITHIN = 5.0
"""Seconds from the switch until commands succeed and the service says that it is ready."""
ACKNOWLEDGED = 8
"""Sign-ups before the server crashes."""
POINTS_AT_THE_OLD_ONE = 1.5
"""Seconds that the door goes on leading to the old server, now a standby."""


@dataclass
class Cluster:
    """Who takes writes and who follows, and the door that leads to one of them."""

    primary: Postgres
    standby: Postgres
    door: Proxy


@pytest.fixture(params=["asynchronous", "synchronous"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    primary, standby = Postgres(tmp_path / "a"), Postgres(tmp_path / "b")
    primary.create()
    with (primary.data / "postgresql.auto.conf").open("a") as settings:
        if request.param == "synchronous":
            settings.write("synchronous_standby_names = '*'\n")
    try:
        primary.start()
        standby.copy_from(primary)
        standby.start()
        primary.await_standby()
        door = Proxy(primary.port)
        yield Cluster(primary, standby, door)
        door.close()
    finally:
        primary.crash()
        standby.crash()


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Iterator[Server]:
    url = make_conninfo(cluster.primary.conninfo("daybook"), port=cluster.door.port)
    owner = make_conninfo(cluster.primary.conninfo(), port=cluster.door.port)
    server = Server(tmp_path / "log", {"DATABASE_URL": url, "OWNER_DATABASE_URL": owner})
    begin_log(owner)
    try:
        server.start()
        yield server
    finally:
        end(server)
    assert "daybook: unexpected" not in server.log.read_text()


def test_after_a_planned_switch_nobody_is_answered_from_the_old_server(cluster: Cluster, server: Server) -> None:
    for number in range(ROUNDS):
        cookies = signed_up(server, f"round{number}")
        with looking(server, cookies[:4]):
            cluster.primary.stop()
            cluster.standby.promote()
            cluster.primary.follow(cluster.standby)
            cluster.primary.start()
            cluster.primary, cluster.standby = cluster.standby, cluster.primary
            # until it has one, a primary that waits for its standby takes no writes, whoever is connected to it
            cluster.primary.await_standby()
            cluster.standby.rows("SELECT pg_wal_replay_pause()")
            time.sleep(POINTS_AT_THE_OLD_ONE)
            assert not server.ready()
            cluster.door.server = cluster.primary.port
            require_back(server)
            require_ended_for_good(server, cookies[4:])
        cluster.standby.resume()
        cluster.primary.await_standby()


def test_what_was_acknowledged_outlives_the_server_that_crashed(cluster: Cluster, server: Server) -> None:
    synchronous = bool(cluster.primary.rows("SHOW synchronous_standby_names")[0][0])
    for number in range(ROUNDS):
        ledger = Ledger()
        with signing_up(server, ledger):
            until(partial(_busy, ledger), "people sign up")
            cluster.primary.crash()
        cluster.standby.promote()
        cluster.primary, cluster.standby = cluster.standby, cluster.primary
        cluster.standby.copy_from(cluster.primary)
        cluster.standby.start()
        cluster.primary.await_standby()
        cluster.standby.rows("SELECT pg_wal_replay_pause()")
        cluster.door.server = cluster.primary.port
        require_back(server)
        assert ledger.wrong == []
        kept = {row[0] for row in cluster.primary.rows("SELECT email FROM daybook.account_list")}
        if synchronous:
            assert set(ledger.acknowledged) - kept == set()
        require_ended_for_good(server, signed_up(server, f"after{number}"))
        cluster.standby.resume()
        cluster.primary.await_standby()


def _busy(ledger: Ledger) -> bool:
    return len(ledger.acknowledged) >= ACKNOWLEDGED


def signed_up(server: Server, name: str, people: int = 8) -> list[str]:
    """The cookies of so many new people."""
    with server.client() as client:
        answers = [post_sign_up(client, f"{name}.{number}@example.com") for number in range(people)]
        client.cookies.clear()
    assert [answer.status_code for answer in answers] == [200] * people
    return [answer.headers["set-cookie"].partition(";")[0] for answer in answers]


def require_back(server: Server) -> None:
    """Within the time, counted from the switch, the service says that it is ready and takes commands.

    All of it: of two workers one may still wait for the server that is gone while the other one goes on.
    """
    began = time.monotonic()
    until(server.ready, "ready", BACK_WITHIN)
    taken = 0
    while taken < IN_A_ROW:
        with server.client() as client:
            status = post_sign_up(client, f"switch.{time.monotonic_ns()}@example.com").status_code
        taken = 0 if status == 503 else taken + 1
        assert time.monotonic() - began < BACK_WITHIN
        if status == 503:
            time.sleep(0.05)


def require_ended_for_good(server: Server, cookies: list[str]) -> None:
    """Signed out they are signed out, whichever worker is asked, on whichever of its connections."""
    for cookie in cookies:
        with httpx.Client(base_url=server.url, headers={"Origin": server.url, "Cookie": cookie}, timeout=15) as client:
            assert client.post("/api/auth/sign-out", json={}).status_code == 200
        for _ in range(10):
            with httpx.Client(base_url=server.url, headers={"Cookie": cookie}, timeout=15) as client:
                answer = client.get("/api/auth/get-session")
                assert (answer.status_code, answer.content) == (200, b"null")
                assert client.get("/api/auth/list-sessions").status_code == 401


@contextmanager
def looking(server: Server, cookies: list[str]) -> Iterator[None]:
    """Those who are signed in go on asking all the while, each with a name changed as soon as that is possible.

    What they are told never goes back: who has read a new name does not read the old one again.
    """
    over, wrong = threading.Event(), list[str]()
    threads = [threading.Thread(target=_look, args=(server, cookie, over, wrong)) for cookie in cookies]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def _look(server: Server, cookie: str, over: threading.Event, wrong: list[str]) -> None:
    changed = 0
    headers = {"Origin": server.url, "Cookie": cookie}
    while not over.is_set():
        try:
            with httpx.Client(base_url=server.url, headers=headers, timeout=15) as client:
                if client.post("/api/auth/update-user", json={"name": f"{changed + 1:06}"}).status_code == 200:
                    changed += 1
                for _ in range(5):
                    answer = client.get("/api/auth/get-session")
                    if answer.status_code == 200:
                        told = answer.json()
                        if told is None or (changed and told["user"]["name"] < f"{changed:06}"):
                            wrong.append(f"{changed}: {told}")
                    elif answer.status_code != 503:
                        wrong.append(f"{answer.status_code}")
        except httpx.TransportError as error:
            wrong.append(repr(error))
