"""The sessions of people as they see them, one query for all who ask meanwhile."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from domain.store.connections import opened_within
from projections.lists.session_list import LISTED_SESSION, SESSIONS_OF_PEOPLE, SessionRow

from .batcher import Batch, Batcher, succeed
from .prepared_connection import PreparedConnection, Statement, array

_UUID, _TIME, _BIGINT = (psycopg.adapters.types[name] for name in ("uuid", "timestamptz", "int8"))
_STATEMENT = Statement(
    name="daybook-session-lists",
    text=SESSIONS_OF_PEOPLE,
    types=(_UUID.array_oid, _UUID.array_oid, _TIME.array_oid, _TIME.array_oid, _BIGINT.array_oid, _BIGINT.array_oid),
)
_ASKED, _SHOWN, _ACTIVE_AT = (LISTED_SESSION.column(name) for name in ("number", "row", "active_at"))
_A_NUMBER = struct.Struct(">q")
_ROWS_KEPT = 10_000
"""Sessions that are kept as they were shown, by their bytes."""
_ALL = 2**62
"""As many as there may be."""
_ALWAYS = _A_NUMBER.pack(-(2**63))
"""The moment before all others, as PostgreSQL receives it."""
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SessionListKey(NamedTuple):
    """Whose live sessions at a moment, one in front; all, or a page of them, but what began too long ago."""

    user_id: UUID
    first: UUID
    now: datetime
    started_after: datetime | None
    limit: int | None
    offset: int


@dataclass(frozen=True, slots=True, eq=False)
class SessionView:
    """A session as its person sees it; the same object for the same row. `told` is how it was shown, if it was."""

    row: SessionRow
    told: dict[str, Any] = field(default_factory=dict)


LastUsed = tuple[SessionView, datetime]
"""A session, and when it was last used, as far as that was written down."""


class SessionLists:
    """Live sessions by person: committed state. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._batcher = Batcher[SessionListKey, list[LastUsed]](
            partial(SessionListConnection.open, conninfo), deadline=opened_within(conninfo)
        )

    async def sessions_of(self, key: SessionListKey) -> list[LastUsed]:
        """One in front, then those last used. Raises StoreUnavailable."""
        # each who asks sorts it anew
        return list(await self._batcher.submit(key))

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


class SessionListConnection:
    """Answers by person."""

    def __init__(self, connection: PreparedConnection) -> None:
        self._connection, self._rows = connection, Transformer(connection.psycopg)
        self._known: dict[bytes, SessionView] = {}

    @staticmethod
    async def open(conninfo: str) -> SessionListConnection:
        """Connect. Raises psycopg.Error."""
        return SessionListConnection(await PreparedConnection.open(conninfo, _STATEMENT))

    async def run(self, batch: Batch[SessionListKey, list[LastUsed]]) -> None:
        """Answer all who wait. Raises psycopg.Error."""
        keys = list(batch)
        answer = await self._connection.run(
            array(_UUID.oid, [key.user_id.bytes for key in keys]),
            array(_UUID.oid, [key.first.bytes for key in keys]),
            array(_TIME.oid, [_moment(key.now) for key in keys]),
            array(_TIME.oid, [_ALWAYS if key.started_after is None else _moment(key.started_after) for key in keys]),
            array(_BIGINT.oid, [_A_NUMBER.pack(_ALL if key.limit is None else key.limit) for key in keys]),
            array(_BIGINT.oid, [_A_NUMBER.pack(key.offset) for key in keys]),
        )
        self._rows.set_pgresult(answer)
        found: list[list[LastUsed]] = [[] for _ in keys]
        for line in range(answer.ntuples):
            [number] = _A_NUMBER.unpack(answer.get_value(line, _ASKED) or b"")
            found[number - 1].append((self._view(answer, line), _at(answer.get_value(line, _ACTIVE_AT) or b"")))
        for rows, waiting in zip(found, batch.values(), strict=True):
            for pending in waiting:
                succeed(pending, rows)

    def _view(self, answer: PGresult, line: int) -> SessionView:
        """What a row says; the same object for the same bytes: to decode and show it takes longer than all else."""
        shown = answer.get_value(line, _SHOWN) or b""
        view = self._known.get(shown)
        if view is None:
            [listed] = self._rows.load_rows(line, line + 1, LISTED_SESSION.read)
            if len(self._known) == _ROWS_KEPT:
                self._known.clear()
            view = self._known[shown] = SessionView(listed.row)
        return view

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._connection.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()


def _moment(at: datetime) -> bytes:
    """As PostgreSQL receives it: microseconds since 2000."""
    return _A_NUMBER.pack((at - _POSTGRES_EPOCH) // _MICROSECOND)


def _at(received: bytes) -> datetime:
    [microseconds] = _A_NUMBER.unpack(received)
    return _POSTGRES_EPOCH + timedelta(microseconds=microseconds)
