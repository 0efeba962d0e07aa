"""No standby is there to wait for: what did not reach one is never acknowledged, and those who only read go on.

With WAIT_ROUNDS as many cancelled and terminated waits as one likes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from domain.events.catalogue import SESSION
from domain.session import EndReason
from domain.store import Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import connect, open_pool
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.domain.store.entries import a_session, by_the_system
from tests.faults.ledger import post_sign_up
from tests.faults.processes import end
from tests.faults.two_servers import until
from tests.own_server import OwnServer, own_server
from tests.people import SECRET
from tests.server import Server

ROUNDS = int(os.environ.get("WAIT_ROUNDS", "4"))
AT_ONCE = 2
"""Writers; the pool has a place more than that."""
READS = ("/api/auth/list-sessions", "/api/auth/organization/list", "/api/auth/get-session", "/readyz")
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = %s"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def store(own: OwnServer) -> Iterator[Store]:
    with connect(own.application_url, "tests") as connection:
        keyring = open_keyring(connection, SECRET)
    with open_pool(own.application_url, size=4, name="tests") as pool:
        yield Store(pool, keyring, INLINE)
        alone(own)


def alone(own: OwnServer) -> None:
    """Nobody waits for a standby any more, and whoever did goes on."""
    own.reset("synchronous_standby_names")


def acknowledged(writing: Future[UUID]) -> bool:
    with suppress(StoreUnavailable):
        writing.result()
        return True
    return False


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_wait_that_is_cut_short_is_not_acknowledged(own: OwnServer, store: Store, how: str) -> None:
    a_session(store)
    own.set(synchronous_standby_names="standby")
    told = 0
    with ThreadPoolExecutor(AT_ONCE) as people:
        for _ in range(ROUNDS):
            written = int(own.rows("SELECT count(*) FROM events")[0][0])
            writings = [people.submit(a_session, store) for _ in range(AT_ONCE)]
            until(lambda: len(own.rows(WAITING, "tests")) >= AT_ONCE, "they wait")
            for [pid] in own.rows(WAITING, "tests"):
                own.rows(f"SELECT {how}(%s)", pid)
            told += sum(acknowledged(writing) for writing in writings)
            assert int(own.rows("SELECT count(*) FROM events")[0][0]) == written + AT_ONCE, "they are visible here"
    assert told == 0
    alone(own)
    assert a_session(store)


def test_what_is_only_visible_is_not_acknowledged_by_finding_nothing_left_to_do(own: OwnServer, store: Store) -> None:
    session_id = a_session(store)
    own.set(synchronous_standby_names="standby")
    loaded = store.load(SESSION, session_id)
    ending = loaded.state.end(reason=EndReason.SIGNED_OUT)
    with ThreadPoolExecutor(1) as people:
        writing = people.submit(store.append, by_the_system(), None, loaded.with_events(ending))
        until(lambda: bool(own.rows(WAITING, "tests")), "it waits")
        for [pid] in own.rows(WAITING, "tests"):
            own.rows("SELECT pg_cancel_backend(%s)", pid)
        with pytest.raises(StoreUnavailable):
            writing.result()
    ended = store.load(SESSION, session_id)
    assert ended.state.ended
    with pytest.raises(StoreUnavailable):
        store.append(by_the_system(), None, ended.with_events(ended.state.end(reason=EndReason.SIGNED_OUT)))


def test_those_who_only_read_go_on_and_so_do_writers_once_it_is_back(own: OwnServer, tmp_path: Path) -> None:
    server = Server(
        tmp_path / "log", {"DATABASE_URL": own.application_url, "OWNER_DATABASE_URL": own.owner_url, "WORKERS": 1}
    )
    try:
        server.start()
        with server.client() as client:
            cookie = post_sign_up(client, "ada@example.com").headers["set-cookie"].partition(";")[0]
        own.set(synchronous_standby_names="standby")
        until(lambda: own.rows("SHOW synchronous_standby_names") == [("standby",)], "it is waited for")
        reads, writes = list[tuple[str, int, float]](), list[tuple[int, float]]()

        def write(number: int) -> None:
            with server.client() as client:
                for turn in range(3):
                    began = time.monotonic()
                    answer = post_sign_up(client, f"bo.{number}.{turn}@example.com")
                    writes.append((answer.status_code, time.monotonic() - began))

        with ThreadPoolExecutor(12) as people:
            writing = [people.submit(write, number) for number in range(12)]
            while not all(one.done() for one in writing):
                for path in (
                    "/api/auth/list-sessions",
                    "/api/auth/organization/list",
                    "/api/auth/get-session",
                    "/readyz",
                ):
                    with httpx.Client(base_url=server.url, headers={"Cookie": cookie}, timeout=15) as client:
                        began = time.monotonic()
                        answer = client.get(path)
                        reads.append((path, answer.status_code, time.monotonic() - began))
            for one in writing:
                one.result()
        left = len(own.rows(WAITING, "daybook"))
        alone(own)
        began = time.monotonic()
        with server.client() as client:
            while post_sign_up(client, "cy@example.com").status_code != 200:
                assert time.monotonic() - began < 5
                time.sleep(0.05)
        assert [read for read in reads if read[1] != 200] == []
        assert {status for status, _ in writes} == {503}
        assert max(took for _, took in writes) < 10
        assert left <= 6, "what was given up on does not pile up"
    finally:
        alone(own)
        end(server)
