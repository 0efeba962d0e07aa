"""Counting every request: one statement for all who ask meanwhile, and none where the refusal is known."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from collections.abc import Sequence
from functools import lru_cache, partial

import psycopg
from psycopg.pq.abc import PGresult

from api.edge.batching.batcher import Batch, Batcher, fail, succeed
from api.edge.batching.prepared_connection import PreparedConnection, Statement, array
from domain.refusals import TooManyAttempts
from domain.store.connections import opened_within

from .counters import COUNT, Counter, Limit

REFUSALS_KEPT = 10_000
"""Refusals that are remembered. One that was let go of costs a question."""

_BYTEA, _INTEGER, _INTERVAL = (psycopg.adapters.types[name] for name in ("bytea", "int4", "interval"))
_STATEMENT = Statement(
    name="daybook-hits",
    text=COUNT,
    types=(_BYTEA.array_oid, _INTEGER.array_oid, _INTEGER.oid, _INTERVAL.oid),
    # nobody waits for a disk so that a page view is counted (docs/decisions/0014-every-request-is-counted.md)
    settings=("synchronous_commit=off",),
)
_AN_INTEGER, _A_FLOAT, _AN_INTERVAL = struct.Struct(">i"), struct.Struct(">d"), struct.Struct(">qii")

Pending = asyncio.Future[None]


class RequestCounter:
    """Requests are counted in the database, shared by all nodes. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._refusals = Refusals()
        self._batcher = Batcher[Counter, None](
            partial(CountingConnection.open, conninfo, self._refusals), deadline=opened_within(conninfo)
        )

    def count(self, counter: Counter) -> Pending:
        """Begin to count a hit: awaited, it raises TooManyAttempts if the hit is not admitted, or StoreUnavailable.

        Raises TooManyAttempts at once, and asks nobody, where no hit can be admitted yet for all that is known.
        """
        wait = self._refusals.wait(counter)
        if wait:
            raise TooManyAttempts(math.ceil(wait))
        return self._batcher.submit(counter)

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


class Refusals:
    """Until when counters admit nobody: no longer than in the database, since that is told after it was asked."""

    def __init__(self) -> None:
        self._until: dict[Counter, float] = {}

    def wait(self, counter: Counter) -> float:
        """Seconds until a hit may be admitted, 0 if one may be now."""
        until = self._until.get(counter)
        if until is None:
            return 0
        wait = until - time.monotonic()
        if wait > 0:
            return wait
        del self._until[counter]
        return 0

    def remember(self, counter: Counter, until: float) -> None:
        """Nobody is admitted before this moment of the monotonic clock."""
        if len(self._until) >= REFUSALS_KEPT:
            self._until.clear()
        self._until[counter] = until


class CountingConnection:
    """The connection that counts."""

    def __init__(self, connection: PreparedConnection, refusals: Refusals) -> None:
        self._connection, self._refusals = connection, refusals

    @staticmethod
    async def open(conninfo: str, refusals: Refusals) -> CountingConnection:
        """Connect. Raises psycopg.Error."""
        return CountingConnection(await PreparedConnection.open(conninfo, _STATEMENT), refusals)

    async def run(self, batch: Batch[Counter, None]) -> None:
        """Count all who ask, one limit after the other. Raises psycopg.Error."""
        for limit in {counter.limit for counter in batch}:
            await self._count(limit, [asked for asked in batch.items() if asked[0].limit == limit])

    async def _count(self, limit: Limit, batch: Sequence[tuple[Counter, Sequence[Pending]]]) -> None:
        asked_at = time.monotonic()
        keys = [counter.key for counter, _ in batch]
        answer = await self._connection.run(
            array(_BYTEA.oid, keys), _integers(tuple([len(waiting) for _, waiting in batch])), *_encoded(limit)
        )
        exceeded = {answer.get_value(row, 0): row for row in range(answer.ntuples)}
        for counter, waiting in batch:
            row = exceeded.get(counter.key)
            admitted = len(waiting)
            if row is not None:
                hits, wait = _decoded(answer, row)
                admitted = max(0, limit.hits - (hits - len(waiting)))
                self._refusals.remember(counter, asked_at + wait)
                for pending in waiting[admitted:]:
                    fail(pending, TooManyAttempts(max(1, math.ceil(wait))))
            for pending in waiting[:admitted]:
                succeed(pending, None)

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._connection.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()


@lru_cache
def _integers(numbers: tuple[int, ...]) -> bytes:
    return array(_INTEGER.oid, [_AN_INTEGER.pack(number) for number in numbers])


@lru_cache
def _encoded(limit: Limit) -> tuple[bytes, bytes]:
    """As PostgreSQL receives it: an integer, and an interval in microseconds, days and months."""
    return _AN_INTEGER.pack(limit.hits), _AN_INTERVAL.pack(int(limit.window.total_seconds() * 1_000_000), 0, 0)


def _decoded(answer: PGresult, row: int) -> tuple[int, float]:
    [hits] = _AN_INTEGER.unpack(answer.get_value(row, 1) or b"")
    [wait] = _A_FLOAT.unpack(answer.get_value(row, 2) or b"")
    return hits, wait
