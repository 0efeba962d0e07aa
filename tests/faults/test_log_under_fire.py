"""The log under fire: writers that hold and roll back, nodes frozen and killed, the database restarted, lines cut."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from domain.store.connections import connection_arguments
from tests.databases import begin_log
from tests.faults.holding_writers import Writer
from tests.faults.processes import end, postmaster
from tests.faults.test_background_process import background_process
from tests.server import ROOT, Server

EVENTS = 20_000
PROCESSES = 2
WITHIN = 5.0
"""Seconds from the last trouble until followers are at the head."""


class Ledger:
    """The database as its owner sees it; asked on a new connection each time, since it is restarted in between."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._url = server.conninfo("postgres")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, **connection_arguments("tests")) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def events(self) -> int:
        return int(self.rows("SELECT count(*) FROM events")[0][0])

    def at_the_head(self) -> bool:
        """Whether every event is in the log and every follower has taken in all of it."""
        [(events, head, followers)] = self.rows(
            "SELECT (SELECT count(*) FROM events), (SELECT coalesce(max(position), -1) FROM log),"
            "       (SELECT min(position) FROM followers)"
        )
        return bool(events - 1 == head == followers)


@pytest.fixture
def external(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(tmp_path / "database")
    embedded.start()
    begin_log(embedded.conninfo("postgres"))
    yield embedded
    embedded.stop()


@pytest.fixture
def nodes(external: EmbeddedPostgres, tmp_path: Path) -> Iterator[list[Server]]:
    """Two nodes on one database, each with a sequencer and followers."""
    urls = {"DATABASE_URL": external.conninfo("daybook"), "OWNER_DATABASE_URL": external.conninfo("postgres")}
    servers = [Server(tmp_path / f"node{number}", {**urls, "WORKERS": 1}) for number in range(2)]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        end(server)


def writers(external: EmbeddedPostgres, folder: Path) -> list[subprocess.Popen[bytes]]:
    return [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.faults.holding_writers",
                json.dumps(
                    {
                        "conninfo": external.conninfo("daybook"),
                        "seed": number,
                        "events": EVENTS // PROCESSES,
                        "ledger": str(folder / f"ledger{number}"),
                    }
                ),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        for number in range(PROCESSES)
    ]


def until(happened: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for it; how long that took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def cut_the_lines(ledger: Ledger) -> None:
    """Every follower's connection, the one it listens on."""
    assert ledger.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daybook-journal'"
    )


def restart_at_once(external: EmbeddedPostgres) -> None:
    """As after a crash: no time to finish anything."""
    postmaster(external.data).send_signal(signal.SIGQUIT)
    while external.running():
        time.sleep(0.01)
    external.start()


def test_nothing_is_missing_and_nothing_doubled(
    external: EmbeddedPostgres, nodes: list[Server], tmp_path: Path
) -> None:
    ledger, frozen = Ledger(external), background_process(nodes[0])
    writing = writers(external, tmp_path)
    try:
        until(lambda: ledger.events() > EVENTS * 0.1, 60, "a tenth")
        frozen.send_signal(signal.SIGSTOP)
        until(lambda: ledger.events() > EVENTS * 0.3, 60, "three tenths")
        background_process(nodes[1]).kill()
        until(lambda: ledger.events() > EVENTS * 0.5, 60, "one half")
        restart_at_once(external)
        until(lambda: ledger.events() > EVENTS * 0.7, 60, "seven tenths")
        frozen.send_signal(signal.SIGCONT)
        until(lambda: ledger.events() > EVENTS * 0.8, 60, "eight tenths")
        cut_the_lines(ledger)
        for process in writing:
            assert process.wait(120) == 0
    finally:
        for process in writing:
            process.kill()
        with suppress(psutil.NoSuchProcess):
            frozen.send_signal(signal.SIGCONT)

    until(ledger.at_the_head, WITHIN, "all in the log and in the journal")
    acknowledged = {
        (UUID(stream_id), version)
        for number in range(PROCESSES)
        for stream_id, version in json.loads((tmp_path / f"ledger{number}").read_text())
    }
    log = ledger.rows("SELECT position, stream_id, version FROM log ORDER BY position")
    assert len(acknowledged) >= EVENTS
    assert [position for position, _, _ in log] == list(range(len(log)))
    assert len({place[1:] for place in log}) == len(log)
    assert {place[1:] for place in log} == acknowledged
    seen: dict[UUID, int] = {}
    for _, stream_id, version in log:
        assert version == seen.get(stream_id, 0) + 1
        seen[stream_id] = version
    entered = "SELECT position, stream_id, version FROM journal ORDER BY position"
    assert ledger.rows(entered) == ledger.rows(
        "SELECT position, stream_id, version FROM log JOIN events USING (stream_id, version)"
        " WHERE name <> 'SessionRenewed' ORDER BY position"
    )
    assert (
        ledger.rows("SELECT FROM log a JOIN log b ON b.position = a.position + 1 WHERE b.recorded_at < a.recorded_at")
        == []
    )

    cut_the_lines(ledger)
    Writer(external.conninfo("daybook"), Random(7), 1).write()
    assert ledger.events() > len(log)
    until(ledger.at_the_head, WITHIN, "the one that followed")
