"""The one statement of an append: a chain of row locks, then command, events, rows and queue, all or nothing.

The rows that will change and the rows a decision was based on are locked first, each at the version it was read, in one
order for everybody, each lock waiting for the one before. Everything else depends on the chain: if one link has moved
on, nothing is written. Queue numbers are drawn last, so the log stands in the order in which things took effect
(docs/decisions/0003-one-statement-append.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import count, groupby
from typing import Any
from uuid import UUID

from .rows import SUBJECT_KEYS, Kind, Table, Write

EVENT_COLUMNS = {
    "stream_id": "uuid",
    "version": "integer",
    "name": "text",
    "subject_id": "uuid",
    "command_id": "uuid",
    "body": "bytea",
    "sealed": "bytea",
}
COMMAND_COLUMNS = {
    "command_id": "uuid",
    "at": "timestamptz",
    "actor_kind": "text",
    "actor_id": "uuid",
    "session_id": "uuid",
    "api_key_id": "uuid",
    "acting_for": "uuid",
    "subject_id": "uuid",
    "body": "bytea",
    "sealed": "bytea",
}
_SINGLES = 8
"""Up to so many of a kind stand in the statement one by one, more come as arrays."""

_HELD = "(SELECT held FROM chain)"


class Mode(StrEnum):
    """How a row is locked: because it will change, or because it was only read."""

    CHANGE = "FOR NO KEY UPDATE"
    READ = "FOR SHARE"


@dataclass(frozen=True, slots=True)
class Link:
    """A row that must still stand where it was read; of `subject_keys`, one whose key must still exist."""

    table: Table
    key: UUID
    version: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class _Shape:
    """All that the text of a statement depends on; one text serves every append of its shape.

    Events, and writes of one kind, are so many, or 0 if they come as arrays.
    """

    links: tuple[tuple[Table, Mode, bool], ...]
    events: int
    writes: tuple[tuple[Table, Kind, tuple[str, ...], int], ...]


def append(
    links: Iterable[Link], command: Sequence[Any], events: Sequence[Sequence[Any]], writes: Iterable[Write]
) -> tuple[str, list[Any]]:
    """The text and the parameters of an append. It inserts as many rows as there are events, or none."""
    runs = list(_runs(links))
    batches = list(_batches(writes))
    shape = _Shape(
        tuple((run[0].table, run[0].mode, len(run) > 1) for run in runs),
        _singles(events),
        tuple((batch[0].table, batch[0].row.kind, tuple(batch[0].row.values), _singles(batch)) for batch in batches),
    )
    values: list[Any] = []
    for run in runs:
        values += _link_values(run)
    values += command
    values += _row_values(events)
    for batch in batches:
        values += _row_values([(write.key, *write.row.values.values()) for write in batch])
    return _text(shape), values


def _runs(links: Iterable[Link]) -> Iterator[list[Link]]:
    """Links in locking order, keys of subjects first; long runs over one table are one link of many rows."""
    ordered = sorted(links, key=lambda link: (link.table is not SUBJECT_KEYS, link.table.name, link.key))
    for _, group in groupby(ordered, key=lambda link: (link.table.name, link.mode)):
        run = list(group)
        yield from [run] if len(run) > _SINGLES else ([link] for link in run)


def _batches(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """Writes of one shape together, since they are one clause of the statement."""
    batches: dict[tuple[str, Kind, tuple[str, ...]], list[Write]] = {}
    for write in writes:
        batches.setdefault((write.table.name, write.row.kind, tuple(write.row.values)), []).append(write)
    return iter(batches.values())


def _link_values(run: list[Link]) -> list[Any]:
    keys, versions = [link.key for link in run], [link.version for link in run]
    if len(run) == 1:
        return [keys[0], versions[0]] if run[0].table.versioned else [keys[0]]
    return [keys, versions] if run[0].table.versioned else [keys]


def _singles(rows: Sequence[Any]) -> int:
    return len(rows) if len(rows) <= _SINGLES else 0


def _row_values(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Row by row or, of many, column by column as arrays: the driver takes longer for an array than for few values."""
    if _singles(rows):
        return [value for row in rows for value in row]
    return [list(column) for column in zip(*rows, strict=True)]


@lru_cache(1024)
def _text(shape: _Shape) -> str:
    """The statement of a shape, its parameters numbered in the order in which `append` lists them."""
    numbers = count(1)
    clauses: list[str] = []
    before = ""
    for place, (table, mode, many) in enumerate(shape.links):
        clause, condition = _link(f"link_{place}", table, mode, many, before, numbers)
        clauses.append(clause)
        before = f" AND {condition}"
    held = f" WHERE {_HELD}" if shape.links else ""
    if shape.links:
        clauses.append(f"chain AS MATERIALIZED (SELECT{before.removeprefix(' AND')} AS held)")
    clauses.append(f"command AS ({_insert('commands', COMMAND_COLUMNS, 1, numbers)}{held})")
    events = _insert("events", EVENT_COLUMNS, shape.events, numbers)
    clauses.append(f"appended AS ({events}{held} RETURNING stream_id, version)")
    for place, (table, kind, columns, rows) in enumerate(shape.writes):
        types = {name: table.types[name] for name in (table.key, *columns)}
        if kind is Kind.CHANGE:
            clause = _update(table, types, rows, numbers) + held.replace("WHERE", "AND")
        else:
            clause = _insert(table.name, types, rows, numbers) + held
        if kind is Kind.KEEP:
            clause += f" ON CONFLICT ({table.key}) DO UPDATE SET " + ", ".join(f"{n} = EXCLUDED.{n}" for n in columns)
        clauses.append(f"row_{place} AS ({clause})")
    return f"WITH {', '.join(clauses)} INSERT INTO queue (stream_id, version) SELECT stream_id, version FROM appended"


def _link(name: str, table: Table, mode: Mode, many: bool, before: str, numbers: Iterator[int]) -> tuple[str, str]:
    """A link of the chain, and the condition under which the next one may begin."""
    types = ["uuid", "integer"] if table.versioned else ["uuid"]
    names = ["key", "version"][: len(types)]
    if many:
        holes = [f"${next(numbers)}::{kind}[]" for kind in types]
        source = f"{table.name} AS target JOIN unnest({', '.join(holes)}) AS given({', '.join(names)})"
        at = " AND target.version = given.version" if table.versioned else " AND target.wrapped IS NOT NULL"
        body = (
            f"SELECT 1 FROM {source} ON target.{table.key} = given.key{at}"
            f" WHERE true{before} ORDER BY target.{table.key} {mode} OF target"
        )
        # EXISTS would stop at, and so lock, only the first row
        return f"{name} AS MATERIALIZED ({body})", f"(SELECT count(*) FROM {name}) = cardinality({holes[0]})"
    holes = [f"${next(numbers)}" for _ in types]
    at = f" AND version = {holes[1]}" if table.versioned else " AND wrapped IS NOT NULL"
    body = f"SELECT 1 FROM {table.name} WHERE {table.key} = {holes[0]}{at}{before} {mode}"
    return f"{name} AS MATERIALIZED ({body})", f"EXISTS (SELECT FROM {name})"


def _insert(table: str, types: dict[str, str], rows: int, numbers: Iterator[int]) -> str:
    """Rows in the order given, which for events is the queue's."""
    given = f"SELECT {_row(types, numbers)}" if rows == 1 else f"SELECT * FROM {_given(types, rows, numbers)}"
    return f"INSERT INTO {table} ({', '.join(types)}) {given}"


def _update(table: Table, types: dict[str, str], rows: int, numbers: Iterator[int]) -> str:
    if rows == 1:
        key, *columns = [f"{name} = ${next(numbers)}::{kind}" for name, kind in types.items()]
        return f"UPDATE {table.name} SET {', '.join(columns)} WHERE {key}{_only(table, table.name)}"
    sets = ", ".join(f"{name} = given.{name}" for name in types if name != table.key)
    source = _given(types, rows, numbers)
    key = f"target.{table.key} = given.{table.key}{_only(table, 'target')}"
    return f"UPDATE {table.name} AS target SET {sets} FROM {source} WHERE {key}"


def _only(table: Table, row: str) -> str:
    """That a row is one of those that are meant, if the table has others too."""
    return "".join(f" AND {row}.{column} = '{value}'" for column, value in table.only.items())


def _given(types: dict[str, str], rows: int, numbers: Iterator[int]) -> str:
    if rows:
        source = "(VALUES " + ", ".join(f"({_row(types, numbers)})" for _ in range(rows)) + ")"
    else:
        source = "unnest(" + ", ".join(f"${next(numbers)}::{kind}[]" for kind in types.values()) + ")"
    return f"{source} AS given({', '.join(types)})"


def _row(types: dict[str, str], numbers: Iterator[int]) -> str:
    return ", ".join(f"${next(numbers)}::{kind}" for kind in types.values())
