"""The database is away, frozen or killed under a running server: it says so in time, and is back by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.databases import begin_log
from tests.faults.ledger import post_sign_up
from tests.faults.processes import end, everything_below, postmaster, workers
from tests.people import PASSWORD
from tests.server import Server

DEADLINE = 10.0
BACK_WITHIN = 5.0
FROZEN_FOR = 11.0
"""Seconds, longer than anybody may wait."""
READS = ("/api/auth/get-session", "/api/auth/organization/list", "/readyz")


@dataclass(frozen=True)
class Asked:
    """How one request was answered, and after how many seconds."""

    what: str
    status: int
    retry_after: str | None
    took: float


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A database server of the operator's own, which they may stop and start."""
    external = EmbeddedPostgres(tmp_path_factory.mktemp("external"))
    external.start()
    begin_log(external.conninfo("postgres"))
    yield external
    external.stop()


@pytest.fixture(scope="module")
def server(external: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    urls = {"DATABASE_URL": external.conninfo("daybook"), "OWNER_DATABASE_URL": external.conninfo("postgres")}
    server = Server(tmp_path_factory.mktemp("server") / "log", urls)
    server.start()
    yield server
    end(server)


@pytest.fixture(scope="module")
def cookie(server: Server) -> str:
    """Of Ada, who is signed in."""
    with server.client() as client:
        answer = post_sign_up(client, "ada@example.com")
    return answer.headers["set-cookie"].partition(";")[0]


def ask_everything(server: Server, cookie: str, *, times: int = 1) -> list[Asked]:
    """Every kind of request, so many times, all at once."""
    sign_in = {"email": "ada@example.com", "password": PASSWORD}
    bo = f"bo.{time.monotonic_ns()}"
    requests: list[tuple[str, str, Mapping[str, str] | None]] = [("GET", path, None) for path in READS]
    requests.append(("POST", "/api/auth/sign-in/email", sign_in))
    sign_ups = [{"name": "Bo", "email": f"{bo}.{n}@example.com", "password": PASSWORD} for n in range(times)]

    def ask(request: tuple[str, str, Mapping[str, str] | None]) -> Asked:
        method, path, form = request
        began = time.monotonic()
        answer = client.request(method, path, json=form, headers={"Cookie": cookie} if form is None else {})
        return Asked(path, answer.status_code, answer.headers.get("retry-after"), time.monotonic() - began)

    asked = requests * times + [("POST", "/api/auth/sign-up/email", sign_up) for sign_up in sign_ups]
    with httpx.Client(base_url=server.url, timeout=30) as client, ThreadPoolExecutor(len(asked)) as people:
        return list(people.map(ask, asked))


def seconds_until_all_is_well(server: Server, cookie: str) -> float:
    """How long until every kind of request succeeds again, by itself."""
    began = time.monotonic()
    while failed := [asked for asked in ask_everything(server, cookie) if asked.status != 200]:
        if time.monotonic() - began > 30:
            raise AssertionError(f"still not back: {failed}")
        time.sleep(0.1)
    return time.monotonic() - began


def alive(server: Server) -> bool:
    """Whether the process answers about itself."""
    return httpx.get(f"{server.url}/healthz", timeout=2).status_code == 200


def stop_at_once(external: EmbeddedPostgres) -> None:
    """What `pg_ctl stop -m immediate` does: all connections die without a word, the next start recovers."""
    postmaster(external.data).send_signal(signal.SIGQUIT)
    external.stop()


def test_a_stopped_database_is_answered_with_503_until_it_is_back(
    external: EmbeddedPostgres, server: Server, cookie: str
) -> None:
    before = server.processes()
    stop_at_once(external)
    answers = ask_everything(server, cookie, times=3)
    assert alive(server)
    assert {process.pid for process in before} == {process.pid for process in server.processes()}
    external.start()
    back = seconds_until_all_is_well(server, cookie)

    assert [asked for asked in answers if asked.status != 503 or asked.retry_after is None] == []
    assert max(asked.took for asked in answers) < DEADLINE
    assert back < BACK_WITHIN


def test_a_frozen_database_keeps_nobody_waiting_for_ever(
    external: EmbeddedPostgres, server: Server, cookie: str
) -> None:
    frozen = everything_below(postmaster(external.data))
    for process in frozen:
        process.suspend()
    with ThreadPoolExecutor(1) as someone:
        try:
            asking = someone.submit(ask_everything, server, cookie, times=3)
            time.sleep(FROZEN_FOR)
            assert alive(server)
        finally:
            for process in frozen:
                process.resume()
        back = seconds_until_all_is_well(server, cookie)
        answers = asking.result()

    assert [asked for asked in answers if asked.status != 503 or asked.retry_after is None] == []
    assert max(asked.took for asked in answers) < DEADLINE
    assert back < BACK_WITHIN


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(
    external: EmbeddedPostgres, server: Server, cookie: str
) -> None:
    stop_at_once(external)
    killed = workers(server)
    for worker in killed:
        worker.kill()
    psutil.wait_procs(killed, 5)
    while not _listens(server):
        time.sleep(0.1)
    answers = ask_everything(server, cookie)
    external.start()
    back = seconds_until_all_is_well(server, cookie)

    assert [asked for asked in answers if asked.status != 503 or asked.retry_after is None] == []
    assert back < BACK_WITHIN


def _listens(server: Server) -> bool:
    try:
        return alive(server)
    except httpx.TransportError:
        return False


def test_an_embedded_database_that_was_killed_is_started_again(tmp_path: Path) -> None:
    server = Server(tmp_path / "log", {"DATA_DIR": tmp_path / "data"})
    try:
        server.start()
        with server.client() as client:
            cookie = post_sign_up(client, "ada@example.com").headers["set-cookie"].partition(";")[0]
        postmaster(tmp_path / "data" / "postgres").kill()
        back = seconds_until_all_is_well(server, cookie)
        assert server.stop() == 0
    finally:
        end(server, tmp_path / "data" / "postgres")
    assert back < BACK_WITHIN
