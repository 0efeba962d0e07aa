"""A database of a test: how its owner and the application reach it; dropped at the end."""

from __future__ import annotations

from typing import Any, LiteralString, Self

import psycopg
from psycopg.conninfo import make_conninfo

from api.cli.embedded import EmbeddedPostgres
from domain.store.connections import connection_arguments


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
        cursor = self._owner.execute(sql, values)
        return cursor.fetchall() if cursor.description else []

    def value(self, sql: LiteralString, *values: Any) -> Any:
        """The one value of the one row the owner sees."""
        [[value]] = self.rows(sql, *values)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owner is not None:
            self._owner.close()
        with psycopg.connect(self._cluster.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)".encode())
