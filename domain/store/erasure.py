"""What is kept of a person beside the log, and goes with them; what is kept of their going.

No append touches these rows, so they are taken away after the one append of an erasure, in its transaction, and locked
in the order of whoever else writes several: nobody who waits for one of them holds a row that an append waits for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from .key_locks import HeldKeys

# The writers of attempts hold this lock while they write several rows; of the others one statement locks them by key.
_ATTEMPTS_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('daybook attempts', 0))"
_SWEEPING = {
    "credentials": "DELETE FROM credentials WHERE user_id = $1",
    "attempts": "DELETE FROM attempts WHERE person_id = $1",
}
_SWEEPING_OF_SEVERAL = {
    "last_active": "session_id",
    "rate_limits": "key",
}
_DELETE_IN_ORDER = """
WITH theirs AS MATERIALIZED (SELECT {key} FROM {table} WHERE {key} = ANY($1) ORDER BY {key} FOR UPDATE)
DELETE FROM {table} USING theirs WHERE {table}.{key} = theirs.{key}
"""
_RECORD = "INSERT INTO erasures (user_id, version, erased_at, touched, certificate) VALUES ($1, $2, $3, $4, $5)"
_FAREWELL = "INSERT INTO farewells (stream_id, version, sealed) VALUES ($1, $2, $3)"


def sweep(
    held: HeldKeys, user_id: UUID, *, session_ids: Collection[UUID], counters: Collection[bytes]
) -> dict[str, int]:
    """Take all of it away; how many rows of which table. `counters` are the keys of rate limits that are theirs."""
    held.after_append(_ATTEMPTS_LOCK)
    taken = {table: held.after_append(sql, user_id) for table, sql in _SWEEPING.items()}
    for (table, key), keys in zip(_SWEEPING_OF_SEVERAL.items(), (session_ids, counters), strict=True):
        taken[table] = held.after_append(_DELETE_IN_ORDER.format(table=table, key=key), list(keys)) if keys else 0
    return taken


def record(
    held: HeldKeys,
    user_id: UUID,
    *,
    version: int,
    erased_at: datetime,
    touched: Mapping[str, int],
    certificate: str | None,
) -> None:
    """Write down that a person was erased, by which version of their stream and what that took.

    `certificate` is the one that was issued for it before a backup was restored, if there was one.
    """
    counted = json.dumps({table: rows for table, rows in sorted(touched.items()) if rows})
    held.after_append(_RECORD, user_id, version, erased_at, counted, certificate)


def bid_farewell(held: HeldKeys, stream_id: UUID, version: int, sealed: bytes) -> None:
    """Keep the address that the last message of this event goes to, until that is sent."""
    held.after_append(_FAREWELL, stream_id, version, sealed)
