"""The background process: what is committed is in the log soon, whoever is killed, frozen or away."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from domain.store import Store
from tests.databases import Database
from tests.domain.store.entries import a_session
from tests.server import Server, served


def background_process(server: Server) -> psutil.Process:
    """The one that runs; a killed one is followed within a second."""
    for _ in range(200):
        found = [process for process in server.processes() if keeps(process)]
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("no background process runs")


def keeps(process: psutil.Process) -> bool:
    try:
        return "api.background.tasks" in process.cmdline()
    except psutil.Error:
        return False


def within(seconds: float, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def logged(database: Database) -> int:
    """How many events are in the log, in which no position may be missing."""
    [(events, head)] = database.rows("SELECT count(*), coalesce(max(position), -1) FROM log")
    assert head == events - 1
    return int(events)


def has_logged(database: Database, events: int) -> bool:
    return logged(database) == events


def settings(database: Database) -> dict[str, object]:
    return {"DATABASE_URL": database.application_url, "OWNER_DATABASE_URL": database.owner_url, "WORKERS": 1}


def test_what_is_committed_is_in_the_log_soon(database: Database, store: Store, tmp_path: Path) -> None:
    for _ in range(30):
        a_session(store)
    with served(tmp_path / "log", settings(database)):
        within(5, partial(has_logged, database, 30))
        a_session(store)
        within(2, partial(has_logged, database, 31))
        assert database.rows("SELECT FROM queue") == []


def test_a_killed_keeper_is_followed_by_another(database: Database, store: Store, tmp_path: Path) -> None:
    with served(tmp_path / "log", settings(database)) as server:
        for killed in range(3):
            a_session(store)
            within(5, partial(has_logged, database, killed + 1))
            background_process(server).kill()
    a_session(store)
    with served(tmp_path / "log", settings(database)):
        within(5, partial(has_logged, database, 4))


def test_while_one_nodes_keeper_is_frozen_anothers_goes_on(database: Database, store: Store, tmp_path: Path) -> None:
    with (
        served(tmp_path / "one", settings(database)) as one,
        served(tmp_path / "two", settings(database)),
    ):
        frozen = background_process(one)
        for number in range(10):
            frozen.send_signal(signal.SIGSTOP)
            try:
                a_session(store)
                within(4, partial(has_logged, database, number + 1))
            finally:
                frozen.send_signal(signal.SIGCONT)


def test_past_an_event_nobody_can_read_the_others_go_on_within_a_second(
    database: Database, store: Store, tmp_path: Path
) -> None:
    with served(tmp_path / "log", settings(database)) as server:
        a_session(store)
        within(5, partial(is_told, database, 1))
        database.rows(
            "WITH unreadable AS (INSERT INTO events SELECT gen_random_uuid(), 1, 'NeverHeardOf', NULL, command_id, '{}'"
            "                      FROM events RETURNING stream_id, version)"
            " INSERT INTO queue (stream_id, version) SELECT * FROM unreadable"
        )
        a_session(store)
        within(1, partial(is_told, database, 2))
        with server.client() as client:
            ready = client.get("/readyz").json()
            numbers = client.get("/metrics").text
        assert (ready["ready"], ready["history"]) == (True, "damaged")
        assert ready["log"]["followers"]["journal"]["setAside"] == 1
        assert 'daybook_follower_set_aside_events{follower="journal"} 1.0' in numbers
        assert "daybook_log_head 2.0" in numbers


def is_told(database: Database, entries: int) -> bool:
    return bool(database.value("SELECT count(*) FROM journal") == entries)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_keeper_ends_with_its_supervisor(database: Database, tmp_path: Path, sign: signal.Signals) -> None:
    with served(tmp_path / "log", settings(database)) as server:
        kept = background_process(server)
        assert server.process is not None
        server.process.send_signal(sign)
        server.process.wait(12)
        within(5, lambda: not kept.is_running())
