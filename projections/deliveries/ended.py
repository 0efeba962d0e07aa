"""What became of deliveries: for those who watch, for the operator who has them tried again, and until forgotten."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import SelectList
from domain.store.session_settings import NOT_AWAITED

from .due import KEPT, KINDS, OF_THE_HOUR, name_of
from .farewells import ENDED_WITH

NO_TRANSPORT = "no transport"
"""Why something was dropped that no node had a way to send for days. Unlike others it may be tried again: days are the
word of one clock, which may have been ahead.
"""
COUNTED = 100_000
"""As far as rows are counted."""
GIVEN_UP_COUNTED = 3
"""As many as one person's wrong addresses seldom are."""


class GivenUp(NamedTuple):
    """A message tried in vain, or that no node could send: how often, since when and until when, and why at last."""

    kind: str
    stream_id: UUID
    version: int
    attempts: int
    first_due_at: datetime
    ended_at: datetime
    reason: str

    @property
    def name(self) -> str:
        """By which it is had tried again."""
        return name_of(self.kind, self.stream_id, self.version)


class Leaving(NamedTuple):
    """For how many seconds the one of them waits that waits longest, and since when none was sent; None if none was.
    How many were given up since, in the last hour, counted up to `GIVEN_UP_COUNTED`.

    Of those that wait a thousand are looked at: it is asked often.
    """

    seconds_waiting: float
    seconds_since_sent: float | None
    lately_given_up: int


class DeliveryCondition(NamedTuple):
    """Of one kind: how many wait, for how many seconds the longest, and how many were given up.

    What is to be tried again waits too. A row that became due in the future did so by a clock that went back since: by
    how much counts, so that somebody looks. Counted up to `COUNTED`.
    """

    kind: str
    waiting: int
    seconds_waiting: float
    given_up: int


_AT_ONCE = 10_000
"""Rows that one statement ends or forgets: however many there are, none takes long."""
# Locked rows are passed over: somebody is at them.
_FORGET = f"""
DELETE FROM deliveries WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM deliveries
     WHERE (state IN ('sent', 'dropped') AND ended_at < statement_timestamp() - {KEPT})
        OR (state = 'given_up' AND ended_at < statement_timestamp() - interval '90 days')
     LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING {NOT_AWAITED}
"""
_DROP_UNSENT = ENDED_WITH.format(
    update=f"""
UPDATE deliveries SET state = 'dropped', ended_at = clock_timestamp(), lease = NULL,
       reason = CASE WHEN kind = ANY($2) THEN 'too late' ELSE '{NO_TRANSPORT}' END
 WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM deliveries
     WHERE state = 'waiting' AND kind <> ALL($1) AND due_at < statement_timestamp() - interval '3 days'
     LIMIT $3 FOR UPDATE SKIP LOCKED
))
"""
)
_IN_VAIN = f"(state = 'given_up' OR (state = 'dropped' AND reason = '{NO_TRANSPORT}'))"
_GIVEN_UP_ROW = SelectList(GivenUp, **{name: name for name in GivenUp._fields})
_GIVEN_UP = f"""
SELECT {_GIVEN_UP_ROW.sql} FROM deliveries
 WHERE {_IN_VAIN} ORDER BY ended_at, kind, stream_id, version LIMIT $1
"""
_AGAIN = """
UPDATE deliveries SET state = 'waiting', first_due_at = clock_timestamp(), due_at = clock_timestamp(), attempts = 0,
       ended_at = NULL, reason = NULL
"""
_RETRY = f"{_AGAIN} WHERE {_IN_VAIN} AND kind = $1 AND stream_id = $2 AND version = $3 RETURNING true"
_RETRY_SOME = f"""
{_AGAIN} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM deliveries WHERE {_IN_VAIN} LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING true
"""
_LEAVING_ROW = SelectList(
    Leaving,
    seconds_waiting="waiting.seconds_waiting",
    seconds_since_sent="extract(epoch FROM statement_timestamp() - sent.at)::float8",
    lately_given_up="given_up.lately_given_up",
)
_LEAVING = f"""
SELECT {_LEAVING_ROW.sql}
  FROM (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(first_due_at)), 0)::float8 AS seconds_waiting
          FROM (SELECT first_due_at FROM deliveries
                 WHERE state = 'waiting' AND kind = ANY($1) ORDER BY due_at LIMIT 1000) AS w) AS waiting,
       (SELECT max(ended_at) AS at FROM deliveries WHERE state = 'sent') AS sent, LATERAL (
       SELECT count(*) AS lately_given_up
         FROM (SELECT FROM deliveries WHERE state = 'given_up' AND kind = ANY($1) AND ended_at
                      > greatest(statement_timestamp() - interval '1 hour', sent.at) LIMIT {GIVEN_UP_COUNTED}) AS g
       ) AS given_up
"""
_CONDITION_ROW = SelectList(
    DeliveryCondition,
    kind="known.kind",
    waiting="waiting.number",
    seconds_waiting="waiting.seconds",
    given_up=(
        "(SELECT count(*) FROM"
        " (SELECT FROM deliveries d WHERE d.kind = known.kind AND state = 'given_up' LIMIT $2) AS g)"
    ),
)
_CONDITION = f"""
SELECT {_CONDITION_ROW.sql}
  FROM unnest($1::text[]) AS known (kind), LATERAL (
       SELECT count(*) AS number,
              coalesce(greatest(extract(epoch FROM statement_timestamp() - min(first_due_at)),
                                extract(epoch FROM max(first_due_at) - statement_timestamp())), 0)::float8 AS seconds
         FROM (SELECT first_due_at FROM deliveries d WHERE d.kind = known.kind AND state = 'waiting' LIMIT $2) AS w
       ) AS waiting
 ORDER BY known.kind
"""


def leaving(read: Statements, kinds: Collection[str]) -> Leaving:
    """Whether those of these kinds leave. Raises StoreUnavailable."""
    [row] = _LEAVING_ROW.read_all(read.rows(_LEAVING, list(kinds)))
    return row


def delivery_condition(read: Statements) -> list[DeliveryCondition]:
    """As it is now, each kind there can be. Raises StoreUnavailable."""
    return _CONDITION_ROW.read_all(read.rows(_CONDITION, list(KINDS), COUNTED))


def given_up(read: Statements, *, limit: int) -> Sequence[GivenUp]:
    """What was given up or that nobody could send, longest ago first. Raises StoreUnavailable."""
    return _GIVEN_UP_ROW.read_all(read.rows(_GIVEN_UP, limit))


def retry(statements: Statements, kind: str, stream_id: UUID, version: int) -> bool:
    """Have it tried anew, as if it had just become due; whether it was one of those. Raises StoreUnavailable."""
    return bool(statements.rows(_RETRY, kind, stream_id, version))


def retry_all(statements: Statements) -> int:
    """Have all of those tried anew; how many those were. Raises StoreUnavailable."""
    return in_parts(statements, _RETRY_SOME)


def forget(statements: Statements) -> int:
    """Delete what was sent or dropped a week ago, and given up ninety days ago; how much. Raises StoreUnavailable."""
    return in_parts(statements, _FORGET)


def drop_unsent(statements: Statements, kinds: Collection[str]) -> int:
    """End what has been due for three days and is of none of these kinds, which this node sends; how much that was.

    Without it rows would wait for ever where nobody is to send them. Raises StoreUnavailable.
    """
    return in_parts(statements, _DROP_UNSENT, list(kinds), list(OF_THE_HOUR))


def in_parts(statements: Statements, sql: str, *values: object) -> int:
    """Run it for as many rows at once as none waits for, its last value, until there are no more; how many it found."""
    done, found = 0, _AT_ONCE
    while found == _AT_ONCE:
        found = len(statements.rows(sql, *values, _AT_ONCE))
        done += found
    return done
