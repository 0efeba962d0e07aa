"""A database server of a test's own: it may be told what would disturb the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from api.cli.embedded import EmbeddedPostgres
from tests.databases import begin_log, rows_of


class OwnServer:
    """A PostgreSQL with the application's role and a migrated database, reached through its socket."""

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedPostgres(folder)
        self.log = self._embedded.log

    @property
    def application_url(self) -> str:
        return self._embedded.conninfo("daybook")

    @property
    def owner_url(self) -> str:
        return self._embedded.conninfo("postgres")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What its superuser sees, whatever the server's settings make of others."""
        options = "-c default_transaction_read_only=off -c synchronous_commit=local -c search_path=daybook"
        with psycopg.connect(self.owner_url, autocommit=True, options=options) as connection:
            return rows_of(connection.execute(sql.encode(), values or None))

    def set(self, **settings: str) -> None:
        """Change settings of the running server; those of each session follow with its next statement."""
        for name, value in settings.items():
            self.rows(f"ALTER SYSTEM SET {name} = '{value}'")
        self.rows("SELECT pg_reload_conf()")

    def reset(self, *names: str) -> None:
        """Take changed settings back."""
        for name in names:
            self.rows(f"ALTER SYSTEM RESET {name}")
        self.rows("SELECT pg_reload_conf()")


@contextmanager
def own_server(folder: Path) -> Iterator[OwnServer]:
    """A running one, ended in the end."""
    server = OwnServer(folder)
    server._embedded.start()
    try:
        begin_log(server.owner_url)
        yield server
    finally:
        server._embedded.stop()
