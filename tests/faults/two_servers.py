"""Two PostgreSQL servers, one following the other, and the door in front of them that clients come through."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from api.cli.embedded import EmbeddedPostgres, _launch, programs
from tests.databases import rows_of
from tests.faults.processes import end_all, everything_below, postmaster
from tests.server import free_port

PATIENCE = 60.0


class Postgres:
    """One server on a TCP port of loopback; a primary, or a standby of another."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._embedded = EmbeddedPostgres(folder)
        self._binaries = programs(self._embedded.data)
        self.data = self._embedded.data
        self._log = folder / "server.log"
        self._child: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def conninfo(self, user: str = "postgres") -> str:
        return make_conninfo(host="127.0.0.1", port=self.port, dbname="postgres", user=user, sslmode="disable")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What its superuser sees, whichever role the server plays."""
        with psycopg.connect(self.conninfo(), autocommit=True, connect_timeout=5) as connection:
            return rows_of(connection.execute(sql.encode(), values))

    def create(self) -> None:
        """A new cluster with the application's role."""
        self._embedded.start()
        with psycopg.connect(self._embedded.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE daybook LOGIN")
        self._embedded.stop()

    def start(self) -> None:
        """Start it in the role its files say, and wait until it answers."""
        who = self._embedded._identity(self._binaries)
        with self._log.open("ab") as log:
            command = [str(self._binaries / "postgres"), "-D", str(self.data), "-p", str(self.port), "-k", ""]
            self._child = _launch(who, [*command, "--listen_addresses=127.0.0.1"], self.data, log)
        until(self._answers, "the server answers")

    def _answers(self) -> bool:
        assert self._child is not None
        assert self._child.poll() is None, self._log.read_text()[-2000:]
        with suppress(psycopg.OperationalError):
            return bool(self.rows("SELECT true"))
        return False

    def stop(self) -> None:
        """A fast shutdown: its standbys get all there is."""
        if self._child is not None:
            postmaster(self.data).send_signal(signal.SIGINT)
            self._child.wait(PATIENCE)
            self._child = None

    def crash(self) -> None:
        """kill -9 of all of it."""
        if self._child is not None:
            end_all(everything_below(postmaster(self.data)))
            self._child.wait(PATIENCE)
            self._child = None

    def copy_from(self, primary: Postgres) -> None:
        """Become a copy of another server, and its standby once started."""
        shutil.rmtree(self.data, ignore_errors=True)
        who = self._embedded._identity(self._binaries)
        with self._log.open("ab") as log:
            command = [str(self._binaries / "pg_basebackup"), "-D", str(self.data), "-d", primary.conninfo()]
            child = _launch(who, [*command, "-c", "fast", "-X", "stream"], self.data.parent, log)
            assert child.wait(PATIENCE) == 0, self._log.read_text()[-2000:]
        self.follow(primary)

    def follow(self, primary: Postgres) -> None:
        """When it is started next, it is a standby of that one."""
        (self.data / "standby.signal").touch()
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{primary.conninfo()} application_name=standby'\n")
            settings.write("wal_retrieve_retry_interval = 100\n")

    def promote(self) -> None:
        """Take writes from now on."""
        self.rows("SELECT pg_promote(wait => true)")

    def resume(self) -> None:
        """Take in again what the primary sends; which may end the very statement that says so."""
        with suppress(psycopg.errors.SerializationFailure):
            self.rows("SELECT pg_wal_replay_resume()")

    def await_standby(self) -> None:
        """Until a standby streams and has all there is."""
        following = "state = 'streaming' AND flush_lsn >= pg_current_wal_lsn()"
        asked = f"SELECT true FROM pg_stat_replication WHERE {following}"
        until(lambda: bool(self.rows(asked)), "a standby follows")


def until(happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait for it; how long that took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began
