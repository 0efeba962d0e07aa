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
"""The columns of a row, those derived among them."""


@dataclass(frozen=True, slots=True)
class Sought(Generic[S]):
    """A stream by columns of its row: its key, or what no two rows have alike."""

    aggregate: Aggregate[S]
    columns: Mapping[str, Any]


@lru_cache(256)
def question(shape: Sequence[tuple[Projection, Sequence[str]]]) -> str:
    """The query for a key of a subject, which is the first parameter, and for rows by these columns, in this order."""
    numbers = count(2)
    fields, joins = ["k.wrapped"], ["LEFT JOIN subject_keys k ON k.subject_id = $1"]
    for place, (projection, columns) in enumerate(shape):
        row, table = f"row_{place}", projection.table
        fields += [f"{row}.{name}" for name in table.types]
        fields += [expression.format(row=row) for expression in projection.derived.values()]
        conditions = [f"{row}.{name} = ${next(numbers)}::{table.types[name]}" for name in columns]
        joins.append(f"LEFT JOIN {table.name} {row} ON {' AND '.join(conditions)}")
    return f"SELECT {', '.join(fields)} FROM (SELECT) AS once {' '.join(joins)}"


def states(projections: Sequence[Projection], fields: Iterable[Any]) -> Iterator[State | None]:
    """What the answer holds of each row, None for one there is not."""
    taken = iter(fields)
    for projection in projections:
        state = {name: next(taken) for name in (*projection.table.types, *projection.derived)}
        yield None if state[projection.table.key] is None else state
