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

from domain.refusals import TooManyAttempts
from domain.store.connections import opened_within
from domain.store.rate_limits import COUNT, Counter, Limit

from .prepared_line import PreparedLine, Statement, array
from .questions import Batch, Questions, fail, succeed

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

Question = asyncio.Future[None]


class Hits:
    """Hits are counted in the database, shared by all nodes. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._refusals = Refusals()
        self._questions = Questions[Counter, None](
            partial(HitLine.open, conninfo, self._refusals), deadline=opened_within(conninfo)
        )

    def count(self, counter: Counter) -> Question:
        """Begin to count a hit: awaited, it raises TooManyAttempts if the hit is not admitted, or StoreAway.

        Raises TooManyAttempts at once, and asks nobody, where no hit can be admitted yet for all that is known.
        """
        wait = self._refusals.wait(counter)
        if wait:
            raise TooManyAttempts(math.ceil(wait))
        return self._questions.ask(counter)

    async def close(self) -> None:
        """Give the connection back."""
        await self._questions.close()


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


class HitLine:
    """The line to the database that counts."""

    def __init__(self, line: PreparedLine, refusals: Refusals) -> None:
        self._line, self._refusals = line, refusals

    @staticmethod
    async def open(conninfo: str, refusals: Refusals) -> HitLine:
        """Connect. Raises psycopg.Error."""
        return HitLine(await PreparedLine.open(conninfo, _STATEMENT), refusals)

    async def answer(self, batch: Batch[Counter, None]) -> None:
        """Count all who ask, one limit after the other. Raises psycopg.Error."""
        for limit in {counter.limit for counter in batch}:
            await self._count(limit, [asked for asked in batch.items() if asked[0].limit == limit])

    async def _count(self, limit: Limit, batch: Sequence[tuple[Counter, Sequence[Question]]]) -> None:
        asked_at = time.monotonic()
        keys = [counter.key for counter, _ in batch]
        answer = await self._line.ask(
            array(_BYTEA.oid, keys), _integers(tuple([len(questions) for _, questions in batch])), *_encoded(limit)
        )
        exceeded = {answer.get_value(row, 0): row for row in range(answer.ntuples)}
        for counter, questions in batch:
            row = exceeded.get(counter.key)
            admitted = len(questions)
            if row is not None:
                hits, wait = _decoded(answer, row)
                admitted = max(0, limit.hits - (hits - len(questions)))
                self._refusals.remember(counter, asked_at + wait)
                for question in questions[admitted:]:
                    fail(question, TooManyAttempts(max(1, math.ceil(wait))))
            for question in questions[:admitted]:
                succeed(question, None)

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._line.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._line.close()


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
