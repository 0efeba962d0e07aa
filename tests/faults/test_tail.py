"""`daybook tail` as a process: it prints the log as it grows, whatever the database does, until it is told to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from api.cli.database import database as made
from api.cli.database import prepare
from api.cli.embedded import EmbeddedPostgres
from api.settings import Settings
from domain.store import Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import connection_arguments, open_pool
from domain.store.requirements import open_keyring
from domain.store.sequencer import run_sequencer
from projections import INLINE
from tests.databases import Database, begin_log
from tests.domain.store.entries import a_session
from tests.faults.processes import postmaster
from tests.keeping import caught_up
from tests.lived import Lives, context_over
from tests.people import SECRET
from tests.server import Server


class Tail:
    """A running `daybook tail`, and the lines it has written so far."""

    def __init__(self, folder: Path, settings: dict[str, object], *options: str) -> None:
        environment = Server(folder / "log", {"SECRET": None, **settings}).environment
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "tail", *options],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    def has(self, lines: int, *, within: float = 20) -> None:
        """Wait until so many lines are there, and see that no more come."""
        until(lambda: len(self.lines) >= lines, within)
        time.sleep(0.4)
        assert len(self.lines) == lines

    def grows(self, by: int) -> None:
        """Wait for so many more lines."""
        seen = len(self.lines)
        until(lambda: len(self.lines) >= seen + by, 15)

    def end(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Tell it to end; how it ended, and what it complained of."""
        self.process.send_signal(sign)
        code = self.process.wait(15)
        self.reader.join(10)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


@contextmanager
def tailing(folder: Path, database: Database | dict[str, object], *options: str) -> Iterator[Tail]:
    """It runs, over a database or with these settings, and does not outlive the block."""
    tail = Tail(
        folder, database if isinstance(database, dict) else {"DATABASE_URL": database.application_url}, *options
    )
    with tail.process:
        try:
            yield tail
        finally:
            tail.process.kill()
            tail.reader.join()


def until(happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def append(store: Store, database: Database, sessions: int) -> None:
    for _ in range(sessions):
        a_session(store)
    caught_up(database)


def logged(database: Database) -> list[tuple[int, str, int]]:
    rows = database.rows("SELECT position, stream_id, version FROM log ORDER BY position")
    return [(position, stream_id.hex, version) for position, stream_id, version in rows]


def test_it_begins_with_the_last_ten_and_goes_on(database: Database, store: Store, tmp_path: Path) -> None:
    append(store, database, 15)
    with tailing(tmp_path, database) as tail:
        tail.has(10)
        append(store, database, 2)
        tail.has(12)
        log = logged(database)[5:]
        assert [line.split()[0] for line in tail.lines] == [str(position) for position, _, _ in log]
        for line, (_, stream, version) in zip(tail.lines, log, strict=True):
            assert " SessionStarted  " in line
            assert f" {stream} v{version} " in line
            assert line.endswith("Z\n")
        assert tail.end() == (0, "")


def test_it_begins_where_it_is_told_to_and_waits_for_what_is_not_there_yet(
    database: Database, store: Store, tmp_path: Path
) -> None:
    append(store, database, 14)
    with (
        tailing(tmp_path, database, "--from", "1", "--json") as tail,
        tailing(tmp_path, database, "--from", "15", "--json") as later,
    ):
        tail.has(13)
        append(store, database, 2)
        tail.has(15)
        later.has(1)
        found = [(one["position"], one["stream_id"], one["version"]) for one in tail.entries()]
        assert found == logged(database)[1:]
        assert later.entries() == tail.entries()[-1:]


def test_it_shows_what_is_public_and_nothing_of_persons(database: Database, tmp_path: Path) -> None:
    with context_over(database) as context:
        lives = Lives(context, Random(1))
        lives.somebody_signs_up()
        caught_up(database)
    [[user_id, email]] = database.rows("SELECT user_id, email FROM account_list")
    [[session_id, token_hash]] = database.rows("SELECT session_id, token_hash FROM session_list")
    [[organization_id]] = database.rows("SELECT organization_id FROM organization_list")
    with tailing(tmp_path, database, "--json") as tail, tailing(tmp_path, database) as plain:
        tail.has(5)
        plain.has(5)
        entries, said = tail.entries(), "".join(tail.lines + plain.lines)
    assert [one["event"] for one in entries] == [
        "SignedUp", "PersonalOrganizationFounded", "MemberJoined", "SessionStarted", "OrganizationChosen",
    ]  # fmt: skip
    assert entries[0] | {"recorded_at": "", "stream_id": ""} == {
        "position": 0,
        "recorded_at": "",
        "at": "2026-03-14T12:00:00.000Z",
        "event": "SignedUp",
        "stream_id": "",
        "version": 1,
        "actor": {"kind": "user", "id": user_id.hex},
        "session_id": session_id.hex,
        "fields": {"email": "(sealed)", "name": "(sealed)", "image": "(sealed)", "password_version": 1},
    }
    assert entries[3]["fields"] == {
        "user_id": user_id.hex, "way": "password", "epoch": 0, "expires_at": "2026-03-21T12:00:00.000Z",
    }  # fmt: skip
    assert entries[4]["fields"] == {"organization_id": organization_id.hex}
    assert "name=(sealed)" in plain.lines[0]
    for secret in (email, "Person 0", "192.0.2", token_hash.hex()):
        assert secret not in said


def test_an_event_of_a_later_release_is_shown_without_its_fields(
    database: Database, store: Store, tmp_path: Path
) -> None:
    append(store, database, 2)
    database.rows("ALTER TABLE events DISABLE TRIGGER append_only")
    database.rows(
        "UPDATE events SET name = E'Blessed\\x1b[2J' WHERE stream_id = (SELECT stream_id FROM log WHERE position = 0)"
    )
    with tailing(tmp_path, database, "--json") as tail, tailing(tmp_path, database) as plain:
        tail.has(2)
        plain.has(2)
        assert [one["fields"] is None for one in tail.entries()] == [True, False]
        assert "\x1b" not in "".join(tail.lines + plain.lines)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_while_it_prints(
    database: Database, store: Store, tmp_path: Path, sign: signal.Signals
) -> None:
    append(store, database, 400)
    with tailing(tmp_path, database, "--from", "0") as tail:
        until(lambda: len(tail.lines) > 10, 10)
        assert tail.end(sign) == (0, "")


def test_it_ends_quietly_while_there_is_nothing_to_print(database: Database, tmp_path: Path) -> None:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with tailing(tmp_path, database) as tail:
        until(lambda: database.value(listening, "daybook-tail") == 1, 10)
        time.sleep(0.5)
        assert tail.lines == []
        assert tail.end(signal.SIGINT) == (0, "")


def test_who_reads_it_no_longer_ends_it_without_a_complaint(database: Database, store: Store, tmp_path: Path) -> None:
    append(store, database, 5)
    shell = f"{sys.executable} -m api.cli tail --from 0 --json | head -n 1"
    environment = Server(tmp_path / "log", {"DATABASE_URL": database.application_url}).environment
    with subprocess.Popen(
        ["sh", "-c", shell], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as piped:
        written = threading.Timer(4, append, (store, database, 5))
        written.start()
        said, complaints = piped.communicate(timeout=20)
        written.join()
    assert json.loads(said)["position"] == 0
    assert complaints == ""


def test_a_log_nobody_adds_to_is_printed_and_that_is_all(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=None, secret=SecretStr(SECRET))
    with made(settings) as found:
        prepare(found, settings, founding=False)
    with tailing(tmp_path, {"DATA_DIR": tmp_path / "data"}) as tail:
        assert tail.process.wait(20) == 0
        assert tail.end() == (0, "No Daybook runs on this data folder, so the log does not grow.\n")
        assert tail.lines == []
    assert not (tmp_path / "data" / "postgres" / "postmaster.pid").exists()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated server that only this test knows, and so may crash."""
    own = EmbeddedPostgres(tmp_path / "own")
    own.start()
    begin_log(own.conninfo("postgres"))
    yield own
    own.stop()


@contextmanager
def growing(conninfo: str) -> Iterator[None]:
    """Events are appended and sequenced for as long as the block runs, whatever the database does."""
    over = threading.Event()
    with psycopg.connect(conninfo, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    with open_pool(conninfo, size=2, name="tests") as pool:
        store = Store(pool, keyring, INLINE)

        def write() -> None:
            while not over.is_set():
                with suppress(StoreUnavailable):
                    a_session(store)

        threads = [threading.Thread(target=write), threading.Thread(target=run_sequencer, args=(conninfo, over))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


def test_it_neither_skips_nor_repeats_when_the_database_crashes(own: EmbeddedPostgres, tmp_path: Path) -> None:
    conninfo = own.conninfo("daybook")
    with tailing(tmp_path, {"DATABASE_URL": conninfo}, "--from", "0", "--json") as tail:
        with growing(conninfo):
            for _ in range(4):
                tail.grows(20)
                postmaster(own.data).send_signal(signal.SIGQUIT)
                until(lambda: not own.running(), 10)
                own.start()
            tail.grows(20)
        with psycopg.connect(own.conninfo("postgres"), **connection_arguments("tests")) as connection:
            rows = connection.execute("SELECT position, stream_id, version FROM log ORDER BY position").fetchall()
        until(lambda: len(tail.lines) >= len(rows), 10)
        assert tail.end() == (0, "")
    found = [(one["position"], one["stream_id"], one["version"]) for one in tail.entries()]
    assert found == [(position, stream_id.hex, version) for position, stream_id, version in rows]
