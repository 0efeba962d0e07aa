"""The library's own PostgreSQL recorder under our store, writing our rows in its transaction by its hook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from domain.store import Store
from domain.store.connections import SCHEMA
from domain.store.mapper import SealedEvent
from domain.store.rows import Kind, Write
from domain.store.statement import COMMAND_COLUMNS
from tests.databases import Database

CONNECTIONS = 16


class StockRecorder(PostgresApplicationRecorder):
    """Stores public and sealed bytes as one state; all else is the library's."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """As the library, whose table knows no column for the sealed part."""
        plain = [
            StoredEvent(event.originator_id, event.originator_version, event.topic, event.state + (event.sealed or b""))
            for event in stored_events
            if isinstance(event, SealedEvent)
        ]
        places: Sequence[int] | None = super().insert_events(plain, **kwargs)
        return places

    def _insert_events(
        self,
        curs: Cursor[dict[str, Any]],
        stored_events: Sequence[StoredEvent],
        *,
        command: tuple[Any, ...] = (),
        writes: Iterable[Write] = (),
        **_: Any,
    ) -> None:
        """The library's hook for what belongs into the same transaction; it pipelines it."""
        curs.execute(_insert("commands", tuple(COMMAND_COLUMNS)), command, prepare=True)
        for write in writes:
            assert write.row.kind is Kind.PUT, "a sign-up only begins rows"
            columns = (write.table.key, *write.row.values)
            curs.execute(_insert(write.table.name, columns), (write.key, *write.row.values.values()), prepare=True)


class StockStore(Store):
    """The store with its recorder exchanged."""

    def construct_recorder(self) -> Any:
        """The library's hook: where bytes are kept."""
        return StockRecorder(_datastore(self.pool.conninfo))


def create_table(database: Database) -> None:
    """The library's table, as its owner."""
    with _datastore(database.owner_url) as datastore:
        PostgresApplicationRecorder(datastore).create_table()
    rights = (
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO daybook; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO daybook"
    )
    database.rows(rights)


def _datastore(conninfo: object) -> PostgresDatastore:
    assert isinstance(conninfo, str)
    known = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    where = (known["dbname"], known["host"], known["port"], known["user"])
    return PostgresDatastore(*where, password="unused", pool_size=CONNECTIONS)  # noqa: S106  there is none


@lru_cache
def _insert(table: str, columns: tuple[str, ...]) -> Composed:
    return SQL("INSERT INTO {} ({}) VALUES ({})").format(
        Identifier(SCHEMA, table),
        SQL(", ").join(map(Identifier, columns)),
        SQL(", ").join([Placeholder()] * len(columns)),
    )
