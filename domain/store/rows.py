"""Rows as data: what a projection says about the row of a stream, and how what is said in one append is merged.

In one PostgreSQL statement an UPDATE does not see the INSERT beside it and a second UPDATE of a row is lost, both
silently. So one append writes every row once (docs/decisions/0002-rows-are-data.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from .envelope import CommandRecord, Recorded


class Kind(StrEnum):
    """Whether a row begins or goes on, or either; or which of the two is told by the place of its event."""

    PUT = "put"
    CHANGE = "change"
    KEEP = "keep"
    RESTATE = "restate"


@dataclass(frozen=True, slots=True)
class Row:
    """Columns of a row and their new values; the key is the stream's id and stands elsewhere."""

    kind: Kind
    values: Mapping[str, Any]


def put(**values: Any) -> Row:
    """The row begins with these columns."""
    return Row(Kind.PUT, values)


def change(**values: Any) -> Row:
    """These columns of the row have new values."""
    return Row(Kind.CHANGE, values)


def keep(**values: Any) -> Row:
    """The row has these columns from now on, whether it began before or not."""
    return Row(Kind.KEEP, values)


def restate(**values: Any) -> Row:
    """The row begins with these columns, or begins anew: an event that may be the first of its stream, or a later one.

    What the row said before and is not named here stays.
    """
    return Row(Kind.RESTATE, values)


@dataclass(frozen=True, eq=False)
class Table:
    """A table as the store writes it: its key and the PostgreSQL type of each other column.

    `versioned` tables mirror streams: their rows carry the version of the stream they come from. Where the key has more
    columns, `only` are their values, plain words: the rows that have them are those meant, one of each key.
    """

    name: str
    key: str
    columns: Mapping[str, str]
    versioned: bool = True
    only: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        version = {"version": "integer"} if self.versioned else {}
        object.__setattr__(self, "types", {self.key: "uuid", **version, **self.columns})


@dataclass(frozen=True, eq=False)
class Projection:
    """An inline projection: the one table that mirrors the streams of one aggregate, and the pure function to it.

    `project` says what an event of that aggregate, caused by this command, means for the row. `where_from` are the
    events of which it shows where their command came from. `restore` makes the aggregate's state of a row: then nobody
    reads a stream that grew long to decide on its state. `derived` is what that takes beside the table's own columns:
    SQL over the row, which is called `{row}` there, by name. What it reads must change only in commits that move the
    row's version too. Streams with keys of their own have them read with their rows; `key_owner` says of a row whose
    the key is.
    """

    aggregate: str
    table: Table
    project: Callable[[Any, CommandRecord], Row | None]
    where_from: tuple[type, ...] = ()
    restore: Callable[[Mapping[str, Any]], Any] = field(kw_only=True)
    derived: Mapping[str, str] = field(default_factory=dict)
    key_owner: Callable[[Mapping[str, Any]], UUID | None] | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One row to be written."""

    table: Table
    key: UUID
    row: Row

    def then(self, later: Write) -> Write:
        """This write, with what a later event of the same append says about the same row."""
        assert later.row.kind is Kind.CHANGE, "a row begins once"
        return Write(self.table, self.key, Row(self.row.kind, {**self.row.values, **later.row.values}))


def write_of(projection: Projection, recorded: Recorded) -> Write:
    """What an event means for the row of its stream: at the least, that the row's version is the event's."""
    row = projection.project(recorded.event, recorded.command) or change()
    if row.kind is Kind.RESTATE:
        row = Row(Kind.PUT if recorded.version == 1 else Kind.CHANGE, row.values)
    # a change would find no row and a second beginning would find one; neither may pass in silence
    assert (row.kind is Kind.PUT) == (recorded.version == 1), f"{projection.table.name} begins with its stream"
    values = {**row.values, "version": recorded.version}
    return Write(projection.table, recorded.stream_id, Row(row.kind, values))


def merge(writes: Iterable[Write]) -> list[Write]:
    """One write per row, in the order in which the rows were first spoken of."""
    merged: dict[tuple[str, UUID], Write] = {}
    for write in writes:
        place = (write.table.name, write.key)
        before = merged.get(place)
        merged[place] = write if before is None else before.then(write)
    return list(merged.values())


SUBJECT_KEYS = Table("subject_keys", "subject_id", {"person_id": "uuid", "wrapped": "bytea"}, versioned=False)
PASSWORDS = Table(
    "credentials",
    "user_id",
    {"password_version": "integer", "hash": "text", "kind": "text", "id": "text"},
    versioned=False,
    only={"kind": "password", "id": ""},
)
"""Of the credentials of people, which are keyed by whose, kind and id, those that are passwords."""
PICTURES = Table("pictures", "owner_id", {"link": "text", "sealed": "bytea"}, versioned=False)
