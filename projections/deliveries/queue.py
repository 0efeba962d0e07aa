"""The queue of what is due: whoever sends leases rows for a while, and says what became of each.

A lease is kept by the database's clock alone. A row is leased by moving ahead when it is due; who is killed or frozen
finishes nothing, and so it comes due again for others. That clock may be put back: what is due further ahead than
anything is ever moved was due before, and is due now. Whatever is written about a row afterwards is written only while
the lease is still the writer's own. No transaction is open between two of these statements.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import SelectList

from .due import name_of
from .farewells import ENDED_WITH

LEASED_FOR = timedelta(minutes=1)
"""Longer than one attempt may take, whatever it is sent by."""
LONGEST_PAUSE = timedelta(hours=1)
"""Nothing is put off for longer at once."""


class Delivery(NamedTuple):
    """One message that is due, of which event, and by whose lease.

    `attempts` counts this one; `age` is in seconds since it was first due; `superseded` is one of a stream of which a
    later message of the same kind is there.
    """

    kind: str
    stream_id: UUID
    version: int
    attempts: int
    age: float
    lease: UUID
    superseded: bool

    @property
    def name(self) -> str:
        """What it is called wherever somebody may see it."""
        return name_of(self.kind, self.stream_id, self.version)


_DELIVERY = SelectList(
    Delivery,
    kind="d.kind",
    stream_id="d.stream_id",
    version="d.version",
    attempts="d.attempts",
    age="EXTRACT(EPOCH FROM clock_timestamp() - d.first_due_at)::float8",
    lease="d.lease",
    superseded=(
        "EXISTS (SELECT FROM deliveries later WHERE later.kind = d.kind AND later.stream_id = d.stream_id"
        " AND later.version > d.version)"
    ),
)
# The moment is one for the whole statement: the index is then read up to it, and beyond all that is put off.
_LEASE = f"""
WITH due AS MATERIALIZED (
    SELECT kind, stream_id, version FROM deliveries
     WHERE state = 'waiting' AND due_at <= statement_timestamp() AND kind = ANY($3)
     ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
), astray AS MATERIALIZED (
    SELECT kind, stream_id, version FROM deliveries
     WHERE state = 'waiting' AND due_at > statement_timestamp() + $5 AND kind = ANY($3)
     LIMIT $4 - (SELECT count(*) FROM due) FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET lease = $1, due_at = clock_timestamp() + $2, attempts = attempts + 1,
       first_due_at = least(d.first_due_at, clock_timestamp())
  FROM (SELECT * FROM due UNION ALL SELECT * FROM astray) AS one
 WHERE d.kind = one.kind AND d.stream_id = one.stream_id AND d.version = one.version
RETURNING {_DELIVERY.sql}
"""
_MINE = "kind = $1 AND stream_id = $2 AND version = $3 AND lease = $4"
_RENEW = f"UPDATE deliveries SET due_at = clock_timestamp() + $5 WHERE {_MINE} RETURNING true"
_END = ENDED_WITH.format(
    update=f"UPDATE deliveries SET state = $5, reason = $6, ended_at = clock_timestamp(), lease = NULL WHERE {_MINE}"
)
_POSTPONE = f"""
UPDATE deliveries SET due_at = clock_timestamp() + $5, reason = $6, lease = NULL WHERE {_MINE} RETURNING true
"""
_RELEASE = f"""
UPDATE deliveries SET due_at = clock_timestamp(), attempts = attempts - 1, lease = NULL WHERE {_MINE} RETURNING true
"""


class Queue:
    """The table of them. Each method but `lease` answers whether the lease was still the caller's, and it was written.

    All raise StoreUnavailable. What is said twice because the first answer got lost answers False.
    """

    def __init__(self, statements: Statements, *, leased_for: timedelta = LEASED_FOR) -> None:
        self._statements, self._leased_for = statements, leased_for

    def lease(self, kinds: Collection[str], *, lease: UUID, limit: int) -> list[Delivery]:
        """At most `limit` of these kinds that are due, from now on nobody else's; `lease` is an id never used before.

        Those of a lease whose answer got lost come due again when it has run out.
        """
        furthest = max(self._leased_for, LONGEST_PAUSE)
        rows = self._statements.rows(_LEASE, lease, self._leased_for, list(kinds), limit, furthest)
        return _DELIVERY.read_all(rows)

    def renew(self, delivery: Delivery) -> bool:
        """Before it is sent: from now on the lease lasts its full time again."""
        return self._written(_RENEW, delivery, self._leased_for)

    def sent(self, delivery: Delivery) -> bool:
        """It is on its way."""
        return self._written(_END, delivery, "sent", None)

    def dropped(self, delivery: Delivery, reason: str) -> bool:
        """There is nothing to be sent any more, and nothing wrong with that."""
        return self._written(_END, delivery, "dropped", reason)

    def give_up(self, delivery: Delivery, reason: str) -> bool:
        """It was tried in vain; an operator may have it tried again."""
        return self._written(_END, delivery, "given_up", reason)

    def postpone(self, delivery: Delivery, *, pause: timedelta, reason: str) -> bool:
        """It could not be sent now, for this reason: due again after a pause, at most the longest."""
        assert pause <= LONGEST_PAUSE, "what is further ahead is taken for due"
        return self._written(_POSTPONE, delivery, pause, reason)

    def release(self, delivery: Delivery) -> bool:
        """It was not tried after all: due at once for others."""
        return self._written(_RELEASE, delivery)

    def _written(self, sql: str, delivery: Delivery, *values: object) -> bool:
        mine = (delivery.kind, delivery.stream_id, delivery.version, delivery.lease)
        return bool(self._statements.rows(sql, *mine, *values))
