"""A database of a test: how its owner and the application reach it; dropped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, Self

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus

from api.cli.embedded import EmbeddedPostgres
from domain.store.connections import connection_arguments
from domain.store.migrate import migrate
from domain.store.requirements import make_first_key
from tests.people import SECRET


def rows_of(cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What was answered, if rows were; those without columns are rows too."""
    result = cursor.pgresult
    return cursor.fetchall() if result is not None and result.status == ExecStatus.TUPLES_OK else []


class Database:
    """One database of the tests' server."""

    def __init__(self, cluster: EmbeddedPostgres, name: str) -> None:
        self.name = name
        self._cluster = cluster
        self.owner_url = make_conninfo(cluster.conninfo("postgres"), dbname=name)
        self.application_url = make_conninfo(cluster.conninfo("daybook"), dbname=name)
        self._owner: psycopg.Connection[tuple[Any, ...]] | None = None

    def rows(self, sql: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """What the owner sees."""
        if self._owner is None:
            self._owner = psycopg.connect(self.owner_url, **connection_arguments("tests"))
        return rows_of(self._owner.execute(sql, values))

    def value(self, sql: LiteralString, *values: Any) -> Any:
        """The one value of the one row the owner sees."""
        [[value]] = self.rows(sql, *values)
        return value

    @contextmanager
    def away(self) -> Iterator[None]:
        """It takes no connection, and has hung up on those of the application; what the owner sees, it still sees."""
        self.rows("SELECT 'so that it has a connection'")
        with psycopg.connect(self._cluster.conninfo("postgres"), autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false".encode())
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = 'daybook'",
                (self.name,),
            )
            try:
                yield
            finally:
                owner.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true".encode())

    @contextmanager
    def copied(self, name: str) -> Iterator[Database]:
        """A copy of it under another name; whoever is connected is hung up on, and may come back."""
        if self._owner is not None:
            self._owner.close()
            self._owner = None
        copy = f"{self.name}_{name}"
        with psycopg.connect(self._cluster.conninfo("postgres"), autocommit=True) as owner:
            hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            for _ in range(50):
                owner.execute(hang_up, (self.name,))
                try:
                    owner.execute(f"CREATE DATABASE {copy} TEMPLATE {self.name}".encode())
                except psycopg.errors.ObjectInUse:
                    continue
                break
        with Database(self._cluster, copy) as database:
            yield database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owner is not None:
            self._owner.close()
        with psycopg.connect(self._cluster.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)".encode())


def begin_log(owner_url: str) -> None:
    """What `daybook migrate` does for a server of the operator's own: the role that serves, tables, the first key."""
    with psycopg.connect(owner_url, **connection_arguments("tests")) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = 'daybook'").fetchone() is None:
            connection.execute("CREATE ROLE daybook LOGIN")
        migrate(connection, application_role="daybook")
        make_first_key(connection, SECRET)
