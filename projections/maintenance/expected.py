"""What the rows of a list must be, by the events of their streams: made from scratch, compared with what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection, RawCursor

from domain.events.catalogue import AGGREGATES, NAME_BY_EVENT, stored_names
from domain.store.connections import Values
from domain.store.rows import Projection, Table
from domain.store.streams import Stream, Wanted
from projections import INLINE

_encode = msgspec.json.Encoder().encode

Row = tuple[Any, ...]
"""The values of a row: its key, its version, its columns in the order of the table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that does not say what its events say. `columns` names those that differ, if it is there and should be."""

    key: Any
    expected: Row | None
    actual: Row | None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        if self.actual is None:
            return "missing"
        return "too many" if self.expected is None else ", ".join(self.columns)


def wanted_by(projection: Projection) -> Wanted:
    """The events a list is made from."""
    own = names_of(projection)
    others = [name for event in NAME_BY_EVENT for name in stored_names(event) if name not in own]
    return Wanted(without=others, where_from=_places(projection))


def everything() -> Wanted:
    """All events, as all lists need them."""
    return Wanted(without=(), where_from=[name for projection in INLINE for name in _places(projection)])


def names_of(projection: Projection) -> list[str]:
    """The stored names of the events of a list's aggregate, those of older shapes too."""
    [aggregate] = [one for one in AGGREGATES if one.name == projection.aggregate]
    return [name for event in aggregate.event_classes for name in stored_names(event)]


def _places(projection: Projection) -> list[str]:
    return [name for event in projection.where_from for name in stored_names(event)]


def row_of(projection: Projection, stream: Stream, defaults: Mapping[str, Any]) -> Row:
    """The row of a stream: every event projected after the one before. `defaults` are those of the columns."""
    table, values = projection.table, dict[str, Any](defaults)
    for recorded in stream.events:
        row = projection.project(recorded.event, recorded.command)
        if row is not None:
            values.update(row.values)
    get = values.get
    return (stream.stream_id, len(stream.events), *(get(name) for name in table.columns))


def defaults_of(connection: Connection[Values], table: Table) -> dict[str, Any]:
    """What columns hold that no event speaks of, asked of the database, which alone knows its declarations."""
    with RawCursor(connection) as cursor:
        found = cursor.execute(
            "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
            "  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = $1::regclass",
            (table.name,),
        ).fetchall()
        if not found:
            return {}
        values = cursor.execute(f"SELECT {', '.join(expression for _, expression in found)}").fetchone() or ()
    return dict(zip((name for name, _ in found), values, strict=True))


def rows_between(connection: Connection[Values], table: Table, after: UUID, through: UUID) -> list[Row]:
    """The rows that are there, by their keys: above `after`, up to `through`."""
    sql = f"{_select(table)} WHERE {table.key} > $1 AND {table.key} <= $2 ORDER BY {table.key}"
    with RawCursor(connection) as cursor:
        return cursor.execute(sql, (after, through), prepare=True, binary=True).fetchall()


def insert(cursor: RawCursor[Any], table: str, types: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Rows into a table; `types` are those of all its columns, in the order of the rows."""
    with cursor.copy(f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(types.values()))
        for row in rows:
            copy.write_row(row)


def fingerprint(rows: Iterable[Row]) -> bytes:
    """SHA-256 over rows in their order: alike only if every value is."""
    digest = sha256()
    for row in rows:
        digest.update(_encode(row))
    return digest.digest()


def differences(names: Iterable[str], expected: Sequence[Row], actual: Sequence[Row]) -> Iterator[Difference]:
    """The very rows that differ, in the order of their keys, which stand first in them. `names` are the columns'."""
    columns = list(names)
    should_be, is_there = {row[0]: row for row in expected}, {row[0]: row for row in actual}
    for key in sorted(should_be.keys() | is_there.keys()):
        wanted, found = should_be.get(key), is_there.get(key)
        if wanted != found:
            pairs = zip(columns, wanted or (), found or (), strict=False)
            yield Difference(key, wanted, found, tuple(name for name, one, other in pairs if one != other))


def _select(table: Table) -> str:
    return f"SELECT {', '.join(table.types)} FROM {table.name}"
