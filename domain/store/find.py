"""Streams looked for by the rows that mirror them: all that a command decides on, read in one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from typing import Any, Generic, TypeVar

from domain.events.catalogue import Aggregate

from .rows import Projection

S = TypeVar("S")
State = Mapping[str, Any]
"""The columns of a row, those derived among them, and of its subject's key `_key_columns`, each by name."""


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


def _columns(projection: Projection, row: str = "", key: str = "") -> dict[str, str]:
    """What is asked of a row called `row` and its subject's key called `key`: SQL by name, as it is read again."""
    columns = {name: f"{row}.{name}" for name in projection.table.types}
    columns |= {name: expression.format(row=row) for name, expression in projection.derived.items()}
    return columns | (_key_columns(f"{row}.{projection.table.key}", key) if projection.key_owner else {})


@lru_cache(64)
def _names(projection: Projection) -> tuple[str, ...]:
    """The columns of a row in the order in which they are asked for and come back."""
    return tuple(_columns(projection))


def _key_columns(stream_id: str, key: str) -> dict[str, str]:
    """Whether the subject ever had a key, whether its row is there, and the key as stored: None once destroyed."""
    # older than the keys of its kind is only what nothing is sealed in; looked at where there is no key only
    sealed = f"EXISTS (SELECT FROM events WHERE stream_id = {stream_id} AND sealed IS NOT NULL)"
    return {
        "key_known": f"CASE WHEN {key}.subject_id IS NULL THEN {sealed} ELSE true END",
        "key_there": f"{key}.subject_id IS NOT NULL",
        "wrapped": f"{key}.wrapped",
    }


@lru_cache(256)
def question(shape: Shape) -> str:
    """The query for rows by these columns; the values of those without a row are its parameters, in this order."""
    numbers = count(1)
    fields, joins = list[str](), list[str]()
    for place, (projection, columns) in enumerate(shape):
        row, table = f"row_{place}", projection.table
        fields += _columns(projection, row, f"key_{place}").values()
        conditions = [
            f"{row}.{name} = " + (f"row_{of[0]}.{of[1]}" if of else f"${next(numbers)}::{table.types[name]}")
            for name, of in columns
        ]
        joins.append(f"LEFT JOIN {table.name} {row} ON {' AND '.join(conditions)}")
        if projection.key_owner:
            key = f"key_{place}"
            joins.append(f"LEFT JOIN subject_keys {key} ON {key}.subject_id = {row}.{table.key}")
    return f"SELECT {', '.join(fields)} FROM (SELECT) AS once {' '.join(joins)}"


def states(projections: Sequence[Projection], fields: Iterable[Any]) -> Iterator[State | None]:
    """What the answer holds of each row, None for one there is not."""
    taken = iter(fields)
    for projection in projections:
        names = _names(projection)
        state = dict(zip(names, islice(taken, len(names)), strict=True))
        yield None if state[projection.table.key] is None else state
