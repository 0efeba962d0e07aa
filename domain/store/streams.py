"""Reading streams whole, one after the other in the order of their ids: what rows are made from anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from psycopg import Connection, RawCursor

from domain.events.catalogue import UnknownEvent
from domain.events.subjects import erasing_names

from .connections import Values
from .envelope import Recorded
from .mapper import SealingMapper, StoredRow
from .recorder import OPENABLE
from .select_list import SelectList

FIRST = UUID(int=0)
"""Below the id of any stream."""
LAST = UUID(int=2**128 - 1)


def _not_erased(key: str) -> str:
    erasing = ", ".join(f"'{name}'" for name in erasing_names())
    return (
        f"NOT EXISTS (SELECT FROM events x WHERE x.stream_id IN ({key}.subject_id, {key}.person_id)"
        f" AND x.name = ANY(ARRAY[{erasing}]::text[]))"
    )


# Where a command came from is opened only for events whose rows show it: that is most of the cost of reading.
_STORED = SelectList(
    StoredRow,
    **OPENABLE.sources,
    at="c.at",
    actor_kind="c.actor_kind",
    actor_id="c.actor_id",
    session_id="c.session_id",
    api_key_id="c.api_key_id",
    key_lost=(
        f"(e.sealed IS NOT NULL AND k.wrapped IS NULL AND {_not_erased('k')})"
        f" OR (c.sealed IS NOT NULL AND ck.wrapped IS NULL AND e.name = ANY($3) AND {_not_erased('ck')})"
    ),
)
_SELECT = f"""
SELECT {_STORED.sql}
  FROM events e LEFT JOIN commands c USING (command_id)
  LEFT JOIN subject_keys k ON k.subject_id = e.subject_id
  LEFT JOIN subject_keys ck ON ck.subject_id = c.subject_id AND e.name = ANY($3)
"""
_NAMED = "e.name <> ALL($2) ORDER BY e.stream_id, e.version"
_FOLLOWING = f"{_SELECT} WHERE e.stream_id > $1 AND {_NAMED} LIMIT $4"
_GIVEN = f"{_SELECT} WHERE e.stream_id = ANY($1) AND {_NAMED}"

UNREADABLE = (UnknownEvent, InvalidTag, ValueError, ArithmeticError, LookupError)
"""What reading may end in after somebody edited the log: no JSON, no UTF-8, no nonce, no version, no such actor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which events are left out, by their stored names, and of which also where their command came from is read.

    An event of a name nobody knows may belong to any stream: to leave it out would hide that something happened.
    """

    without: Collection[str]
    where_from: Collection[str]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and its events, oldest first; `broken` if one is missing or cannot be opened. `rows` are as stored."""

    stream_id: UUID
    rows: Sequence[StoredRow]
    events: Sequence[Recorded]
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of whole streams as stored, in the order of the streams' ids, up to and with the id `through`.

    `through` is `LAST` if there are no more.
    """

    rows: list[StoredRow]
    through: UUID


def stretch(connection: Connection[Values], wanted: Wanted, after: UUID, *, limit: int) -> Stretch:
    """The wanted events of the streams after an id: about `limit` of them, no stream cut in two."""
    rows = _rows(connection, _FOLLOWING, after, wanted, limit)
    if len(rows) < limit:
        return Stretch(rows, LAST)
    end, last = len(rows), rows[-1].stream_id
    while end and rows[end - 1].stream_id == last:
        end -= 1
    if end == 0:
        # one stream longer than the limit
        return stretch(connection, wanted, after, limit=limit * 2)
    return Stretch(rows[:end], rows[end - 1].stream_id)


def opened(mapper: SealingMapper, rows: Iterable[StoredRow]) -> list[Stream]:
    """The streams of rows that stand in their order."""
    return list(_streams(mapper, rows))


def given(
    connection: Connection[Values], mapper: SealingMapper, wanted: Wanted, stream_ids: Sequence[UUID]
) -> list[Stream]:
    """These streams, as far as they have wanted events."""
    return opened(mapper, _rows(connection, _GIVEN, list(stream_ids), wanted))


def _rows(connection: Connection[Values], sql: str, streams: Any, wanted: Wanted, *limit: int) -> list[StoredRow]:
    with RawCursor(connection) as cursor:
        values = [streams, list(wanted.without), list(wanted.where_from), *limit]
        return _STORED.read_all(cursor.execute(sql, values, prepare=True, binary=True).fetchall())


def _streams(mapper: SealingMapper, rows: Iterable[StoredRow]) -> Iterator[Stream]:
    # compared as numbers, since an id's own comparison is an interpreted function
    for _, group in groupby(rows, key=lambda row: row.stream_id.int):
        events = list(group)
        stream_id = events[0].stream_id
        try:
            opened = [mapper.recorded(row) for row in events]
        except UNREADABLE:
            yield Stream(stream_id, events, [], broken=True)
            continue
        # the last of so many different versions is the number of them, if none is missing
        gap = opened[-1].originator_version != len(opened)
        # a key that no erasure destroyed got lost, and may come back
        yield Stream(stream_id, events, opened, broken=gap or any(row.key_lost for row in events))
