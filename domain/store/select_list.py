"""Select lists bound to records by name: each field of a record stands beside the SQL that fills it.

From the one declaration both the select list is made, in the record's own order, and the reading of rows. So no two
columns can be swapped between query and record, and a field without its SQL, or SQL without its field, is an error of
the import (docs/decisions/0042-rows-by-name.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Generic, TypeAlias, TypeVar

R = TypeVar("R")
Columns = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A field that no query is needed for."""

    value: Any


@dataclass(frozen=True, slots=True)
class Whole:
    """A field that holds a record in one column: this SQL of a ROW( ) made of its select list. Typed only in binary."""

    record: SelectList[Any]
    sql: str


@dataclass(frozen=True, slots=True)
class Each:
    """A field that holds a list of records, in one column: one of each row of a query, which begins at its FROM.

    Typed only in binary.
    """

    record: SelectList[Any]
    rows: str


Source: TypeAlias = "str | Known | Whole | Each | SelectList[Any]"
"""What fills a field: SQL of one column; something of the above; or a record of its own, whose columns stand here."""


class SelectList(Generic[R]):
    """The columns of a record: a NamedTuple or a dataclass, whose fields are given by name, in whatever order.

    `sql` is what stands after SELECT, or within ROW( ). `width` is how many columns that are. `read` makes the record
    of a row of just these columns. A field that has a default may be left out. Raises TypeError if another one is, or
    if what is given is no field of the record.
    """

    def __init__(self, record: type[R], /, **sources: Source) -> None:
        names, optional, self._by_keyword = _fields(record)
        if wrong := (set(names) - optional - set(sources)) | (set(sources) - set(names)):
            raise TypeError(f"each field of {record.__name__} has one source: {', '.join(sorted(wrong))}")
        self._record: Callable[..., R] = record
        self.record_name = record.__name__
        self._by_keyword |= len(sources) < len(names)
        self.sources = {name: sources[name] for name in names if name in sources}
        self.sql = ", ".join(column for source in self.sources.values() for column in _columns(source))
        self.width = sum(map(_width, self.sources.values()))
        self.read: Callable[[Columns], R] = self._reader()

    def find(self, row: Columns | None) -> R | None:
        """The record of a row; None if there is no row, or an outer join found none: all its columns are NULL then."""
        return None if row is None or all(column is None for column in row) else self.read(row)

    def read_all(self, rows: Iterable[Columns]) -> list[R]:
        """The records of some rows."""
        return list(map(self.read, rows))

    def column(self, name: str) -> int:
        """Where the first column of a field stands, counted from 0: for who reads bytes below a cursor."""
        position = 0
        for field, source in self.sources.items():
            if field == name:
                return position
            position += _width(source)
        raise KeyError(name)

    def _reader(self) -> Callable[[Columns], R]:
        """The quickest that does: most records have a column for each field, in order."""
        record = self._record
        if self._by_keyword:
            return lambda row: record(**dict(zip(self.sources, self._values(row), strict=True)))
        if not all(isinstance(source, str) for source in self.sources.values()):
            return lambda row: record(*self._values(row))
        make: Callable[[Columns], R] | None = getattr(record, "_make", None)
        return make or (lambda row: record(*row))

    def _values(self, row: Columns) -> Iterator[Any]:
        """What the fields hold, in their order."""
        assert len(row) == self.width, "a row of these columns"
        begin = 0
        for source in self.sources.values():
            match source:
                case str():
                    yield row[begin]
                case Known(value):
                    yield value
                case Whole(record):
                    yield record.read(row[begin])
                case Each(record):
                    yield record.read_all(row[begin])
                case SelectList():
                    yield source.read(row[begin : begin + source.width])
            begin += _width(source)


def _columns(source: Source) -> list[str]:
    match source:
        case str():
            return [source]
        case Known():
            return []
        case Whole(_, sql):
            return [sql]
        case Each(record, rows):
            return [f"ARRAY(SELECT ROW({record.sql}) {rows})"]
        case SelectList():
            return [source.sql]


def _width(source: Source) -> int:
    match source:
        case SelectList():
            return source.width
        case Known():
            return 0
        case _:
            return 1


def _fields(record: type) -> tuple[tuple[str, ...], set[str], bool]:
    """The fields of a record, those that may be left out, and whether it takes them by keyword alone."""
    if is_dataclass(record):
        own = fields(record)
        optional = {one.name for one in own if one.default is not MISSING or one.default_factory is not MISSING}
        return tuple(one.name for one in own), optional, any(one.kw_only for one in own)
    names: tuple[str, ...] = record._fields  # type: ignore[attr-defined] # of a NamedTuple
    return names, set(record._field_defaults), False  # type: ignore[attr-defined]
