"""The right server: what takes no writes is not asked, however long ago it was connected to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import psycopg
import pytest

from api.edge.batching.current_session import SessionCheck
from domain.store import Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import Pool, connect, connection_arguments, connection_lost, open_pool
from domain.store.requirements import open_keyring
from domain.store.servers import LIFETIME, SUSPICION, Demoted, Suspicion, Timelines, read_only
from projections import INLINE
from tests.domain.store.entries import a_session
from tests.own_server import OwnServer, own_server
from tests.people import SECRET


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def pool(server: OwnServer) -> Iterator[Pool]:
    with open_pool(server.application_url, size=3, name="tests") as pool:
        pool.wait()
        yield pool


@pytest.fixture
def store(server: OwnServer, pool: Pool) -> Store:
    with psycopg.connect(server.application_url, **connection_arguments("tests")) as connection:
        return Store(pool, open_keyring(connection, SECRET), INLINE)


@pytest.fixture
def demoted(server: OwnServer, store: Store) -> Iterator[OwnServer]:
    """The server that everybody is connected to, from now on read-only."""
    for _ in range(3):
        assert store.statements.rows("SELECT 1") == [(1,)]
    server.set(default_transaction_read_only="on")
    time.sleep(0.2)
    yield server
    server.reset("default_transaction_read_only")


def test_a_read_is_not_answered_by_a_server_that_became_read_only(demoted: OwnServer, store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        store.statements.rows("SELECT 1")
    demoted.reset("default_transaction_read_only")
    assert store.statements.rows("SELECT 1") == [(1,)]


def test_an_append_to_it_is_answered_as_away_and_goes_through_afterwards(demoted: OwnServer, store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        a_session(store)
    demoted.reset("default_transaction_read_only")
    assert a_session(store)


def test_a_session_check_is_not_answered_by_it(server: OwnServer, store: Store) -> None:
    async def story() -> None:
        check = SessionCheck(server.application_url)
        try:
            assert await check.live_session(b"nobody's" * 4) is None
            server.set(default_transaction_read_only="on")
            await asyncio.sleep(0.2)
            with pytest.raises(StoreUnavailable):
                await check.live_session(b"nobody's" * 4)
            server.reset("default_transaction_read_only")
            await asyncio.sleep(0.2)
            assert await check.live_session(b"nobody's" * 4) is None
        finally:
            server.reset("default_transaction_read_only")
            await check.close()

    asyncio.run(story())


def test_no_new_connection_leads_to_it_whatever_its_address_says(demoted: OwnServer) -> None:
    for url in (demoted.application_url, f"{demoted.application_url} target_session_attrs=any"):
        with pytest.raises(psycopg.OperationalError):
            connect(url, "tests")
    assert read_only(demoted.application_url)


def test_a_failed_write_makes_every_connection_suspect(server: OwnServer, store: Store) -> None:
    before = {row[0] for row in server.rows("SELECT pid FROM pg_stat_activity WHERE application_name = 'tests'")}
    SUSPICION.arise()
    assert store.statements.rows("SELECT pg_backend_pid()")[0][0] not in before


def test_a_connection_does_not_live_for_ever() -> None:
    suspicion = Suspicion()
    assert not suspicion.falls_on(time.monotonic())
    assert suspicion.falls_on(time.monotonic() - LIFETIME - 1)


def test_of_two_servers_of_one_cluster_only_the_one_promoted_last_is_asked() -> None:
    suspicion = Suspicion()
    timelines = Timelines(suspicion)
    timelines.require_newest(1, "000000090000000000000001")
    timelines.require_newest(2, "000000010000000000000001")
    opened_at = time.monotonic()
    assert not suspicion.falls_on(opened_at)
    timelines.require_newest(1, "0000000A0000000000000001")
    assert suspicion.falls_on(opened_at)
    with pytest.raises(Demoted):
        timelines.require_newest(1, "000000090000000000000002")
    timelines.require_newest(2, "000000010000000000000002")


def test_where_a_role_may_not_ask_which_server_it_is_it_is_served_all_the_same(server: OwnServer, store: Store) -> None:
    server.rows("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")

    async def story() -> None:
        check = SessionCheck(server.application_url)
        try:
            assert await check.live_session(b"nobody's" * 4) is None
        finally:
            await check.close()

    try:
        SUSPICION.arise()
        assert a_session(store)
        asyncio.run(story())
    finally:
        server.rows("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")


@pytest.mark.parametrize("error", [Demoted(), psycopg.errors.ReadOnlySqlTransaction(), psycopg.errors.AdminShutdown()])
def test_who_takes_no_writes_counts_as_lost(error: psycopg.Error) -> None:
    assert connection_lost(error)
    assert not connection_lost(psycopg.errors.QueryCanceled())
