"""Streams looked for by the rows that mirror them: all that a command decides on, read in one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Generic, TypeVar

from domain.events.catalogue import Aggregate

from .rows import Projection

S = TypeVar("S")
State = Mapping[str, Any]
"""The columns of a row, those derived among them, and what `KEY_COLUMNS` says of its subject's key."""
KEY_COLUMNS = ("key_known", "key_there", "wrapped")
"""Whether the subject ever had a key, whether its row is there, and the key as stored: None once destroyed."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamQuery(Generic[S]):
    """A stream by columns of its row: its key, or what no two rows have alike.

    A column may have the value of one of another row, that is looked for before it in the same query.
    """

    aggregate: Aggregate[S]
    columns: Mapping[str, Any]

    def column(self, name: str) -> ColumnOf:
        """What a column of the row says that this one finds."""
        return ColumnOf(self, name)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnOf:
    """A column of a row that is looked for in the same query."""

    of: StreamQuery[Any]
    name: str


Source = tuple[int, str] | None
"""Where a column's value comes from: a column of the row with this number, or a parameter."""
Shape = tuple[tuple[Projection, tuple[tuple[str, Source], ...]], ...]
"""Rows by columns, each with its source."""


def shape_of(projections: Sequence[Projection], wanted: Sequence[StreamQuery[Any]]) -> tuple[Shape, list[Any]]:
    """What is looked for, and the values of its parameters."""
    values, numbers = list[Any](), {id(one): number for number, one in enumerate(wanted)}

    def source(value: Any) -> Source:
        if isinstance(value, ColumnOf):
            return numbers[id(value.of)], value.name
        values.append(value)
        return None

    shape = tuple(
        (of, tuple((name, source(value)) for name, value in one.columns.items()))
        for of, one in zip(projections, wanted, strict=True)
    )
    return shape, values


@lru_cache(256)
def question(shape: Shape) -> str:
    """The query for rows by these columns; the values of those without a row are its parameters, in this order."""
    numbers = count(1)
    fields, joins = list[str](), list[str]()
    for place, (projection, columns) in enumerate(shape):
        row, table = f"row_{place}", projection.table
        fields += [f"{row}.{name}" for name in table.types]
        fields += [expression.format(row=row) for expression in projection.derived.values()]
        conditions = [
            f"{row}.{name} = " + (f"row_{of[0]}.{of[1]}" if of else f"${next(numbers)}::{table.types[name]}")
            for name, of in columns
        ]
        joins.append(f"LEFT JOIN {table.name} {row} ON {' AND '.join(conditions)}")
        if projection.key_owner:
            key = f"key_{place}"
            # older than the keys of its kind is only what nothing is sealed in; looked at where there is no key only
            sealed = f"EXISTS (SELECT FROM events WHERE stream_id = {row}.{table.key} AND sealed IS NOT NULL)"
            fields += [f"CASE WHEN {key}.subject_id IS NULL THEN {sealed} ELSE true END"]
            fields += [f"{key}.subject_id IS NOT NULL", f"{key}.wrapped"]
            joins.append(f"LEFT JOIN subject_keys {key} ON {key}.subject_id = {row}.{table.key}")
    return f"SELECT {', '.join(fields)} FROM (SELECT) AS once {' '.join(joins)}"


def states(projections: Sequence[Projection], fields: Iterable[Any]) -> Iterator[State | None]:
    """What the answer holds of each row, None for one there is not."""
    taken = iter(fields)
    for projection in projections:
        keys = KEY_COLUMNS if projection.key_owner else ()
        state = {name: next(taken) for name in (*projection.table.types, *projection.derived, *keys)}
        yield None if state[projection.table.key] is None else state
